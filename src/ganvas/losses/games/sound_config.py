"""Settings that models of sound share; a model's ``Config`` adds its own."""

from dataclasses import dataclass

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.sound_size import SoundSize, require_doubled


@dataclass(frozen=True, kw_only=True)
class SoundConfig:
    """Of the sounds, of the size of both networks, and of their game. The defaults are those of the paper."""

    rate: int = 16000  # Samples per second. Taken from the data, up to this.
    length: int = 16384  # Samples of a sound, 2^k from 64 on. Taken from the data, up to this.
    normalise: bool = True  # Every recording is scaled to a peak of 1.
    latent_size: int = 100
    width: int = 64  # Feature maps of the largest hidden layer, d in the paper; doubled with every layer to the latent.
    penalty_weight: float = 10.0  # lambda in the paper.
    critic_moves: int = 5  # Of the critic for one of the generator.
    batch_size: int = 64
    lr: float = 1e-4
    beta1: float = 0.5
    beta2: float = 0.9
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator; what samples is their average.

    def __post_init__(self) -> None:
        at_least(self, 1, "latent_size", "width", "critic_moves", "batch_size")
        at_least(self, 0, "penalty_weight")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")
        require_doubled(self.length)
        assert self.sound  # Its making checks the rate.

    @property
    def sound(self) -> SoundSize:
        """The rate and length of the sounds."""
        return SoundSize(rate=self.rate, length=self.length, normalise=self.normalise)
