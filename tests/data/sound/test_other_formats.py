"""Sounds that are no wave files: what soundfile decodes, and what is said without it."""

import importlib
import importlib.util
import io
import sys

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.sound.opening_sounds import is_sounds, open_sounds
from ganvas.data.sound.other_formats import read_sound
from ganvas.data.sound.riff import BrokenSound

needs_soundfile = pytest.mark.skipif(importlib.util.find_spec("soundfile") is None, reason="soundfile is not installed")
TONE = np.rint(9000 * np.sin(np.arange(4000) * 0.3)).astype(np.int16)


def encoded(samples, form, **how):
    file = io.BytesIO()
    importlib.import_module("soundfile").write(file, samples, 8000, format=form, **how)
    return file.getvalue()


@needs_soundfile
@pytest.mark.parametrize("form", ["FLAC", "AIFF"])
def test_formats_without_loss_give_the_samples_that_were_written(form):
    stereo = np.stack([TONE, TONE[::-1]], 1)
    found = read_sound(f"a.{form}", encoded(stereo, form, subtype="PCM_16"))
    assert (found.rate, found.samples.dtype) == (8000, np.int16)
    assert np.array_equal(found.samples, stereo)
    deep = read_sound(f"a.{form}", encoded(TONE.astype(np.int32) << 16, form, subtype="PCM_24"))
    assert np.array_equal(deep.waves()[:, 0], TONE / 32768)


@needs_soundfile
@pytest.mark.parametrize(("form", "ending"), [("OGG", "ogg"), ("MP3", "mp3")])
def test_formats_with_loss_give_nearly_the_tone(form, ending):
    waves = read_sound(f"a.{ending}", encoded(TONE, form)).waves()[:, 0]
    middle = slice(1000, 3000)  # Both begin and end with what their windows need.
    tone = np.fft.rfft(waves[middle] * np.hanning(2000))
    assert np.abs(tone).argmax() == round(0.3 * 2000 / (2 * np.pi))


@needs_soundfile
def test_what_cannot_be_decoded_is_broken():
    whole = encoded(np.random.default_rng(0).integers(-9000, 9000, 20000).astype(np.int16), "FLAC")
    for data in (b"", b"RIFF" + bytes(40), whole[: len(whole) // 2]):
        with pytest.raises(BrokenSound, match=r"cannot be read as flac|is cut short|holds no samples"):
            read_sound("a.flac", data)
    with pytest.raises(BrokenSound, match=r"holds no samples|cannot be read as aiff \(\w"):
        read_sound("a.aiff", encoded(TONE[:0], "AIFF"))


@needs_soundfile
def test_a_folder_of_both_is_one_set(write):
    folder = write("a.wav", TONE)
    (folder / "b.FLAC").write_bytes(encoded(TONE, "FLAC"))
    found = open_sounds(str(folder)).survey(quiet=True)
    assert (found.count, found.rates, found.passed_over) == (2, {8000: 2}, {})


def test_without_soundfile_others_are_passed_over_and_it_is_said_what_reads_them(tmp_path, write, monkeypatch):
    monkeypatch.setitem(sys.modules, "soundfile", None)
    folder = write("a.wav", TONE)
    (folder / "b.flac").write_bytes(b"fLaC")
    found = open_sounds(str(folder)).survey(quiet=True)
    assert (found.count, found.passed_over) == (1, {".flac": 1})
    alone = tmp_path / "alone"
    alone.mkdir()
    (alone / "b.flac").write_bytes(b"fLaC")
    assert is_sounds(str(alone))
    with pytest.raises(UserError, match=r"has no sounds in it.*pip install 'ganvas\[sound\]'"):
        open_sounds(str(alone))
