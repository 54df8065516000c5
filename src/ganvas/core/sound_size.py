"""Sizes of sounds as models set them: samples per second, and samples of one sound."""

from dataclasses import dataclass

from ganvas.core.checks import at_least


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
