"""SpecGAN: a Wasserstein GAN of sound as pictures of its spectrum, from which waves are made again.

Donahue, McAuley, Puckette: Adversarial Audio Synthesis (ICLR 2019), https://arxiv.org/abs/1802.04208. DCGAN's networks
draw the magnitudes of a short-time Fourier transform; phases are found by Griffin and Lim's 16 iterations. By the
inception score it beats WaveGAN; people who listened preferred WaveGAN.

Numbers, layers and transform are those of the authors' code (https://github.com/chrisdonahue/wavegan): 5x5 kernels of
stride 2, no batch norm; 16,384 samples are 128 frames of 128 bins. ``inverse="released"`` makes waves as that code
does; ``"exact"`` with the window of synthesis that undoes the transform, without the buzz.

Departs from the code: the mean and deviation of every bin are those of the first batch, in the place of the whole set;
weights start normal with the variance of Glorot's law, in the place of uniform; what is drawn may be of a running
average of the generator's weights; other lengths have as many bins as frames, or half as many.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from ganvas.core.checks import at_least
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Labels, Latents, Waves
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.games.sound_config import SoundConfig
from ganvas.losses.games.sound_game import Seen, SoundGame
from ganvas.networks.sequences.sound_pair import SoundCritic, SoundGenerator, SoundLayers
from ganvas.nn.sound.log_spectrogram import LogSpectrogram

FIRST = 4  # Bins that the dense layer makes.


@dataclass(frozen=True, kw_only=True)
class Config(SoundConfig):
    """Every setting of the transform, the networks and their game."""

    kernel_size: int = 5
    inverse: Literal["exact", "released"] = "exact"  # How waves are made of spectra.
    iterations: int = 16  # Of Griffin and Lim.

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "iterations")
        at_least(self, 2, "kernel_size")

    @property
    def seen(self) -> tuple[int, int]:
        """Frames and bins."""
        return self.length // self.bins, self.bins

    @property
    def bins(self) -> int:
        """Of a spectrum: as many as frames, or half as many."""
        return 1 << ((self.length.bit_length() - 1) // 2)

    @property
    def layers(self) -> SoundLayers:
        """Of both networks."""
        doublings = (self.bins // FIRST).bit_length() - 1
        frames, bins = self.seen
        first = (FIRST * frames // bins, FIRST)
        return SoundLayers(
            first=first, width=self.width, kernel=(self.kernel_size, self.kernel_size), strides=(2,) * doublings
        )


TINY = Config(rate=8000, length=64, width=2, latent_size=8, iterations=2, critic_moves=2, batch_size=8)


class Model(SoundGame[Config]):
    """The transform, the two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        self.spectrogram = LogSpectrogram(
            config.bins, iterations=config.iterations, released=config.inverse == "released"
        )
        self.generator = SoundGenerator(config.layers, latent_size=config.latent_size)
        self.critic = SoundCritic(config.layers)

    @torch.no_grad()
    def calibrate(self, batch: Sounds) -> None:
        """Finds the mean and deviation of every bin, of the whole batch on every rank."""
        found = self.spectrogram.logarithms(batch.waves).double()
        mean = found.mean((0, 1))
        batch.ranks.average_([mean])
        variance = (found - mean).square().mean((0, 1))
        batch.ranks.average_([variance])
        self.spectrogram.mean.copy_(mean)
        self.spectrogram.deviation.copy_(variance.sqrt().clamp_min(1e-6))

    def inside(self, waves: Waves) -> Seen:
        """As spectrograms."""
        return self.spectrogram(waves)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Waves:
        """The waves of latents."""
        return self.spectrogram.inverse(self.generator(z), length=self.config.length)
