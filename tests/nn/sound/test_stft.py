import numpy as np
import pytest
import scipy.signal
import torch

from ganvas.nn.sound.griffin_lim import griffin_lim, spectral_convergence
from ganvas.nn.sound.mel import mel_weights
from ganvas.nn.sound.stft import hann, inverse_stft, stft, synthesis_window

pytestmark = pytest.mark.usefixtures("float64")
SIZE, HOP = 256, 128


def waves(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


def window():
    return hann(SIZE, dtype=torch.float64)


def snr(found, wave):
    return float(20 * torch.log10(wave.norm() / (found - wave).norm()))


def test_16384_samples_are_128_frames_of_129_bins_and_any_leading_shape_stays():
    assert stft(waves(16384), window(), HOP).shape == (128, 129)
    assert stft(waves(2, 3, 1000), window(), HOP).shape == (2, 3, 8, 129)


def test_the_transform_is_scipys():
    wave = waves(2048)
    transform = scipy.signal.ShortTimeFFT(window().numpy(), HOP, fs=1.0, phase_shift=None)
    expected = transform.stft(wave.numpy(), p0=1, p1=9).T  # Its frame p is centred at p hop: these begin at sample 0.
    assert np.allclose(stft(wave, window(), HOP)[:8].numpy(), expected, atol=1e-10)


@pytest.mark.parametrize("hop", [128, 64])
def test_the_inverse_of_true_spectra_is_the_wave_to_120_dB(hop):
    wave = waves(2, 4096)
    spectra = stft(wave, window(), hop)
    found = inverse_stft(spectra, synthesis_window(window(), hop), hop, length=4096)
    inside = slice(SIZE - hop, None)
    assert snr(found[:, inside], wave[:, inside]) > 120


def test_the_window_of_analysis_in_its_place_is_a_gain_that_goes_up_and_down_once_per_hop():
    ones = torch.ones(2048, dtype=torch.float64)
    found = inverse_stft(stft(ones, window(), HOP), window(), HOP, length=2048)[HOP : 2 * HOP]
    t = torch.arange(HOP, dtype=torch.float64) / SIZE * torch.pi
    assert torch.allclose(found, t.sin() ** 4 + t.cos() ** 4)
    assert (float(found.min()), float(found.max())) == (pytest.approx(0.5), pytest.approx(1))


def test_griffin_lim_comes_nearer_with_iterations_and_the_wrong_window_stays_away():
    wave = torch.sin(torch.arange(4096) * 2 * torch.pi * (0.03 + torch.arange(4096) * 1e-6)).double()
    magnitudes = stft(wave, window(), HOP).abs()
    right, wrong = synthesis_window(window(), HOP), window()
    of = lambda synthesis, n: float(  # noqa: E731
        spectral_convergence(
            griffin_lim(magnitudes, window(), synthesis, HOP, length=4096, iterations=n), magnitudes, window(), HOP
        )
    )
    none, few, many = of(right, 0), of(right, 4), of(right, 60)
    assert none > few > many
    assert of(wrong, 60) > 2 * many


def test_bands_of_mel_add_up_to_one_between_the_outer_tops_and_are_triangles():
    weights = mel_weights(20, 513, 16000, low=40, high=7800)
    mel = 1127 * torch.log1p(torch.linspace(0, 8000, 513, dtype=torch.float64) / 700)
    edges = torch.linspace(1127 * np.log1p(40 / 700), 1127 * np.log1p(7800 / 700), 22, dtype=torch.float64)
    inner = (mel >= edges[1]) & (mel <= edges[-2])
    assert torch.allclose(weights[inner].sum(1), torch.ones(int(inner.sum()), dtype=torch.float64))
    assert not weights[mel > edges[-1]].any()
    assert not weights[0].any()
    expected = torch.stack([torch.from_numpy(np.interp(mel, edges[k : k + 3], [0, 1, 0], 0, 0)) for k in range(20)], 1)
    expected[0] = 0
    assert torch.allclose(weights, expected)
