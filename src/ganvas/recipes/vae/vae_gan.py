"""Named runs of the VAE-GAN. Values that are not named here are the defaults of
``ganvas.models.vae.vae_gan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.vae.vae_gan import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Networks of the width of `vae/vae`'s preset of this name."""
    config = Config(
        resolution=32,
        latent_size=64,
        features=16,
        features_max=128,
        discriminator_features=32,
        gamma=1e-3,
        batch_size=32,
        lr=5e-4,
    )
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
