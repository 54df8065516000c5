"""Named runs of WGAN-GP, with the source of their settings.

"code" is the authors' release, https://github.com/igul222/improved_wgan_training. A thousand pictures shown are counted
once per move of the critic. Values that are not named here are the defaults of ``ganvas.models.gan.wgan_gp.Config``;
docs/presets.md has every value of every preset.
"""

from dataclasses import replace

from ganvas.models.gan.wgan_gp import POINTS, Config
from ganvas.train.plan import Plan, Recipe

CIFAR_KIMG = 32_000.0  # 100,000 moves of the generator, 5 of the critic each, 64 pictures each.
MIXTURES_KIMG = 4000.0


def cifar10() -> Recipe:
    """CIFAR-10 32x32 by the residual pair, without classes. Source: code, gan_cifar_resnet.py."""
    config = Config(
        resolution=32,
        network="resnet",
        critic_norm="none",
        features=128,
        features_max=128,
        generator_batches=2,
        lr=2e-4,
        decay_kimg=CIFAR_KIMG,
    )
    return Recipe(config=config, plan=Plan(total_kimg=CIFAR_KIMG))


def cifar10_dcgan() -> Recipe:
    """CIFAR-10 32x32 by the plain pair without norms in the critic. Source: code, gan_cifar.py."""
    config = Config(resolution=32, critic_norm="none", features=128, beta1=0.5)
    return Recipe(config=config, plan=Plan(total_kimg=2 * CIFAR_KIMG))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, batches of 32, a higher rate."""
    config = Config(resolution=32, latent_size=64, features=32, critic_moves=3, batch_size=32, lr=5e-4, beta1=0.5)
    return Recipe(config=config, plan=Plan(total_kimg=200, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:grid25` in minutes on two cores. Not the paper's: narrow, short, a higher rate."""
    config = replace(POINTS, decay_kimg=MIXTURES_KIMG)
    return Recipe(config=config, plan=Plan(total_kimg=MIXTURES_KIMG, checkpoint_minutes=1.0))


def gap() -> Recipe:
    """For a laptop: two halves apart, `mixtures:segments,gap=1.5`, by one latent, in half a minute. Not the paper's.

    A generator of one latent has a steepest place that can be found; docs/distributions.md is about it.
    """
    config = replace(POINTS, dims=1, latent_size=1, width=64, batch_size=64, critic_moves=3, average_decay=0.98)
    return Recipe(config=config, plan=Plan(total_kimg=400, measure_n=8192, checkpoint_minutes=1.0))
