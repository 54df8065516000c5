"""Named runs of PixelCNN++. Values that are not named here are the defaults of
``ganvas.models.autoregressive.pixelcnn_pp.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.autoregressive.pixelcnn_pp import Config
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32, 2.92 bits per dimension published. Source: section 3 of the paper and train.py of its code."""
    return Recipe(config=Config(), plan=Plan(total_kimg=250_000))


def small() -> Recipe:
    """For a laptop: 16x16 in ten minutes on two cores. Not the paper's: two resolutions, narrow, no dropout."""
    config = Config(
        height=16,
        width=16,
        levels=2,
        blocks=2,
        features=32,
        mixtures=5,
        dropout=0.0,
        batch_size=16,
        lr=2e-3,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=30, sample_kimg=15, measure_kimg=3, measure_n=1024))
