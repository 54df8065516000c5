"""Named runs of Real NVP. Values that are not named here are the defaults of
``ganvas.models.flow.realnvp.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.flow.realnvp import Config
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32, 3.49 bits per dimension published. Source: section 4.1 of the paper, and its code.

    The length is ours.
    """
    return Recipe(config=Config(), plan=Plan(total_kimg=32_000, mirror=True))


def imagenet32() -> Recipe:
    """ImageNet 32x32, 4.28 bits per dimension published. Source: section 4.1 of the paper, and its code.

    The length is ours.
    """
    return Recipe(config=Config(scales=4, features=32, blocks=4), plan=Plan(total_kimg=32_000))


def imagenet64() -> Recipe:
    """ImageNet 64x64, 3.98 bits per dimension published. Source: section 4.1 of the paper, and its code.

    The length is ours.
    """
    config = Config(height=64, width=64, scales=5, features=32, blocks=2)
    return Recipe(config=config, plan=Plan(total_kimg=32_000))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the paper's: narrow, an average of the weights."""
    config = Config(height=16, width=16, features=16, blocks=2, batch_size=64, average_decay=0.98)
    return Recipe(config=config, plan=Plan(total_kimg=60, measure_n=1024))
