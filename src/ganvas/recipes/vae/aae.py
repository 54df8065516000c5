"""Named runs of the adversarial autoencoder. Values that are not named here are the defaults of
``ganvas.models.vae.aae.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.vae.aae import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores, with classes where `--conditional` gives them."""
    config = Config(resolution=32, features=16, features_max=128, discriminator_width=256, batch_size=32)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
