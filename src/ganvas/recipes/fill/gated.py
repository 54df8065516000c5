"""Named runs of free-form inpainting. Values that are not named here are the defaults of
``ganvas.models.fill.gated.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.fill.gated import Config
from ganvas.train.plan import Plan, Recipe

SMALL_KIMG = 40.0


def deepfill_v2() -> Recipe:
    """256x256, sixteen pictures a step. Source: inpaint.yml of the authors' code; 100,000 steps, as others had."""
    return Recipe(config=Config(holes="deepfill"), plan=Plan(total_kimg=1600))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes of one core. Not the paper's: small networks, weaker judge, smooth start."""
    config = Config(
        height=32,
        width=32,
        features=12,
        discriminator_features=16,
        discriminator_layers=4,
        start="smooth",
        known_weight=0.1,
        adversarial_weight=0.005,
        batch_size=8,
        lr=1e-3,
        decay_kimg=SMALL_KIMG,
    )
    return Recipe(config=config.fitted(SMALL_KIMG), plan=Plan(total_kimg=SMALL_KIMG), bound=64, fitted=True)
