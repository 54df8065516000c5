"""Named runs of the progressive GAN, each with the source of its settings.

"v1" is the authors' Theano release (branch original-theano-version, config.py), which made the paper's tables; "v2" is
their TensorFlow release (config.py); both at https://github.com/tkarras/progressive_growing_of_gans. Values that are
not named here are the defaults of ``ganvas.models.gan.progan.Config``. docs/presets.md has every value of every preset.
"""

from dataclasses import replace
from typing import Any

from ganvas.models.gan.progan import Config
from ganvas.train.plan import Plan, Recipe

# What v1 has everywhere: the minibatch statistic over the whole batch, the activation before the pooling.
V1: dict[str, Any] = {"group_size": None, "pool_before_activation": False}


def celeba_hq_v1() -> Recipe:
    """CelebA-HQ 1024x1024 as in the paper. Source: v1, section 6.3 of the paper and appendix A.1."""
    config = Config(
        resolution=1024,
        train_kimg=800,
        fade_kimg=800,
        batch_size=16,
        batch_size_at={256: 14, 512: 6, 1024: 3},
        rampup_kimg=40,
        **V1,
    )
    return Recipe(config=config, plan=Plan(total_kimg=19000, mirror=True))


def celeba_hq_v2() -> Recipe:
    """CelebA-HQ 1024x1024, larger batches. Source: v2, preset-v2-1gpu."""
    config = Config(
        resolution=1024,
        batch_size=4,
        batch_size_at={4: 128, 8: 128, 16: 128, 32: 64, 64: 32, 128: 16, 256: 8, 512: 4},
        lr_at={1024: 0.0015},
    )
    return Recipe(config=config, plan=Plan(total_kimg=12000, mirror=True))


def celeba_hq_v2_8gpu() -> Recipe:
    """CelebA-HQ 1024x1024 for eight processes. Source: v2, preset-v2-8gpus."""
    config = Config(
        resolution=1024,
        batch_size=32,
        batch_size_at={4: 512, 8: 256, 16: 128, 32: 64, 64: 32},
        lr_at={128: 0.0015, 256: 0.002, 512: 0.003, 1024: 0.003},
    )
    return Recipe(config=config, plan=Plan(total_kimg=12000, mirror=True))


def cifar10() -> Recipe:
    """CIFAR-10 32x32, unconditional (published inception score 8.80 at best). Source: v1, section 6.5 of the paper."""
    config = Config(
        resolution=32,
        latent_size=128,
        fmap_base=4096,
        fmap_max=128,
        train_kimg=400,
        fade_kimg=400,
        batch_size=16,
        joint=True,
        penalty_target=750,
        **V1,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20000))


def cifar10_fast() -> Recipe:
    """As cifar10, but 4x the batch, 2x the rate, a quarter of the growth, 5,000 kimg, v2's pooling. Not the paper's."""
    recipe = cifar10()
    config = replace(
        recipe.config,
        batch_size=64,
        lr=2e-3,
        train_kimg=100,
        fade_kimg=100,
        group_size=16,
        pool_before_activation=True,
        average_decay=0.999**4,
    )
    return Recipe(config=config, plan=replace(recipe.plan, total_kimg=5000))


def table1_a() -> Recipe:
    """Table 1 row a: Gulrajani et al. 2017, no growing. Source: v1, section 6.1, config 0."""
    config = replace(table1_b().config, first_resolution=128, train_kimg=0, fade_kimg=0)
    return Recipe(config=config, plan=_table1())


def table1_b() -> Recipe:
    """Table 1 row b: a with progressive growing. Source: v1, section 6.1, config 1."""
    config = replace(
        table1_d().config,
        n_critic=5,
        beta2=0.9,
        batch_size=64,
        average_decay=0.999**20,
        latent_size=128,
        normalize_latents=False,
        generator_slope=0.0,
        generator_norm="batch",
        tanh=True,
        discriminator_norm="layer",
        drift_weight=0.0,
    )
    return Recipe(config=config, plan=_table1())


def table1_c() -> Recipe:
    """Table 1 row c: b with a batch of 16 instead of 64. Source: v1, section 6.1, config 2."""
    return Recipe(config=replace(table1_b().config, batch_size=16, average_decay=0.999**5), plan=_table1())


def table1_d() -> Recipe:
    """Table 1 row d: revised training parameters. Source: v1, section 6.1, config 3."""
    return Recipe(config=replace(table1_e().config, minibatch_statistic="none"), plan=_table1())


def table1_e_star() -> Recipe:
    """Table 1 row e*: d with minibatch discrimination. Source: v1, section 6.1, config 5."""
    config = replace(table1_e().config, minibatch_statistic="discrimination", discrimination_kernels=100)
    return Recipe(config=config, plan=_table1())


