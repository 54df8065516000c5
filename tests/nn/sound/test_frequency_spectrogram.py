"""Pictures of magnitude and instantaneous frequency: closed forms of sinusoids, and the way back."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.data.sound.notes import Notes
from ganvas.nn.sound.frequency_spectrogram import FREQUENCY_SHARE, FrequencySpectrogram, frequencies, phases


def sinusoid(hertz, length, rate):
    return torch.sin(2 * math.pi * hertz * torch.arange(length, dtype=torch.float64) / rate)[None]


@pytest.mark.parametrize(("hertz", "expected"), [(440.0, 0.16), (261.63, 0.74432), (1000.0, 0.0), (23.4375, -0.5)])
def test_a_sinusoid_has_the_frequency_2_f_hop_over_rate_wrapped(hertz, expected):
    # 2 * 440 * 512 / 16000 = 28.16, 2 * 261.63 * 512 / 16000 = 16.74432, 64, and 1.5.
    seen = FrequencySpectrogram(1024)(sinusoid(hertz, 16384, 16000))
    assert seen.shape == (1, 2, 32, 1024)
    loudest = round(hertz * 2048 / 16000) - 1  # Without the bin of 0 Hz.
    found = seen[0, 1, 4:, loudest] / FREQUENCY_SHARE  # From where whole windows lie in the sound.
    assert_close(found, torch.full_like(found, expected), rtol=0, atol=2e-4)


def test_a_sinusoid_of_full_scale_has_the_published_level_at_any_window():
    # Half the window's sum is its magnitude: 512 under 2,048 samples. 0.0661 ln 512 + 0.1137 = 0.5260.
    for bins in (1024, 64):
        seen = FrequencySpectrogram(bins)(sinusoid(1000.0, 16384, 16000))
        assert_close(
            seen[0, 0, 8:].amax(1), torch.full((seen.shape[2] - 8,), 0.5260, dtype=torch.float64), rtol=0, atol=1e-4
        )


def test_frequencies_are_turns_from_minus_one_to_one_and_their_sums_are_the_phases():
    angles = (
        torch.rand(2, 50, 3, dtype=torch.float64, generator=torch.Generator().manual_seed(0)) * 2 * math.pi - math.pi
    )
    found = frequencies(angles)
    assert (found > -1).all()
    assert (found <= 1).all()
    assert frequencies(torch.tensor([[0.0], [math.pi]], dtype=torch.float64))[1] == 1
    away = (phases(found) - angles) / (2 * math.pi)
    assert_close(away, away.round(), rtol=0, atol=1e-12)


@pytest.mark.parametrize(("swells", "decibels"), [(True, -100), (False, -75)])
def test_a_note_comes_back_of_its_picture_but_for_what_it_has_at_0_hertz_and_its_last_windows(swells, decibels):
    waves, _ = Notes(length=4096, rate=8000, count=4).select(np.arange(4))
    note = torch.from_numpy(waves).double() / 32768
    note = note * torch.hann_window(4096, dtype=torch.float64) if swells else note  # Without a click at its start.
    transform = FrequencySpectrogram(256)
    error = (transform.inverse(transform(note)) - note)[:, : 4096 - 384].square().mean(1) / note.square().mean(1)
    assert (10 * torch.log10(error) < decibels).all()
