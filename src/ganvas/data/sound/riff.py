"""Wave files (RIFF): reading and writing of 8, 16, 24 and 32 bits and of floating-point numbers of 32 and 64 bits.

What a file holds is read as it is, so that writing it again gives the same samples to the bit. Headers that programs
write otherwise than the standard says are understood: the extensible form, chunks of odd length, chunks that nobody
knows, and the lengths 0 and 2^32 - 1 of a sound that was written before its end was known.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path

import numpy as np
from jaxtyping import Float, Num

from ganvas.core.files.atomic_files import atomic_file
from ganvas.data.encoded.broken_file import BrokenFile

PCM, FLOAT, EXTENSIBLE = 1, 3, 0xFFFE
UNKNOWN_LENGTHS = (0, 0xFFFFFFFF)
LOWEST_RATE, HIGHEST_RATE = 1000, 768_000  # What says less is damage: brought to 16 kHz it would fill any memory.
_KNOWN_BY_NAME = {2: "ADPCM", 6: "A-law", 7: "mu-law", 17: "IMA ADPCM", 85: "MP3"}
_SUBFORMAT_TAIL = bytes.fromhex("0000 0000 1000 8000 00aa 0038 9b71")  # Of every sub-format's GUID, after its number.


class BrokenSound(BrokenFile):
    """A file that is no whole wave file of a form that is read."""


class SampleForm(Enum):
    """How a sample is stored: the number of the format, and bits."""

    UINT8 = (PCM, 8)
    INT16 = (PCM, 16)
    INT24 = (PCM, 24)
    INT32 = (PCM, 32)
    FLOAT32 = (FLOAT, 32)
    FLOAT64 = (FLOAT, 64)

    @property
    def bits(self) -> int:
        return self.value[1]

    @property
    def dtype(self) -> np.dtype:
        """Of samples in memory: 24 bits stand in 32."""
        names = {8: "u1", 16: "<i2", 24: "<i4", 32: "<i4"} if self.value[0] == PCM else {32: "<f4", 64: "<f8"}
        return np.dtype(names[self.bits])


@dataclass(frozen=True, kw_only=True)
class Recording:
    """The samples of a wave file as they are stored: rows are moments, columns are channels."""

    samples: Num[np.ndarray, "frames channels"]
    rate: int  # Samples per second.
    form: SampleForm

    @property
    def seconds(self) -> float:
        return len(self.samples) / self.rate

    def waves(self) -> Float[np.ndarray, "frames channels"]:
        """As numbers in [-1, 1): an integer of b bits divided by 2^(b-1); floating-point numbers as they are."""
        if self.form.value[0] == FLOAT:
            return self.samples.astype(np.float64)
        middle = 128 if self.form is SampleForm.UINT8 else 0
        return (self.samples.astype(np.float64) - middle) / 2.0 ** (self.form.bits - 1)


@dataclass(frozen=True)
class _Format:
    """What the ``fmt`` chunk says."""

    form: SampleForm
    channels: int
    rate: int

    @property
    def frame_bytes(self) -> int:
        return self.channels * self.form.bits // 8


def to_int16(waves: Float[np.ndarray, "..."]) -> Num[np.ndarray, "..."]:
    """Samples in [-1, 1) as 16-bit integers: ``round(32768 x)``, clipped. Undoes ``x / 32768`` to the bit."""
    return np.clip(np.rint(np.asarray(waves, np.float64) * 32768), -32768, 32767).astype("<i2")


def read_riff(data: bytes) -> Recording:
    """The sound in the bytes of a wave file.

    Raises:
        BrokenSound: they are none, are cut short, or hold a form that is not read.
    """
    described: _Format | None = None
    for name, start, size in _chunks(data):
        if name == b"fmt ":
            described = _format(data[start : start + size])
        elif name == b"data":
            if described is None:
                raise BrokenSound("has its samples before it says what they are (no 'fmt ' chunk)")
            return Recording(samples=_samples(data, start, size, described), rate=described.rate, form=described.form)
    raise BrokenSound("has no samples in it (no 'data' chunk)")


def riff_bytes(recording: Recording, *, extensible: bool = False) -> bytes:
    """A wave file of the recording.

    Args:
        extensible: Writes the header of WAVE_FORMAT_EXTENSIBLE, as programs do for 24 bits and many channels.
    """
    samples, form = recording.samples, recording.form
    channels = samples.shape[1]
    number, bits = form.value
    frame = channels * bits // 8
    head = (EXTENSIBLE if extensible else number, channels, recording.rate, recording.rate * frame, frame, bits)
    described = struct.pack("<HHIIHH", *head)
    if extensible:
        described += struct.pack("<HHIH", 22, bits, (1 << channels) - 1, number) + _SUBFORMAT_TAIL
    elif number == FLOAT:
        described += struct.pack("<H", 0)
    count = struct.pack("<I", len(samples))
    fact = _chunk(b"fact", count) if number == FLOAT else b""
    body = b"WAVE" + _chunk(b"fmt ", described) + fact + _chunk(b"data", _stored(samples, form))
    return b"RIFF" + struct.pack("<I", len(body)) + body


def write_wav(path: Path, waves: Float[np.ndarray, " frames"], rate: int) -> None:
    """Writes one channel of samples in [-1, 1) with 16 bits each."""
    recording = Recording(samples=to_int16(waves)[:, None], rate=rate, form=SampleForm.INT16)
    with atomic_file(path) as partial:
        partial.write_bytes(riff_bytes(recording))


def _chunks(data: bytes) -> Iterator[tuple[bytes, int, int]]:
    """Name, first byte and length of every chunk, in order; the last may be said longer than it is."""
    if data[:4] == b"RIFX":
        raise BrokenSound("is a RIFX file, whose numbers have their high byte first; convert it to RIFF")
    if data[:4] not in (b"RIFF", b"RF64") or data[8:12] != b"WAVE":
        raise BrokenSound("is no wave file: it does not begin with RIFF and WAVE")
    at = 12
    while at + 8 <= len(data):
        name, size = data[at : at + 4], int.from_bytes(data[at + 4 : at + 8], "little")
        yield name, at + 8, size
        at += 8 + size + size % 2


def _format(chunk: bytes) -> _Format:
    if len(chunk) < 16:
        raise BrokenSound("is cut short in its header")
    number, channels, rate, _, frame, bits = struct.unpack("<HHIIHH", chunk[:16])
    if number == EXTENSIBLE:
        if len(chunk) < 40 or chunk[26:40] != _SUBFORMAT_TAIL:
            raise BrokenSound("has an extensible header without a sub-format that is known")
        number = int.from_bytes(chunk[24:26], "little")
    if not LOWEST_RATE <= rate <= HIGHEST_RATE or not channels:
        raise BrokenSound(
            f"says that it has {channels} channels at {rate:,} samples per second; {LOWEST_RATE:,} to {HIGHEST_RATE:,} "
            "can be read"
        )
    stored = 8 * frame // channels  # 12 bits, say, stand in 16, with the low ones at 0.
    form = next((form for form in SampleForm if form.value == (number, stored)), None)
    if form is None or not 0 < bits <= stored or frame % channels:
        kind = _KNOWN_BY_NAME.get(number) or f"format {number} with {bits} bits"
        raise BrokenSound(f"is stored as {kind}, which is not read; convert it to 16-bit PCM")
    return _Format(form, channels, rate)


def _samples(data: bytes, start: int, size: int, described: _Format) -> Num[np.ndarray, "frames channels"]:
    there = len(data) - start
    if size in UNKNOWN_LENGTHS:
        size = 0 if size == 0 and _are_chunks(data, start) else there
    elif size > there:
        raise BrokenSound(f"is cut short: its header promises {size:,} bytes of samples, and {there:,} are there")
    frames = size // described.frame_bytes
    if not frames:
        raise BrokenSound("holds no samples")
    raw = np.frombuffer(data, np.uint8, frames * described.frame_bytes, start)
    samples = _wide(raw) if described.form is SampleForm.INT24 else raw.view(described.form.dtype)
    if described.form.dtype.kind == "f" and not np.isfinite(samples).all():
        raise BrokenSound("has a sample that is not a finite number")
    return samples.reshape(frames, described.channels)


def _are_chunks(data: bytes, at: int) -> bool:
    """Whether nothing but whole chunks follows: then a length of 0 means that there are no samples."""
    while at + 8 <= len(data):
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8 + size + size % 2
    return at == len(data)


def _wide(raw: Num[np.ndarray, " bytes"]) -> Num[np.ndarray, " samples"]:
    """Integers of three bytes as integers of four."""
    four = np.zeros((len(raw) // 3, 4), np.uint8)
    four[:, 1:] = raw.reshape(-1, 3)
    return four.view("<i4")[:, 0] >> 8  # The shift carries the sign.


def _stored(samples: Num[np.ndarray, "frames channels"], form: SampleForm) -> bytes:
    whole = np.ascontiguousarray(samples, form.dtype)
    if form is SampleForm.INT24:
        return whole.reshape(-1, 1).view(np.uint8)[:, :3].tobytes()
    return whole.tobytes()


def _chunk(name: bytes, content: bytes) -> bytes:
    return name + struct.pack("<I", len(content)) + content + b"\0" * (len(content) % 2)
