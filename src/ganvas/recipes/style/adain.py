"""Named runs of AdaIN. Values that are not named here are the defaults of
``ganvas.models.style.adain.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.style.adain import Config
from ganvas.train.plan import Plan, Recipe


def wikiart() -> Recipe:
    """Crops of 256x256, 160,000 steps of eight; name VGG's file. Source: train.py of naoto0804/pytorch-AdaIN."""
    return Recipe(config=Config(), plan=Plan(total_kimg=1280))


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: a narrow network, random if none is named."""
    config = Config(height=32, width=32, encoder="classifier", features=16, lr=1e-3)
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=512), bound=64)
