"""Named runs of the autoencoder. Values that are not named here are the defaults of
``ganvas.models.vae.autoencoder.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.vae.autoencoder import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores."""
    config = Config(resolution=32, features=16, features_max=128, batch_size=32)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))


def denoising() -> Recipe:
    """For a laptop: `small` on pictures with noise of 32 grey levels, through a bottleneck of 256 numbers."""
    config = Config(resolution=32, latent_size=256, features=16, features_max=128, noise=0.25, batch_size=32)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
