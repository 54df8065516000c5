"""Named runs of MUNIT. Values that are not named here are the defaults of
``ganvas.models.translate.munit.Config``; docs/presets.md has every value of every preset."""

import dataclasses

from ganvas.models.translate.munit import Config
from ganvas.train.plan import Plan, Recipe


def edges2handbags() -> Recipe:
    """256x256, a million steps of one picture. Source: the authors' configs/edges2handbags_folder.yaml."""
    return Recipe(config=Config(), plan=Plan(total_kimg=1000, mirror=True))


def summer2winter() -> Recipe:
    """With the cycle of pictures. Source: the authors' configs/summer2winter_yosemite256_folder.yaml."""
    recipe = edges2handbags()
    return dataclasses.replace(recipe, config=dataclasses.replace(recipe.config, cycle_weight=10.0))


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: small networks, four pictures a step."""
    config = Config(
        height=32,
        width=32,
        features=12,
        style_halvings=3,
        style_size=2,  # Eight were not found again after minutes: r 0.5 in the gate.
        blocks=2,
        hidden=64,
        discriminator_features=16,
        discriminator_layers=2,
        discriminator_sizes=2,
        cycle_weight=10.0,
        batch_size=4,
        lr=5e-4,
        decay_kimg=10,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=512), bound=64)  # Fitted, it would halve ten times.
