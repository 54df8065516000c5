"""Named runs of adaptive style transfer. Values that are not named here are the defaults of
``ganvas.models.style.adaptive.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.style.adaptive import Config
from ganvas.train.plan import Plan, Recipe


def paintings() -> Recipe:
    """Crops of 768x768, 300,000 steps of one picture. Source: defaults of the authors' main.py."""
    return Recipe(config=Config(), plan=Plan(total_kimg=300, mirror=True))


def small() -> Recipe:
    """For a laptop: 32x32 in some minutes of one core. Not the paper's: small networks, a style may change colours."""
    config = Config(
        height=32,
        width=32,
        features=24,
        halvings=1,
        blocks=3,
        discriminator_features=12,
        discriminator_norm="none",
        scored=(0, 1, 2),
        blurred_weight=1.0,
        blur=4,
        batch_size=4,
        lr=1e-3,
    )
    return Recipe(config=config, plan=Plan(total_kimg=5, measure_n=512), bound=64)  # Longer, it draws one grey.
