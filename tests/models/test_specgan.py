import dataclasses

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.models.sound.specgan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.sound.griffin_lim import spectral_convergence
from ganvas.nn.sound.log_spectrogram import LogSpectrogram
from ganvas.nn.sound.stft import hann, stft


def waves(n=6, length=4096):
    """Sums of three tones that swell and die away, over a little noise."""
    generator = stream(0, "waves")
    time = torch.arange(length) / length
    tones = torch.sin(2 * torch.pi * torch.rand(n, 3, 1, generator=generator) * length / 2 * time).sum(1) / 3
    return tones * torch.sin(torch.pi * time) + 0.01 * torch.randn(n, length, generator=generator)


def test_the_published_length_is_128_frames_of_128_bins_through_the_published_layers():
    config = Config()
    assert (config.bins, config.layers.first, config.layers.strides) == (128, (4, 4), (2,) * 5)
    assert config.layers.maps == [64, 128, 256, 512, 1024]
    with torch.device("meta"):
        model = Model(config)
        assert model.inside(torch.empty(2, 16384)).shape == (2, 1, 128, 128)
        assert model.generator(torch.empty(2, 100)).shape == (2, 1, 128, 128)
        assert model.judge(torch.empty(2, 16384)).shape == (2,)


@pytest.mark.parametrize("length", [64, 128, 8192])
def test_other_lengths_have_a_generator_that_draws_what_the_transform_makes(length):
    config = dataclasses.replace(TINY, length=length)
    model = Model(config)
    initialise(model, stream(0, "weights"))
    drawn, seen = model.generator(torch.zeros(1, 8)), model.inside(torch.zeros(1, length))
    assert drawn.shape == seen.shape
    assert model.decode(torch.zeros(1, 8)).shape == (1, length)


def test_a_calibrated_spectrogram_has_mean_0_and_a_third_of_a_deviation_in_every_bin():
    model = Model(dataclasses.replace(TINY, length=4096))
    batch = Sounds(waves=waves())
    model.calibrate(batch)
    seen = (model.spectrogram.logarithms(batch.waves) - model.spectrogram.mean) / model.spectrogram.deviation
    assert seen.mean((0, 1)).abs().max() < 1e-4
    assert (seen.square().mean((0, 1)) - 1).abs().max() < 1e-3
    assert torch.equal(model.inside(batch.waves), (seen / 3).clamp(-1, 1)[:, None, :, :64])


def test_the_exact_inverse_comes_near_to_the_magnitudes_and_the_released_one_cannot():
    found = {}
    for released in (False, True):
        transform = LogSpectrogram(64, iterations=60, released=released)
        logarithms = transform.logarithms(waves())
        transform.mean.copy_(logarithms.mean((0, 1)))
        transform.deviation.copy_(logarithms.std((0, 1)))
        again = transform.inverse(transform(waves()), length=4096)
        magnitudes = stft(waves(), hann(128), 64).abs()
        found[released] = float(spectral_convergence(again, magnitudes, hann(128), 64))
    assert found[False] < 0.7 * found[True]  # What is clipped at three deviations is lost to both.
    assert found[True] > 0.26  # Below which the published code never comes, whatever the iterations.


def test_lengths_that_are_no_powers_of_two_are_refused():
    with pytest.raises(UserError, match=r"length=5000 .* 8192"):
        Config(length=5000)
    with pytest.raises(UserError, match=r"length=32 .* 64"):
        Config(length=32)
