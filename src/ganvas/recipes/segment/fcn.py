"""Named runs of fully convolutional networks. Values that are not named here are the defaults of
``ganvas.models.segment.fcn.Config``; docs/presets.md has every value of every preset."""

from dataclasses import replace

from ganvas.models.segment.fcn import Config
from ganvas.train.plan import Plan, Recipe


def fcn32s() -> Recipe:
    """Scores 32 pixels apart. Source: the authors' voc-fcn32s, from VGG-16 of ImageNet; from noise it moves little."""
    return Recipe(config=Config(finest=32), plan=Plan(total_kimg=100))


def small() -> Recipe:
    """For a laptop: 64x64, a few minutes of one core. Not the paper's: three blocks, batch norm, Adam, balance."""
    config = Config(
        height=64,
        width=64,
        pixel_classes=15,
        finest=2,
        features=16,
        convolutions=(2, 2, 2),
        dense=64,
        dense_kernel=3,
        padding=1,
        norm="batch",
        dropout=0.0,
        balance=0.4,
        summed_loss=False,
        batch_size=4,
        lr=4e-3,
        optimizer="adam",
        weight_decay=0.0,
        decay_kimg=20,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, mirror=True, measure_n=500), fitted=True, bound=128)


def small_coarse() -> Recipe:
    """As small, with scores 8 pixels apart alone: what the skips are worth."""
    fine = small()
    return replace(fine, config=replace(fine.config, finest=8))
