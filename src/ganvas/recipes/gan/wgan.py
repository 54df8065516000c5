"""Named runs of the Wasserstein GAN. Values that are not named here are the defaults of
``ganvas.models.gan.wgan.Config``, those of the paper and its code (https://github.com/martinarjovsky/WassersteinGAN);
docs/presets.md has every value of every preset."""

from ganvas.models.gan.wgan import POINTS, Config
from ganvas.train.plan import Plan, Recipe

LSUN_KIMG = 75_826.0  # 25 passes over 3,033,042 bedrooms.
MIXTURES_KIMG = 8000.0


def lsun() -> Recipe:
    """64x64 bedrooms of LSUN, 25 passes over its 3,033,042 pictures. Source: the paper's code, main.py."""
    return Recipe(config=Config(), plan=Plan(total_kimg=LSUN_KIMG))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, no bursts, ten times its rate."""
    config = Config(resolution=32, latent_size=64, features=32, burst_first=0, burst_every=0, batch_size=32, lr=5e-4)
    return Recipe(config=config, plan=Plan(total_kimg=200, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:grid25` in minutes on two cores. Not the paper's, which has no points."""
    return Recipe(config=POINTS.fitted(MIXTURES_KIMG), plan=Plan(total_kimg=MIXTURES_KIMG, checkpoint_minutes=1.0))
