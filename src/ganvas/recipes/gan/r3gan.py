"""Named runs of R3GAN, each with the source of its settings.

The code is https://github.com/brownvc/R3GAN (train.py and the commands of its README), without its augmentation. Values
that are not named here are the defaults of ``ganvas.models.gan.r3gan.Config``. docs/presets.md has every value of every
preset.
"""

from ganvas.models.gan.r3gan import Config
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """32x32; with --conditional the published FID is 1.96. Source: the code, preset CIFAR10, batch 512, mirror."""
    return Recipe(config=Config(), plan=Plan(total_kimg=20000, mirror=True))


def ffhq64() -> Recipe:
    """64x64 faces. Source: the code, preset FFHQ-64, batch 256, mirror."""
    config = Config(resolution=64, batch_size=256, gamma=2.0, end_gamma=0.2, average_half_life_kimg=500)
    return Recipe(config=config, plan=Plan(total_kimg=20000, mirror=True))


def ffhq256() -> Recipe:
    """256x256 faces (published FID 2.75). Source: the code, preset FFHQ-256, batch 256, mirror."""
    config = Config(resolution=256, batch_size=256, gamma=150.0, end_gamma=15.0, average_half_life_kimg=500)
    return Recipe(config=config, plan=Plan(total_kimg=20000, mirror=True))


def small() -> Recipe:
    """For a laptop: 32 or 64 pixels in minutes on two cores. Not the paper's: narrow, short, at higher rates."""
    config = Config(
        resolution=32,
        fmap_base=256,
        fmap_max=64,
        blocks=1,
        batch_size=32,
        lr=1e-3,
        end_lr=2e-4,
        gamma=0.2,
        end_gamma=0.02,
        average_half_life_kimg=5,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=1024), fitted=True, bound=64)
