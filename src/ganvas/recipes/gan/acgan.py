"""Named runs of ACGAN. Values that are not named here are the defaults of ``ganvas.models.gan.acgan.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.gan.acgan import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, batches of 32, a higher rate."""
    config = Config(
        latent_size=64, features=32, features_max=128, discriminator_features_max=128, batch_size=32, lr=5e-4
    )
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
