"""Named runs of EdgeConnect. Values that are not named here are the defaults of
``ganvas.models.fill.edges.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.fill.edges import Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in minutes of one core. Not the paper's: small networks, faster rates."""
    config = Config(
        height=32,
        width=32,
        blocks=3,
        features=16,
        discriminator_features=16,
        discriminator_halvings=2,
        adversarial_weight=0.02,
        batch_size=16,
        lr=1e-3,
        beta1=0.5,
        beta2=0.999,
    )
    return Recipe(config=config, plan=Plan(total_kimg=40), bound=64)
