"""Named runs of OT-GAN. Values that are not named here are the defaults of ``ganvas.models.gan.ot_gan.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.gan.ot_gan import POINTS, Config
from ganvas.train.plan import Plan, Recipe


def small() -> Recipe:
    """For a laptop: 32x32 in half an hour on two cores. Not the paper's: narrow, batches of 128, 100 iterations."""
    config = Config(latent_size=64, features=16, features_max=64, sharpness=100.0, iterations=100, batch_size=128)
    return Recipe(config=config, plan=Plan(total_kimg=400, mirror=True, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:ring8` in minutes on two cores. Not the paper's, whose points have no critic."""
    return Recipe(config=POINTS, plan=Plan(total_kimg=500, checkpoint_minutes=1.0))
