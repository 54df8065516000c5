import numpy as np
import pytest
from scipy.signal import resample_poly

from ganvas.data.sound.resampling import resample


def tone(frequency, rate, seconds=0.5):
    return np.sin(2 * np.pi * frequency * np.arange(round(rate * seconds)) / rate)


def decibels(error, signal):
    return 20 * np.log10(np.linalg.norm(error) / np.linalg.norm(signal))


def middle(wave):
    return wave[len(wave) // 4 : -len(wave) // 4]


@pytest.mark.parametrize(("rate", "wanted"), [(8000, 16000), (44100, 16000), (48000, 44100), (11025, 8000)])
def test_a_tone_at_another_rate_is_that_tone_to_90_dB(rate, wanted):
    found = resample(tone(1000, rate), rate, wanted)
    expected = tone(1000, wanted)[: len(found)]
    assert decibels(middle(found[: len(expected)] - expected), middle(expected)) < -90


@pytest.mark.parametrize("frequency", [4010, 5000, 7900])
def test_a_tone_above_the_new_nyquist_frequency_is_gone_and_does_not_fold(frequency):
    before = tone(frequency, 16000)
    assert decibels(middle(resample(before, 16000, 8000)), middle(before)) < -80


def test_a_sound_of_low_frequencies_is_as_scipy_resamples_it():
    rng = np.random.default_rng(0)
    low = sum(tone(f, 44100) * a for f, a in zip(rng.uniform(50, 5000, 9), rng.normal(size=9), strict=True))
    found, expected = resample(low, 44100, 16000), resample_poly(low, 160, 441, window=("kaiser", 10.0))
    assert len(found) == len(expected)
    assert decibels(middle(found - expected), middle(expected)) < -50  # Its own filter has 20 crossings only.


def test_lengths_moments_and_constants_stay():
    assert len(resample(np.zeros(101), 8000, 5000)) == 64
    assert np.array_equal(resample(np.arange(9.0), 8000, 8000), np.arange(9.0))
    assert np.allclose(middle(resample(np.ones(4000), 8000, 11025)), 1, atol=1e-12)
    impulse = np.zeros(400)
    impulse[200] = 1
    assert resample(impulse, 8000, 16000).argmax() == 400
