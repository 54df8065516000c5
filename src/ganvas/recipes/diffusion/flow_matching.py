"""Named runs of flow matching. Values that are not named here are the defaults of
``ganvas.models.diffusion.flow_matching.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.diffusion.flow_matching import POINTS, Config
from ganvas.train.plan import Plan, Recipe


def cifar10() -> Recipe:
    """CIFAR-10 32x32, FID 3.5 with its own U-Net. Source: torchcfm, examples/images/cifar10/train_cifar10.py."""
    return Recipe(config=Config(label_dropout=0.0), plan=Plan(total_kimg=51_200, mirror=True))


def small() -> Recipe:
    """For a laptop: 16x16 in minutes on two cores. Not the papers': narrow, one block, fewer steps to draw."""
    config = Config(
        height=16,
        width=16,
        features=24,
        multipliers=(1, 2, 2),
        blocks=1,
        attention=(2,),
        dropout=0.0,
        steps=10,
        batch_size=32,
        lr=2e-3,
        warm_up_kimg=1.0,
        average_half_life_kimg=10.0,
    )
    plan = Plan(total_kimg=60, sample_kimg=10, measure_kimg=20, measure_n=256)
    return Recipe(config=config, plan=plan, bound=16)


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in a minute on two cores. Not the papers'."""
    return Recipe(config=POINTS, plan=Plan(total_kimg=1500, checkpoint_minutes=1.0))
