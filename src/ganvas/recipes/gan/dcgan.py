"""Named runs of DCGAN. Values that are not named here are the defaults of ``ganvas.models.gan.dcgan.Config``, which are
the paper's (https://arxiv.org/abs/1511.06434); docs/presets.md has every value of every preset."""

from ganvas.models.gan.dcgan import Config
from ganvas.train.plan import Plan, Recipe


def paper() -> Recipe:
    """64x64 bedrooms of LSUN, one pass over its 3,033,042 pictures. Source: sections 4 and 4.1 of the paper."""
    return Recipe(config=Config(), plan=Plan(total_kimg=3033))


def pytorch_example() -> Recipe:
    """64x64, half the width, normal latents, 5 passes over 200,000 faces. Source: dcgan_faces_tutorial of PyTorch."""
    config = Config(features=64, features_max=512, prior="normal")
    return Recipe(config=config, plan=Plan(total_kimg=1013))


def small() -> Recipe:
    """For a laptop: 32x32 in minutes on two cores. Not the paper's: narrow, short, batches of 32, a higher rate."""
    config = Config(resolution=32, latent_size=64, prior="normal", features=32, batch_size=32, lr=5e-4)
    return Recipe(config=config, plan=Plan(total_kimg=100, measure_n=1024))
