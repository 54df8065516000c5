"""Notes: procedural sounds of exactly known pitch. The built-in set of sounds.

A note is one of the twelve semitones from middle C up, in equal temperament from A at 440 Hz, as a sum of harmonics at
whole multiples of its frequency that swells and dies away; timbre, loudness and envelope are drawn. It has any length
and any rate, and is a pure function of (seed, index). Sines are those of the machine's mathematical library: another's
could move a sample of 16 bits by one step, once in thousands of millions.
"""

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float64, Int16, Int64

from ganvas.core.errors import UserError
from ganvas.data.points.law import uniforms
from ganvas.data.sound.riff import to_int16

PITCH_NAMES = ("C4", "C#4", "D4", "D#4", "E4", "F4", "F#4", "G4", "G#4", "A4", "A#4", "B4")
CONCERT_PITCH, CONCERT_PLACE = 440.0, 9  # Of A4: its frequency, and its place among the names.
HARMONICS = 8
HIGHEST = 0.45  # Of the rate: harmonics above it are left out, so that nothing folds.
SHORTEST = 16  # Samples.

NoteRows = Int16[np.ndarray, "n samples"]


@dataclass(frozen=True, kw_only=True)
class Notes:
    """``count`` notes of one length and rate.

    >>> waves, pitches = Notes(length=4096, rate=8000, count=100, seed=1).select(np.array([7, 8]))
    >>> waves.shape, [PITCH_NAMES[pitch] for pitch in pitches]
    ((2, 4096), ['A#4', 'G#4'])
    """

    length: int = 16384
    rate: int = 16000
    count: int = 12000
    seed: int = 0

    def __post_init__(self) -> None:
        if self.length < SHORTEST or self.count < 1 or self.rate < 1:
            raise UserError(
                f"{self.count} notes of {self.length} samples at {self.rate} Hz cannot be made. There is at least one, "
                f"of {SHORTEST} samples or more."
            )
        if frequency_of(len(PITCH_NAMES) - 1) > HIGHEST * self.rate:
            raise UserError(f"Notes up to {frequency_of(11):.0f} Hz need a rate of 1,100 or more, not {self.rate}.")

    def select(self, indices: Int64[np.ndarray, " n"]) -> tuple[NoteRows, Int64[np.ndarray, " n"]]:
        """Some of the notes, and their places in ``PITCH_NAMES``."""
        dice = uniforms(self.seed, indices)
        pitch = np.floor(dice() * len(PITCH_NAMES)).astype(np.int64)
        time = np.arange(self.length) / self.rate
        tone = self._tone(pitch, time, [dice() for _ in range(HARMONICS + 2)])
        attack, halving, loudness = (low + (high - low) * dice()[:, None] for low, high in _ENVELOPE)
        along = np.arange(self.length) / self.length
        envelope = -np.expm1(-along / attack) * 2.0 ** (-along / halving)
        return to_int16(loudness * envelope * tone), pitch

    def _tone(
        self, pitch: Int64[np.ndarray, " n"], time: Float64[np.ndarray, " samples"], drawn: list[np.ndarray]
    ) -> Float64[np.ndarray, "n samples"]:
        """Harmonics whose amplitudes fall as a power of their number, the even ones weaker; at most 1."""
        *phases, falling, even = drawn
        frequency = CONCERT_PITCH * 2.0 ** ((pitch - CONCERT_PLACE) / 12)
        total, tone = np.zeros((len(pitch), 1)), np.zeros((len(pitch), len(time)))
        for number, phase in enumerate(phases, 1):
            amplitude = float(number) ** -(0.8 + 1.7 * falling) * (even if number % 2 == 0 else 1.0)
            amplitude = np.where(number * frequency < HIGHEST * self.rate, amplitude, 0.0)[:, None]
            turns = number * frequency[:, None] * time + phase[:, None]
            tone += amplitude * np.sin(2 * np.pi * (turns % 1))
            total += amplitude
        return tone / total


_ENVELOPE = ((0.005, 0.05), (0.1, 0.6), (0.3, 0.95))  # Attack and halving in shares of the length, and loudness.


def frequency_of(pitch: int) -> float:
    """In hertz, of a place in ``PITCH_NAMES``.

    >>> frequency_of(9), round(frequency_of(0), 2)
    (440.0, 261.63)
    """
    return CONCERT_PITCH * 2.0 ** ((pitch - CONCERT_PLACE) / 12)
