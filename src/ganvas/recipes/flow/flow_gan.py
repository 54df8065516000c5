"""Named runs of Flow-GAN. Values that are not named here are the defaults of
``ganvas.models.flow.flow_gan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.flow.flow_gan import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 8x8 in minutes on two cores. Not the paper's: narrow, and a critic that moves once."""
    config = Config(resolution=8, flow_features=16, blocks=1, features=32, critic_moves=1, lr=1e-3)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
