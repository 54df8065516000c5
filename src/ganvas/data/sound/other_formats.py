"""Sounds in other files than wave files: FLAC, Ogg, MP3 and AIFF, by soundfile, which the extra ``sound`` brings.

Where soundfile is not installed such files are not looked for, and are counted among what was passed over.
"""

import importlib
import io
from typing import Any

import numpy as np

from ganvas.data.sound.riff import HIGHEST_RATE, LOWEST_RATE, BrokenSound, Recording, SampleForm, read_riff
from ganvas.data.sources.labels import Sought

WAVE_ENDINGS = frozenset({"wav", "wave"})
OTHER_ENDINGS = frozenset({"flac", "ogg", "oga", "opus", "mp3", "aif", "aiff", "aifc"})
OTHERS_SAID = ".flac, .ogg, .opus, .mp3 or .aiff"
# How samples are read, by what the file says of them: whole numbers stay whole, everything else becomes float32.
_FORMS = {"PCM_S8": SampleForm.INT16, "PCM_U8": SampleForm.INT16, "PCM_16": SampleForm.INT16}
_FORMS |= {"PCM_24": SampleForm.INT32, "PCM_32": SampleForm.INT32, "DOUBLE": SampleForm.FLOAT64}

ANY_SOUNDS = Sought(noun="sounds", endings=WAVE_ENDINGS | OTHER_ENDINGS, said=f".wav, {OTHERS_SAID}")


def sounds_sought() -> Sought:
    """What is read as a sound here: wave files, and others where soundfile is installed."""
    if _soundfile() is not None:
        return ANY_SOUNDS
    said = f".wav, and in {OTHERS_SAID} after pip install 'ganvas[sound]'"
    return Sought(noun="sounds", endings=WAVE_ENDINGS, said=said)


def read_sound(name: str, data: bytes) -> Recording:
    """The sound in the bytes of a file, whose name says what it is.

    Raises:
        BrokenSound: they are none, are cut short, or hold a form that is not read.
    """
    ending = name.rpartition(".")[2].lower()
    return read_riff(data) if ending in WAVE_ENDINGS else _decoded(data, ending)


def _decoded(data: bytes, ending: str) -> Recording:
    soundfile = _soundfile()
    assert soundfile is not None  # Such a file is not sought without it.
    try:
        with soundfile.SoundFile(io.BytesIO(data)) as file:
            form = _FORMS.get(file.subtype, SampleForm.FLOAT32)
            promised, rate = file.frames, file.samplerate
            samples = file.read(dtype=form.name.lower(), always_2d=True)
    except (soundfile.SoundFileError, TypeError) as error:  # TypeError: headerless sounds, which it asks to describe.
        why = str(error).rpartition(": ")[2].rstrip(".")  # Without the address of what it was read from.
        raise BrokenSound(f"cannot be read as {ending} ({why})") from None
    if len(samples) < promised:
        raise BrokenSound(f"is cut short: it promises {promised:,} samples, and {len(samples):,} are there")
    if not len(samples):
        raise BrokenSound("holds no samples")
    if not LOWEST_RATE <= rate <= HIGHEST_RATE:
        raise BrokenSound(f"says {rate:,} samples per second; {LOWEST_RATE:,} to {HIGHEST_RATE:,} can be read")
    if form.dtype.kind == "f" and not np.isfinite(samples).all():
        raise BrokenSound("has a sample that is not a finite number")
    return Recording(samples=samples, rate=rate, form=form)


def _soundfile() -> Any | None:
    try:
        return importlib.import_module("soundfile")
    except (ImportError, OSError):  # OSError: it is there, and the library that it stands on is not.
        return None
