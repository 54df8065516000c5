"""Named runs of flow matching. Values that are not named here are the defaults of
``ganvas.models.diffusion.flow_matching.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.diffusion.flow_matching import POINTS, Config
from ganvas.recipes.diffusion._laptop import clouds, small_pictures
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32, FID 3.5 with its own U-Net. Source: torchcfm, examples/images/cifar10/train_cifar10.py."""
    return Recipe(config=Config(label_dropout=0.0), plan=Plan(total_kimg=51_200, mirror=True))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the papers': narrow, one block, fewer steps to draw."""
    return small_pictures(Config())


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the papers'."""
    return clouds(POINTS)
