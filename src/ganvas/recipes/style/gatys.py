"""Named runs of Gatys' style. Values that are not named here are the defaults of
``ganvas.models.style.gatys.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.style.gatys import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 64x64, 300 moves of one picture. Not the paper's: a narrow network, of random weights."""
    config = Config(height=64, width=64, features=16, steps=100)
    return Recipe(config=config, plan=Plan(total_kimg=0.3, measure_kimg=-1, sample_kimg=0.1))
