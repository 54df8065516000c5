"""Named runs of PixelCNN. Values that are not named here are the defaults of
``ganvas.models.autoregressive.pixelcnn.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.autoregressive.pixelcnn import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 16x16 in ten minutes on two cores. Not the paper's: narrow, shallow, a mixture of logistics."""
    config = Config(
        height=16,
        width=16,
        blocks=5,
        features=24,
        top_features=48,
        mixtures=5,
        lr=2e-3,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=30, sample_kimg=15, measure_kimg=3, measure_n=1024))
