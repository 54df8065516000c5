"""Named runs of SAGAN. Values that are not named here are the defaults of ``ganvas.models.gan.sagan.Config``, which are
the paper's (https://arxiv.org/abs/1805.08318); docs/presets.md has every value of every preset."""

from ganvas.models.gan.sagan import Config
from ganvas.train.plan import Plan, Recipe


def imagenet128() -> Recipe:
    """ImageNet 128x128, 1,000 classes, a million steps of 256 pictures. Source: sections 4 and 5 of the paper."""
    return Recipe(config=Config(num_classes=1000), plan=Plan(total_kimg=256_000))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, batches of 32, higher rates."""
    config = Config(
        resolution=32,
        latent_size=64,
        features=32,
        features_max=64,
        batch_size=32,
        lr=2e-4,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
