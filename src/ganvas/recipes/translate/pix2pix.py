"""Named runs of pix2pix. Values that are not named here are the defaults of
``ganvas.models.translate.pix2pix.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.translate.pix2pix import Config
from ganvas.train.plan import Plan, Recipe


def facades() -> Recipe:
    """256x256, 200 passes over 400 pairs, one a step. Source: sections 3.3 and 6.2 of the paper, "labels to photo"."""
    return Recipe(config=Config(), plan=Plan(total_kimg=80, mirror=True, crop_margin=30 / 256))


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: narrow networks, eight pairs a step."""
    config = Config(
        height=32,
        width=32,
        halvings=5,
        features=16,
        dropped=1,
        norm="instance",
        discriminator_features=16,
        discriminator_halvings=2,
        batch_size=8,
        lr=1e-3,
        hold_kimg=10,
        decay_kimg=10,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=500), fitted=True, bound=64)
