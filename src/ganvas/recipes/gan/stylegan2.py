"""Named runs of StyleGAN2, each with the source of its settings.

"ADA" is the authors' PyTorch release, https://github.com/NVlabs/stylegan2-ada-pytorch (train.py), with the settings of
both papers. Values that are not named here are the defaults of ``ganvas.models.gan.stylegan2.Config``. docs/presets.md
has every value of every preset.
"""

from ganvas.models.gan.stylegan2 import Config
from ganvas.train.plan import Plan, Recipe


def ffhq1024() -> Recipe:
    """1024x1024 faces, configuration F of the paper. Source: ADA, cfg=stylegan2, mirror=1."""
    return Recipe(config=Config(resolution=1024), plan=Plan(total_kimg=25000, mirror=True))


def paper512() -> Recipe:
    """512x512 faces. Source: ADA, cfg=paper512, mirror=1."""
    config = Config(resolution=512, group_size=8, batch_size=64, lr=2.5e-3, r1_gamma=0.5, average_half_life_kimg=20)
    return Recipe(config=config, plan=Plan(total_kimg=25000, mirror=True))


def paper256() -> Recipe:
    """256x256 faces, half as wide, larger batches. Source: ADA, cfg=paper256, mirror=1."""
    config = Config(
        resolution=256,
        fmap_base=8192,
        group_size=8,
        batch_size=64,
        lr=2.5e-3,
        r1_gamma=1.0,
        average_half_life_kimg=20,
    )
    return Recipe(config=config, plan=Plan(total_kimg=25000, mirror=True))


def cifar10() -> Recipe:
    """32x32, without shortcuts, mixing and path length; add --conditional for classes. Source: ADA, cfg=cifar."""
    config = Config(
        resolution=32,
        mapping_layers=2,
        residual=False,
        group_size=32,
        batch_size=64,
        lr=2.5e-3,
        r1_gamma=0.01,
        path_weight=0.0,
        mixing=0.0,
        average_half_life_kimg=500,
        average_ramp=0.05,
    )
    return Recipe(config=config, plan=Plan(total_kimg=100000))


def small() -> Recipe:
    """For a laptop: 32 or 64 pixels in minutes on two cores. Not the paper's: narrow, short, small penalty of D."""
    config = Config(
        resolution=32,
        latent_size=64,
        style_size=64,
        mapping_layers=2,
        fmap_base=256,
        fmap_max=64,
        batch_size=16,
        lr=2.5e-3,
        r1_gamma=0.1,
        average_half_life_kimg=1,
    )
    return Recipe(config=config, plan=Plan(total_kimg=30, measure_n=1024), bound=64)
