"""Recordings brought to one rate and length: what that does to them, and what is said of it."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from jaxtyping import Float, Int16

from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.data.sound.resampling import resample
from ganvas.data.sound.riff import Recording, to_int16

SILENT = 2 / 32768  # A sound whose samples lie within two steps of 16 bits is silence.
WHOLE_SHARE = 0.5  # Of a length: a shorter rest of a recording that was cut is left out.
MIXED_AT_ONCE = 1 << 20

Wave = Float[np.ndarray, " samples"]
Piece = Float[np.ndarray, " piece"]


@dataclass
class Treatment:
    """Counts of what was done to recordings, and of what was left out."""

    recordings: int = 0
    mixed: int = 0
    resampled: Counter[int] = field(default_factory=Counter)  # By the rate that they had.
    padded: int = 0
    cut: int = 0
    silent: list[str] = field(default_factory=list)  # Names of recordings that are silence throughout.
    silent_pieces: int = 0  # Of recordings that are not.
    broken: list[list[str]] = field(default_factory=list)  # Name, and why it cannot be read; in no other count.

    def to_plain(self) -> dict[str, Any]:
        """For a manifest."""
        resampled = {str(rate): count for rate, count in sorted(self.resampled.items())}
        return vars(self) | {"resampled": resampled}

    def fitted(self, name: str, recording: Recording, size: SoundSize) -> Int16[np.ndarray, "pieces samples"]:
        """A recording as pieces of the size, and a note of how it became them.

        Channels are averaged, then the rate changes, then the whole is scaled. A shorter recording is padded with zeros
        at its end; a longer one is cut into pieces one after the other, a rest of less than half a piece left out.
        """
        self.recordings += 1
        self.mixed += recording.samples.shape[1] > 1
        wave = mixed(recording)
        if np.ptp(wave) <= SILENT:
            self.silent.append(name)
            return np.empty((0, size.length), np.int16)
        if recording.rate != size.rate:
            self.resampled[recording.rate] += 1
            wave = resample(wave, recording.rate, size.rate)
        if size.normalise:
            wave = wave / np.abs(wave).max()
        self.padded += len(wave) < size.length
        self.cut += len(wave) > size.length
        found = pieces(wave, size.length)
        loud = [to_int16(piece) for piece in found if np.ptp(piece) > SILENT]
        self.silent_pieces += len(found) - len(loud)
        return np.stack(loud) if loud else np.empty((0, size.length), np.int16)


def mixed(recording: Recording) -> Wave:
    """The mean of the channels."""
    samples, channels = recording.samples, recording.samples.shape[1]
    if channels == 1:
        return recording.waves()[:, 0]
    out = np.empty(len(samples))
    for start in range(0, len(samples), MIXED_AT_ONCE):
        part = Recording(samples=samples[start : start + MIXED_AT_ONCE], rate=recording.rate, form=recording.form)
        out[start : start + MIXED_AT_ONCE] = part.waves().mean(1)
    return out


def pieces(wave: Wave, length: int) -> list[Piece]:
    """The wave in pieces of a length, the last padded with zeros; its rest is left out where it is short."""
    cut = [wave[start : start + length] for start in range(0, len(wave), length)]
    kept = [piece for place, piece in enumerate(cut) if place == 0 or len(piece) >= WHOLE_SHARE * length]
    return [np.pad(piece, (0, length - len(piece))) for piece in kept]


def treatment_sentence(done: dict[str, Any], size: SoundSize) -> str:
    """What was done, in a sentence for the person; empty where nothing was.

    >>> done = Treatment(recordings=3, mixed=1, padded=2).to_plain()
    >>> treatment_sentence(done, SoundSize(rate=8000, length=4096))
    'Of 3 recordings, 1 with several channels was mixed to one; 2 shorter than 0.512 s were padded with silence.'
    """
    parts = []
    if done["mixed"]:
        parts.append(f"{_were(done['mixed'], ' with several channels')} mixed to one")
    for rate, count in done["resampled"].items():
        parts.append(f"{_were(count, f' at {int(rate):,} Hz')} resampled to {size.rate:,} Hz")
    if done["padded"]:
        parts.append(f"{_were(done['padded'], f' shorter than {size.seconds:.3g} s')} padded with silence")
    if done["cut"]:
        parts.append(f"{_were(done['cut'], '')} cut into pieces of {size.seconds:.3g} s")
    if done["silent"]:
        names = ", ".join(done["silent"][:3]) + (", ..." if len(done["silent"]) > 3 else "")
        parts.append(f"{_were(len(done['silent']), '')} left out, being silent ({names})")
    if done["silent_pieces"]:
        parts.append(f"{done['silent_pieces']:,} silent pieces of others were left out")
    if done["broken"]:
        parts.append(f"{_were(len(done['broken']), ' more that cannot be read')} left out")
    return f"Of {done['recordings']:,} recordings, {'; '.join(parts)}." if parts else ""


def _were(count: int, which: str) -> str:
    return f"{count:,}{which} {'was' if count == 1 else 'were'}"
