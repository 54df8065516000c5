"""WaveGAN: a Wasserstein GAN of raw sound, whose convolutions have one dimension and 25 taps.

Donahue, McAuley, Puckette: Adversarial Audio Synthesis (ICLR 2019), https://arxiv.org/abs/1802.04208. DCGAN's 5x5
kernels of stride 2 become 25 taps of stride 4. Inserting zeros leaves lines of sound at fixed frequencies and phases,
by which a critic would know every fake; phase shuffle (section 3.3) takes the phase from it. A long filter behind the
generator may learn to take the lines away. The game is that of WGAN-GP.

Numbers and layers are those of the authors' code, version 2 (https://github.com/chrisdonahue/wavegan): no batch norm, a
ReLU behind the dense layer, shuffling in every pass of the critic anew, one shift for a whole batch. Sounds of 16,384,
32,768 and 65,536 samples have its layers; shorter ones have fewer.

Departs from the code: weights start normal with the variance of Glorot's law, in the place of uniform; verdicts outside
of training are without shuffling; what is drawn may be of a running average of the generator's weights.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from torch import nn

from ganvas.core.checks import at_least
from ganvas.core.errors import UserError
from ganvas.core.schedule import Stage
from ganvas.core.shapes import Labels, Latents, PerSample, Waves
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.losses.games.sound_config import SoundConfig
from ganvas.losses.games.sound_game import Seen, SoundGame
from ganvas.networks.sequences.sound_pair import SameFilter, SoundCritic, SoundGenerator, SoundLayers
from ganvas.nn.sound.phase_shuffle import drawn_shifts

FIRST = 16  # Samples that the dense layer makes.
STRIDE = 4  # Of every layer, but of the last of a length that is no multiple of a power of 4: it has 2.


@dataclass(frozen=True, kw_only=True)
class Config(SoundConfig):
    """Every setting of the networks and their game."""

    kernel_size: int = 25
    phase_shuffle: int = 2  # Samples that the critic's layers are shifted by at most, n in the paper; 0 for none.
    post_filter: int = 0  # Taps of a filter behind the generator, 512 in the paper; 0 for none.

    def __post_init__(self) -> None:
        super().__post_init__()
        at_least(self, 0, "phase_shuffle", "post_filter")
        at_least(self, STRIDE, "kernel_size")
        if self.phase_shuffle >= FIRST * STRIDE:
            raise UserError(
                f"phase_shuffle={self.phase_shuffle} shifts the shortest layer out of itself. Give less than "
                f"{FIRST * STRIDE}."
            )

    @property
    def seen(self) -> tuple[int, int]:
        """One row of samples."""
        return 1, self.length

    @property
    def layers(self) -> SoundLayers:
        """Of both networks."""
        doublings = (self.length // FIRST).bit_length() - 1
        strides = (STRIDE,) * (doublings // 2) + (2,) * (doublings % 2)
        return SoundLayers(first=(1, FIRST), width=self.width, kernel=(1, self.kernel_size), strides=strides)


TINY = Config(rate=8000, length=256, width=2, latent_size=8, critic_moves=2, batch_size=8)


class Model(SoundGame[Config]):
    """The two networks and their game."""

    def __init__(self, config: Config) -> None:
        super().__init__(config)
        layers = [SoundGenerator(config.layers, latent_size=config.latent_size)]
        filters = [SameFilter(config.post_filter)] if config.post_filter else []
        self.generator = nn.Sequential(*layers, *filters)
        self.critic = SoundCritic(config.layers)

    def inside(self, waves: Waves) -> Seen:
        """As pictures of one row."""
        return waves[:, None, None]

    def one_pass(self, batch: Sounds) -> Callable[[Seen], PerSample]:
        """With shifts of its own: the same for the whole batch, on every rank."""
        uniform = batch.whole_rand(len(self.config.layers.strides) - 1)[0]
        return partial(self.critic, shifts=drawn_shifts(uniform, self.config.phase_shuffle))

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> Waves:
        """The sounds of latents."""
        return self.generator(z)[:, 0, 0]
