"""Named runs of SpecGAN. Values that are not named here are the defaults of ``ganvas.models.sound.specgan.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.sound.specgan import Config
from ganvas.train.plan import Plan, Recipe


def sc09() -> Recipe:
    """Spoken digits of a second at 16 kHz, inverted exactly. Source: Donahue et al. 2019 and the authors' code."""
    return Recipe(config=Config(), plan=Plan(total_kimg=18_560))


def small() -> Recipe:
    """For a laptop: sounds of 4,096 samples on two cores. Not the paper's: narrow, short, fewer moves of the critic."""
    config = Config(length=4096, width=16, latent_size=64, critic_moves=2, batch_size=32, lr=4e-4)
    return Recipe(config=config, plan=Plan(total_kimg=60, measure_n=256))
