"""Named runs of the first GAN. Values that are not named here are the defaults of ``ganvas.models.gan.gan.Config``,
which are those of the authors' code (https://github.com/goodfeli/adversarial); docs/presets.md has every value."""

from ganvas.models.gan.gan import POINTS, Config
from ganvas.train.plan import Plan, Recipe

MNIST_KIMG = 12_500.0  # 250 passes over 50,000 digits: as long as the momentum of the code rises.


def mnist() -> Recipe:
    """MNIST 28x28, 250 passes over 50,000 digits. Source: mnist.yaml of the authors' code."""
    return Recipe(config=Config(base=(7, 7), resolution=16), plan=Plan(total_kimg=MNIST_KIMG))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, Adam, a lower dropout.

    Twice the rate and no dropout on colours drove every colour to an end of its range.
    """
    config = Config(
        channels=3,
        latent_size=64,
        width=256,
        units=64,
        pieces=3,
        dropout=0.3,
        optimizer="adam",
        batch_size=32,
        lr=1e-4,
    )
    return Recipe(config=config, plan=Plan(total_kimg=200, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the paper's, which has no points."""
    return Recipe(config=POINTS, plan=Plan(total_kimg=1000, checkpoint_minutes=1.0))
