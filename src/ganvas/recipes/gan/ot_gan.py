"""Named runs of OT-GAN. The authors' average of 0.999 is one of runs of a hundred thousand moves: a few thousand forget
their start with 0.99. Values that are not named here are the defaults of
``ganvas.models.gan.ot_gan.Config``; docs/presets.md has every value of every preset."""

from dataclasses import replace

from ganvas.models.gan.ot_gan import POINTS, Config
from ganvas.train.plan import Plan, Recipe

MIXTURES_KIMG = 1500.0


def small() -> Recipe:
    """For a laptop: 32x32 in half an hour on two cores. Not the paper's: narrow, batches of 128, 100 iterations."""
    config = Config(
        latent_size=64,
        features=16,
        features_max=64,
        sharpness=100.0,
        iterations=100,
        batch_size=128,
        average_decay=0.99,
    )
    return Recipe(config=config, plan=Plan(total_kimg=400, mirror=True, measure_n=1024))


def mixtures() -> Recipe:
    """For a laptop: `mixtures:grid25` in two minutes on two cores. Not the paper's: no critic, small batches."""
    config = replace(POINTS, critic=False, batch_size=128, iterations=10, decay_kimg=MIXTURES_KIMG)
    return Recipe(config=config, plan=Plan(total_kimg=MIXTURES_KIMG, checkpoint_minutes=1.0))
