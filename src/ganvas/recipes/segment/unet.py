"""Named runs of U-Net. Values that are not named here are the defaults of
``ganvas.models.segment.unet.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.segment.unet import Config
from ganvas.train.plan import Plan, Recipe


def isbi2012() -> Recipe:
    """Membranes of cells: gaps weigh more. Source: sections 2 and 3 of the paper; length and rate are ours."""
    return Recipe(config=Config(gap_weight=10.0), plan=Plan(total_kimg=30, mirror=True))


def small() -> Recipe:
    """For a laptop: 64x64, a few minutes of one core. Not the paper's: narrow, with batch norm, Adam, balance."""
    config = Config(
        height=64,
        width=64,
        channels=3,
        features=12,
        levels=3,
        convolutions="same",
        norm="batch",
        dropout=0.0,
        balance=0.4,
        batch_size=4,
        lr=4e-3,
        optimizer="adam",
        decay_kimg=20,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, mirror=True, measure_n=500), fitted=True, bound=128)
