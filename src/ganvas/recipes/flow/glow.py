"""Named runs of Glow. Values that are not named here are the defaults of
``ganvas.models.flow.glow.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.flow.glow import Config
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32, 3.35 bits per dimension published. Source: README of the authors' code; the length is ours."""
    return Recipe(config=Config(), plan=Plan(total_kimg=50_000))


def imagenet32() -> Recipe:
    """ImageNet 32x32, 4.09 bits per dimension published. Source: README of the authors' code; the length is ours."""
    return Recipe(config=Config(depth=48), plan=Plan(total_kimg=50_000))


def imagenet64() -> Recipe:
    """ImageNet 64x64, 3.81 bits per dimension published. Source: README of the authors' code; the length is ours."""
    config = Config(height=64, width=64, levels=4, depth=48, batch_size=128, warm_up_kimg=125.4)
    return Recipe(config=config, plan=Plan(total_kimg=50_000))


def lsun64() -> Recipe:
    """LSUN 64x64, 2.38 (bedroom) published. Source: README of the authors' code; the length is ours."""
    config = Config(height=64, width=64, depth=48, batch_size=128, warm_up_kimg=125.4)
    return Recipe(config=config, plan=Plan(total_kimg=50_000))


def celeba_hq256() -> Recipe:
    """CelebA-HQ 256x256 of 5 bits, 1.03 published. Source: README of the authors' code; the length is ours."""
    config = Config(
        height=256,
        width=256,
        bits=5,
        levels=6,
        coupling="additive",
        batch_size=40,
        warm_up_kimg=7.8,
        beta2=0.95,
    )
    return Recipe(config=config, plan=Plan(total_kimg=1_000))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the paper's: two levels of four steps, narrow."""
    config = Config(height=16, width=16, levels=2, depth=4, features=64, batch_size=64, warm_up_kimg=6.4, beta2=0.999)
    return Recipe(config=config, plan=Plan(total_kimg=60, measure_n=1024))
