"""Named runs of the variational autoencoder. Values that are not named here are the defaults of
``ganvas.models.vae.vae.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.vae.vae import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores."""
    config = Config(resolution=32, features=16, features_max=128, batch_size=32)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
