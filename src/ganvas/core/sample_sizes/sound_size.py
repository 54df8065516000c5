"""Sizes of sounds as models set them: samples per second, and samples of one sound."""

from dataclasses import dataclass

from ganvas.core.checks import at_least
from ganvas.core.errors import UserError

SHORTEST = 64  # Samples of a sound that networks make by doubling.


@dataclass(frozen=True, kw_only=True)
class SoundSize:
    """What all sounds of a set are brought to.

    Attributes:
        rate: Samples per second.
        length: Samples of one sound.
        normalise: Every recording is scaled to a peak of 1, as WaveGAN's loader does.
    """

    rate: int
    length: int
    normalise: bool = True

    def __post_init__(self) -> None:
        at_least(self, 1, "rate", "length")

    @property
    def seconds(self) -> float:
        """How long a sound is.

        >>> SoundSize(rate=16000, length=8000).seconds
        0.5
        """
        return self.length / self.rate


def doubled_length(samples: float, most: int) -> int:
    """The least power of two, from 64 on and up to ``most``, that holds so many samples.

    >>> doubled_length(5280, 16384), doubled_length(1, 16384), doubled_length(1e6, 16384)
    (8192, 64, 16384)
    """
    length = SHORTEST
    while length < min(samples, most):
        length *= 2
    return length


def require_doubled(length: int) -> None:
    """That a length is a power of two from 64 on.

    Raises:
        UserError: it is none.
    """
    if length < SHORTEST or length & (length - 1):
        next_one = max(SHORTEST, 1 << max(length, 1).bit_length())
        raise UserError(f"length={length} is no power of two from {SHORTEST} on. The next one is {next_one}.")
