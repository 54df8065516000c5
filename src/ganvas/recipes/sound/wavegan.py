"""Named runs of WaveGAN. Values that are not named here are the defaults of ``ganvas.models.sound.wavegan.Config``;
docs/presets.md has every value of every preset."""

from ganvas.models.sound.wavegan import Config
from ganvas.train.plan import Plan, Recipe


def sc09() -> Recipe:
    """Spoken digits of a second at 16 kHz. Source: Donahue et al. 2019, appendix D, and the authors' code."""
    return Recipe(config=Config(), plan=Plan(total_kimg=64_000))


def small() -> Recipe:
    """For a laptop: sounds of 4,096 samples on two cores. Not the paper's: narrow, short, fewer moves of the critic."""
    config = Config(length=4096, width=8, latent_size=64, critic_moves=2, batch_size=32, lr=4e-4)
    return Recipe(config=config, plan=Plan(total_kimg=60, measure_n=256))
