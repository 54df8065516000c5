import numpy as np
import pytest
import torch

from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.data.sound.notes import Notes
from ganvas.metrics.sound import artefacts
from ganvas.metrics.sound.sound_results import METRICS, SoundSet, nearest, nearest_others, sound_results
from ganvas.nn.sound.mel_levels import mel_levels
from ganvas.nn.sound.stft import hann, inverse_stft, stft

SIZE = SoundSize(rate=8000, length=2048)


def noise(n=8, length=4096, seed=0):
    return 0.1 * np.random.default_rng(seed).normal(size=(n, length))


def test_zeros_between_the_samples_of_a_sound_make_lines_and_the_sound_itself_has_none():
    spread = np.zeros((8, 4096))
    spread[:, ::4] = 1 + noise(length=1024)
    assert artefacts.lines(artefacts.average_powers(spread)) > 5
    alone = [artefacts.lines(artefacts.average_powers(noise(1, seed=seed))) for seed in range(30)]
    assert abs(np.mean(alone)) < 0.5  # A bin of noise is as often above the middle of its neighbours as below.


def test_a_line_is_as_many_decibels_as_the_tone_stands_over_its_neighbours():
    tones = sum(np.sin(2 * np.pi * place / 16 * np.arange(4096)) for place in range(1, 8))
    powers = artefacts.average_powers(noise(64) + 0.1 * tones)
    # Of noise of variance s^2 a bin has (2/sum w)^2 s^2 sum w^2 = 6 s^2 / 1024; of a tone of amplitude a, a^2.
    expected = 10 * np.log10((0.01 + 6 * 0.01 / 1024) / (6 * 0.01 / 1024))
    assert artefacts.lines(powers) == pytest.approx(expected, abs=0.5)


def test_frames_laid_over_each_other_under_the_wrong_window_are_a_comb_of_six_nineteenths():
    window = hann(256, dtype=torch.float64)
    wave = torch.from_numpy(noise(64, 8192))
    buzzing = inverse_stft(stft(wave, window, 128), window, 128, length=8192).numpy()[:, 128:]
    assert artefacts.comb(buzzing, 128) == pytest.approx(6 / 19, abs=0.02)
    assert artefacts.comb(noise(64, 8192), 128) < 0.02
    assert artefacts.comb(buzzing, 96) < 0.02


def test_clicks_clipping_silence_and_offset_are_those_that_were_made():
    waves = np.zeros((2, 800))
    waves[0, 100] = 0.5
    waves[1, 400:] = 1.0
    assert artefacts.clicks(waves).tolist() == [1.0, 1.0]
    assert artefacts.clipped(waves).tolist() == [0, 0.5]
    assert artefacts.silence(waves, 8000).tolist() == [0.9, 0.5]
    assert np.allclose(artefacts.offset(waves), [0.5 / 800, 0.5])


def test_a_louder_spectrum_is_as_many_decibels_away():
    powers = artefacts.average_powers(noise())
    assert artefacts.spectrum_distance(powers * 10, powers) == pytest.approx(10)


def test_a_sine_of_full_scale_has_0_dB_in_its_band_and_silence_has_minus_80():
    wave = torch.sin(2 * torch.pi * 1000 * torch.arange(8192) / 8000)[None]
    levels = mel_levels(wave, 8000)
    assert levels.shape == (1, 64, 64)
    inside = levels[0, :, 8:-8].amax(0)
    assert ((inside > -3.1) & (inside < 2)).all()  # Between two bands it is shared; Hann's lobe is of three bins.
    assert (mel_levels(torch.zeros(1, 8192), 8000) == -80).all()


def test_copies_are_near_to_the_training_sounds_and_one_sound_again_and_again_to_itself():
    real = torch.randn(30, 6, generator=torch.Generator().manual_seed(0))
    assert nearest(real[:5], real).max() == pytest.approx(0, abs=1e-6)
    assert nearest_others(real[:1].expand(4, -1)).max() == 0
    assert nearest_others(torch.tensor([[0.0, 0.0], [3.0, 4.0]])).tolist() == pytest.approx([5 / 2**0.5] * 2)


@pytest.fixture(scope="module")
def notes():
    samples, _ = Notes(rate=8000, length=2048, count=240).select(np.arange(240))
    return samples


def test_real_sounds_beside_real_ones_are_at_the_floor_and_noise_is_not(notes):
    real, other = SoundSet.of(notes[:120], SIZE), SoundSet.of(notes[120:], SIZE)
    floor = {one.metric: one for one in sound_results(other, real, SIZE, seed=0)}
    assert {name.partition(".")[0] for name in floor} == set(METRICS)
    assert floor["ndb"].value < 0.4
    assert floor["spectrum_distance"].value < 3
    static = SoundSet.of(np.random.default_rng(0).integers(-9000, 9000, (120, 2048)).astype(np.int16), SIZE)
    found = {one.metric: one for one in sound_results(static, real, SIZE, seed=0)}
    assert found["ndb"].value > 0.8
    assert found["spectrum_distance"].value > 10 * floor["spectrum_distance"].value
    assert found["train_distance"].value > 3 * floor["train_distance"].value
    assert all(one.protocol.startswith(one.metric.partition(".")[0] + ":8000hz-2048") for one in found.values())