def table1_e() -> Recipe:
    """Table 1 row e: d with minibatch standard deviation. Source: v1, section 6.1, config 4."""
    return Recipe(config=replace(table1_f().config, equalized=False, lr=1e-4), plan=_table1())


def table1_f() -> Recipe:
    """Table 1 row f: e with equalised learning rate. Source: v1, section 6.1, config 6."""
    return Recipe(config=replace(table1_g().config, pixel_norm=False), plan=_table1())


def table1_g() -> Recipe:
    """Table 1 row g: f with pixelwise normalisation. Source: v1, section 6.1, config 7."""
    config = Config(resolution=128, fmap_base=2048, train_kimg=800, fade_kimg=800, batch_size=16, **V1)
    return Recipe(config=config, plan=_table1())


def table1_h() -> Recipe:
    """Table 1 row h: g at full width, trained on. Source: section 6.1 of the paper; its length is not published."""
    return Recipe(config=replace(table1_g().config, fmap_base=8192), plan=replace(_table1(), total_kimg=20000))


def mnist_1k_k2() -> Recipe:
    """Appendix E: 1,000 modes of stacked digits, discriminator of half the channels. Source: v1, K=2, WGAN-GP alone."""
    return _mnist_1k(2)


def mnist_1k() -> Recipe:
    """Appendix E: 1,000 modes of stacked digits, discriminator of a quarter of the channels. Source: v1, K=4."""
    return _mnist_1k(4)


def mnist_1k_progressive() -> Recipe:
    """Appendix E with everything of the paper: norms, statistic and growth. Source: v1, K=4, '-progression'."""
    config = replace(
        _mnist_1k(4).config,
        generator_norm="none",
        discriminator_norm="none",
        pixel_norm=True,
        equalized=True,
        minibatch_statistic="stddev",
        first_resolution=4,
        train_kimg=500,
        fade_kimg=2000,
        lr=1e-3,
    )
    return Recipe(config=config, plan=Plan(total_kimg=15000))


def small() -> Recipe:
    """For a laptop: up to 64 pixels in minutes on two cores. Not the paper's: narrow, short, small batches, a decay.

    The game is the paper's. What is not, beside its CIFAR-10 (``cifar10``): 24 feature maps at 32x32 and 32 below,
    where it has 128; a latent of 64; a batch of 4, so that both players move more often in the same time; four times
    the learning rate, which falls to a twentieth on a line over the second half of the run; growth in the first fifth
    of the run; an average with a memory of some hundred steps; one player after the other, and the slope held at 1
    and not at 750. docs/decisions/0016-the-demo-moves-often.md has the search.
    """
    config = Config(
        resolution=32,
        latent_size=64,
        fmap_base=384,
        fmap_max=32,
        train_kimg=4 / 3,
        fade_kimg=4 / 3,
        grown=0.2,
        batch_size=4,
        lr=4e-3,
        hold_kimg=20,
        decay_kimg=20,
        end_share=0.05,
        average_decay=0.998,
    )
    plan = Plan(total_kimg=40, measure_n=1024)
    return Recipe(config=config, plan=plan, fitted=True, bound=64)


def cifar10_laptop() -> Recipe:
    """For a laptop: CIFAR-10 in half an hour on one core. Not the paper's: as ``small``, but wider, and mirrored.

    Beside ``small``, whose departures from the paper's CIFAR-10 it shares: 32 feature maps at 32x32 and 48 below, where
    the paper has 128; the paper's latent of 128; batches of 8; a rate five times the paper's; every picture mirrored
    half of the time, which the paper does not do here; 44,000 pictures.
    """
    recipe = small()
    plan = replace(recipe.plan, total_kimg=44, mirror=True)
    config = replace(recipe.config, latent_size=128, fmap_base=512, fmap_max=48, batch_size=8, lr=5e-3)
    return replace(recipe, config=config.fitted(plan.total_kimg), plan=plan)


def small_fast() -> Recipe:
    """As small, but a third as long: for a first look."""
    recipe = small()
    plan = replace(recipe.plan, total_kimg=14)
    return replace(recipe, config=recipe.config.fitted(plan.total_kimg), plan=plan)


def _table1() -> Plan:
    return Plan(total_kimg=10000, mirror=True)


def _mnist_1k(divisor: int) -> Recipe:
    config = Config(
        template="mode-recovery",
        resolution=32,
        latent_size=64,
        fmap_base=64,
        fmap_max=256,
        discriminator_divisor=divisor,
        pixel_norm=False,
        equalized=False,
        generator_slope=0.3,
        generator_norm="batch",
        discriminator_norm="batch",
        minibatch_statistic="none",
        tanh=True,
        first_resolution=32,
        train_kimg=0,
        fade_kimg=0,
        batch_size=64,
        n_critic=5,
        drift_weight=0.0,
        rampup_kimg=40,
        **V1,
    )
    return Recipe(config=config, plan=Plan(total_kimg=10000))
