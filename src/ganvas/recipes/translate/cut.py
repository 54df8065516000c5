"""Named runs of CUT. Values that are not named here are the defaults of
``ganvas.models.translate.cut.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.translate.cut import Config
from ganvas.train.plan import Plan, Recipe


def horse2zebra() -> Recipe:
    """256x256, 400 passes over the 1,334 zebras, one picture a step. Source: section 4 and appendix C of the paper."""
    return Recipe(config=Config(), plan=Plan(total_kimg=533.6, mirror=True, crop_margin=30 / 256))


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: small networks, four pictures a step."""
    config = Config(
        height=32,
        width=32,
        blocks=3,
        features=16,
        discriminator_features=24,
        discriminator_halvings=2,
        patches=64,
        projection=64,
        batch_size=4,
        lr=1e-3,
        hold_kimg=10,
        decay_kimg=10,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=512), fitted=True, bound=64)
