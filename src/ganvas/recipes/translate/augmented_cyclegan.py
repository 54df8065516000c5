"""Named runs of Augmented CycleGAN. Values that are not named here are the defaults of
``ganvas.models.translate.augmented_cyclegan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.translate.augmented_cyclegan import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: small networks, four pictures a step."""
    config = Config(
        height=32,
        width=32,
        latent_size=8,
        features=16,
        discriminator_features=24,
        cycle_weight=10.0,
        latent_weight=0.25,
        batch_size=4,
        lr=1e-3,
        hold_kimg=10,
        decay_kimg=10,
    )
    return Recipe(config=config, plan=Plan(total_kimg=20, measure_n=512), fitted=True, bound=64)
