"""Named runs of the Wasserstein GAN. Values that are not named here are the defaults of
``ganvas.models.gan.wgan.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.gan.wgan import POINTS
from ganvas.train.plan import Plan, Recipe

MIXTURES_KIMG = 8000.0


def mixtures() -> Recipe:
    """For a laptop: `mixtures:grid25` in minutes on two cores. Not the paper's, which has no points."""
    return Recipe(config=POINTS.fitted(MIXTURES_KIMG), plan=Plan(total_kimg=MIXTURES_KIMG, checkpoint_minutes=1.0))
