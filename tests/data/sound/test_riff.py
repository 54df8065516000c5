import io
import struct
import warnings
import wave

import numpy as np
import pytest
from scipy.io import wavfile

from ganvas.data.sound.riff import BrokenSound, Recording, SampleForm, read_riff, riff_bytes, to_int16, write_wav

STEREO_16 = bytes.fromhex(  # Written out by hand from the standard: two frames of two channels at 8,000 Hz.
    "52494646 2c000000 57415645"
    "666d7420 10000000 0100 0200 401f0000 007d0000 0400 1000"
    "64617461 08000000 0000 ff7f 0080 ffff"
)


def a_recording(form, channels=2, frames=7):
    rng = np.random.default_rng(0)
    if form.dtype.kind == "f":
        samples = rng.normal(size=(frames, channels))
    else:
        half = 2 ** (form.bits - 1)
        shift = half if form is SampleForm.UINT8 else 0
        samples = rng.integers(-half, half, (frames, channels)) + shift
        samples[:2, 0] = [shift - half, shift + half - 1]
    return Recording(samples=samples.astype(form.dtype), rate=11025, form=form)


def test_the_bytes_of_a_file_written_by_hand_are_its_samples_and_are_written_again():
    found = read_riff(STEREO_16)
    assert found.samples.tolist() == [[0, 32767], [-32768, -1]]
    assert (found.rate, found.form) == (8000, SampleForm.INT16)
    assert riff_bytes(found) == STEREO_16


@pytest.mark.parametrize("extensible", [False, True])
@pytest.mark.parametrize("form", list(SampleForm))
def test_writing_and_reading_changes_no_bit(form, extensible):
    recording = a_recording(form)
    again = read_riff(riff_bytes(recording, extensible=extensible))
    assert again.samples.tobytes() == recording.samples.tobytes()
    assert (again.rate, again.form) == (recording.rate, form)


@pytest.mark.parametrize("form", [SampleForm.UINT8, SampleForm.INT16, SampleForm.INT24, SampleForm.INT32])
def test_the_standard_library_reads_what_is_written_and_writes_what_is_read(form):
    recording = a_recording(form)
    with wave.open(io.BytesIO(riff_bytes(recording))) as file:
        assert file.getparams()[:4] == (2, form.bits // 8, 11025, 7)
        raw = file.readframes(7)
    written = io.BytesIO()
    with wave.open(written, "wb") as file:
        file.setparams((2, form.bits // 8, 11025, 7, "NONE", ""))
        file.writeframes(raw)
    assert read_riff(written.getvalue()).samples.tobytes() == recording.samples.tobytes()


@pytest.mark.parametrize("form", [form for form in SampleForm if form is not SampleForm.INT24])
@pytest.mark.parametrize("extensible", [False, True])
def test_scipy_reads_the_same_samples(form, extensible):
    recording = a_recording(form)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Of the chunk "fact".
        rate, samples = wavfile.read(io.BytesIO(riff_bytes(recording, extensible=extensible)))
    assert rate == 11025
    assert samples.dtype.itemsize == form.dtype.itemsize
    assert np.array_equal(samples, recording.samples)


def test_scipy_reads_24_bits_as_the_high_bytes_of_32():
    recording = a_recording(SampleForm.INT24)
    _, samples = wavfile.read(io.BytesIO(riff_bytes(recording)))
    assert np.array_equal(samples >> 8, recording.samples)


def test_integers_become_numbers_in_minus_one_to_one_and_16_bits_come_back_to_the_bit():
    assert a_recording(SampleForm.UINT8).waves()[:2, 0].tolist() == [-1, 127 / 128]
    assert a_recording(SampleForm.INT24).waves()[:2, 0].tolist() == [-1, 1 - 2.0**-23]
    every = np.arange(-32768, 32768)
    recording = Recording(samples=every.astype("<i2")[:, None], rate=8000, form=SampleForm.INT16)
    assert np.array_equal(to_int16(recording.waves()[:, 0]), every)
    assert to_int16(np.array([1.0, -7.0, 0.6 / 32768])).tolist() == [32767, -32768, 1]


def test_unknown_and_odd_chunks_are_passed_over():
    head, data = STEREO_16[:36], STEREO_16[36:]
    odd = b"LIST" + struct.pack("<I", 3) + b"abc\0"
    assert read_riff(head + odd + data + odd).samples.tolist() == [[0, 32767], [-32768, -1]]


@pytest.mark.parametrize("size", [0, 0xFFFFFFFF])
def test_a_length_that_was_never_filled_in_means_to_the_end(size):
    streamed = STEREO_16[:40] + struct.pack("<I", size) + STEREO_16[44:] + b"\7"  # And half a sample.
    assert read_riff(streamed).samples.tolist() == [[0, 32767], [-32768, -1]]


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "no wave file"),
        (b"ID3\x03" + bytes(60), "no wave file"),
        (b"RIFX" + STEREO_16[4:], "high byte first"),
        (STEREO_16[:-1], "promises 8 bytes of samples, and 7 are there"),
        (STEREO_16[:36], "no 'data' chunk"),
        (STEREO_16[:12] + STEREO_16[36:], "before it says what they are"),
        (STEREO_16[:40] + bytes(4), "holds no samples"),
        (STEREO_16[:40] + bytes(4) + b"LIST" + struct.pack("<I", 2) + b"ab", "holds no samples"),
        (STEREO_16[:20] + b"\7\0" + STEREO_16[22:], "mu-law"),
        (STEREO_16[:22] + b"\0\0" + STEREO_16[24:], "0 channels"),
        (STEREO_16[:24] + bytes(4) + STEREO_16[28:], "at 0 samples per second"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(data, reason):
    with pytest.raises(BrokenSound, match=reason):
        read_riff(data)


def test_a_sample_that_is_no_number_is_refused():
    broken = Recording(samples=np.array([[np.nan]], "<f4"), rate=8000, form=SampleForm.FLOAT32)
    with pytest.raises(BrokenSound, match="not a finite number"):
        read_riff(riff_bytes(broken))


def test_a_written_file_is_read_again(tmp_path):
    write_wav(tmp_path / "x.wav", np.array([0.5, -0.25]), 16000)
    assert read_riff((tmp_path / "x.wav").read_bytes()).waves()[:, 0].tolist() == [0.5, -0.25]
