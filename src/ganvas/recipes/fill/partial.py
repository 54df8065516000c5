"""Named runs of partial convolutions. Values that are not named here are the defaults of
``ganvas.models.fill.partial.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.fill.partial import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes of one core. Not the paper's: four halvings and a narrow network."""
    config = Config(height=32, width=32, halvings=4, features=24, batch_size=16, lr=1e-3)
    return Recipe(config=config, plan=Plan(total_kimg=60), bound=64)
