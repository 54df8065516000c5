"""Named runs of NICE. Values that are not named here are the defaults of
``ganvas.models.flow.nice.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.flow.nice import Config
from ganvas.train.plan import Plan, Recipe


def mnist() -> Recipe:
    """MNIST 28x28, -1,980.5 nats of loss published. Source: section 5.1 of the paper; batch and length are ours."""
    return Recipe(config=Config(), plan=Plan(total_kimg=75_000))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the paper's: narrow."""
    config = Config(height=16, width=16, channels=3, features=256, depth=3, batch_size=64)
    return Recipe(config=config, plan=Plan(total_kimg=200, measure_n=1024))
