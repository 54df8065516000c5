"""Named runs of SNGAN, each with the source of its settings.

"code" is the authors' release, https://github.com/pfnet-research/sngan_projection. A thousand pictures shown are
counted once per move of the discriminator. Values that are not named here are the defaults of
``ganvas.models.gan.sngan.Config``; docs/presets.md has every value of every preset.
"""

from dataclasses import replace

from ganvas.models.gan.sngan import POINTS, Config
from ganvas.train.plan import Plan, Recipe

CIFAR_KIMG = 16_000.0  # 50,000 moves of the generator, 5 of the discriminator each, 64 pictures each.
MIXTURES_KIMG = 4000.0
IMAGENET_KIMG = 144_000.0  # 450,000 moves of the generator, 5 of the discriminator each, 4 x 16 pictures each.


def cifar10() -> Recipe:
    """CIFAR-10 32x32 without classes. Source: code, configs/sn_cifar10_unconditional.yml."""
    return Recipe(config=Config(decay_kimg=CIFAR_KIMG), plan=Plan(total_kimg=CIFAR_KIMG))


def cifar10_classes() -> Recipe:
    """CIFAR-10 32x32 with projection of its ten classes. Source: code, configs/sn_cifar10_conditional.yml."""
    recipe = cifar10()
    return replace(recipe, config=replace(recipe.config, num_classes=10))


def imagenet128() -> Recipe:
    """ImageNet 128x128, 1,000 classes, four GPUs with 16 pictures each. Source: code, configs/sn_projection.yml."""
    config = Config(
        resolution=128,
        num_classes=1000,
        generator_features=64,
        generator_features_max=1024,
        discriminator_features=64,
        discriminator_features_max=1024,
        halvings=5,
        plain_blocks=1,
        score_bias=True,
        hold_kimg=128_000.0,
        decay_kimg=16_000.0,
    )
    return Recipe(config=config, plan=Plan(total_kimg=IMAGENET_KIMG))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, one move each, a higher rate."""
    config = Config(
        latent_size=64,
        generator_features=16,
        generator_features_max=64,
        discriminator_features=16,
        discriminator_features_max=64,
        plain_blocks=1,
        batch_size=32,
        generator_batches=1,
        critic_moves=1,
        lr=1e-3,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024), fitted=True)


def mixtures() -> Recipe:
    """For a laptop: `mixtures:grid25` in minutes on two cores. Not the paper's: narrow, short, 15 times its rate."""
    return Recipe(
        config=replace(POINTS, decay_kimg=MIXTURES_KIMG), plan=Plan(total_kimg=MIXTURES_KIMG, checkpoint_minutes=1.0)
    )
