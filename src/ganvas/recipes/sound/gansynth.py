"""Named runs of GANSynth. Values that are not named here are the defaults of
``ganvas.models.sound.gansynth.Config``; docs/presets.md has every value of every preset."""

from ganvas.models.sound.gansynth import Config
from ganvas.train.plan import Plan, Recipe


def nsynth() -> Recipe:
    """Notes of 4 s at 16 kHz, of 61 pitches. Source: the authors' code, mel_prog_hires, but for the mel scale."""
    return Recipe(config=Config(num_classes=61), plan=Plan(total_kimg=11_000))


def small() -> Recipe:
    """Not the paper's: half a second at 8 kHz, narrow networks, a short growth, minutes of one core."""
    config = Config(rate=8000, length=4096, latent_size=32, fmap_base=256, fmap_max=32, batch_size=16, lr=2e-3).fitted(
        60
    )
    return Recipe(config=config, plan=Plan(total_kimg=60, measure_n=256))
