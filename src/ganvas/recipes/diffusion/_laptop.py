"""Runs of diffusion models for a laptop, which differ in the model alone; not presets themselves."""

from dataclasses import replace

from ganvas.losses.diffusion.diffusion_config import DiffusionConfig
from ganvas.train.plan import Plan, Recipe


def small_pictures(config: DiffusionConfig) -> Recipe:
    """16x16 in minutes on two cores: a narrow network, one block a size, few steps to draw."""
    narrow = replace(
        config,
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
    return Recipe(config=narrow, plan=plan, bound=16)


def clouds(config: DiffusionConfig) -> Recipe:
    """`mixtures:ring8` in a minute on two cores, with the model's settings for points."""
    return Recipe(config=config, plan=Plan(total_kimg=1500, checkpoint_minutes=1.0))
