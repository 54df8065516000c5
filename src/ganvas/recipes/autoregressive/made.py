"""Named runs of MADE. Values that are not named here are the defaults of
``ganvas.models.autoregressive.made.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.autoregressive.made import POINTS, Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 16x16, bright and dark, in minutes on two cores. Not the paper's: narrow, one order."""
    config = Config(height=16, width=16, binary=True, average_half_life_kimg=7.0)
    return Recipe(config=config, plan=Plan(total_kimg=200, sample_kimg=50, measure_kimg=20, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the paper's, which has no points."""
    return Recipe(config=POINTS, plan=Plan(total_kimg=1000, checkpoint_minutes=1.0))
