"""Named runs of EDM. Values that are not named here are the defaults of ``ganvas.models.diffusion.edm.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.diffusion.edm import POINTS, Config
from ganvas.recipes.diffusion._laptop import clouds, small_pictures
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32; FID 1.97 without classes. Source: train.py of its code, defaults, without their augmentation."""
    return Recipe(config=Config(label_dropout=0.0), plan=Plan(total_kimg=200_000))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the paper's: narrow, one block, fewer steps to draw."""
    return small_pictures(Config())


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the paper's, which has no points."""
    return clouds(POINTS)
