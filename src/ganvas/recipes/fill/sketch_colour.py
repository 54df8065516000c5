"""Named runs of editing by sketch and colour. Values that are not named here are the defaults of
``ganvas.models.fill.sketch_colour.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.fill.sketch_colour import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes of one core. Not the paper's: three halvings, small networks."""
    config = Config(
        height=32,
        width=32,
        halvings=3,
        features=16,
        dilations=(2,),
        noise_deviation=0.1,
        discriminator_features=16,
        discriminator_layers=4,
        adversarial_weight=0.01,
        hole_weight=6.0,
        variation_weight=0.0,
        batch_size=16,
        lr=1e-3,
    )
    return Recipe(config=config, plan=Plan(total_kimg=60), bound=64)
