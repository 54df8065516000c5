"""Named runs of minibatch discrimination. Values that are not named here are the defaults of
``ganvas.models.gan.minibatch_discrimination.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.gan.minibatch_discrimination import POINTS, Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, batches of 32, 8 kernels.

    With 32 kernels the discriminator of scenes won and pictures stayed grey.
    """
    config = Config(latent_size=64, prior="normal", features=32, kernels=8, batch_size=32)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the paper's, which has no points."""
    return Recipe(config=POINTS, plan=Plan(total_kimg=200, measure_kimg=20, checkpoint_minutes=1.0))
