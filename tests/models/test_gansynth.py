"""GANSynth: its sizes, what it sees at a stage, and whose class is whose."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.models.sound.gansynth import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise


def test_the_published_length_is_128_frames_of_1024_bins_grown_from_2_by_16_in_seven_resolutions():
    config = Config(num_classes=61)
    assert config.seen == (128, 1024)
    assert (config.networks.picture.base, config.networks.picture.levels) == ((2, 16), 6)
    assert [config.networks.feature_maps(k + 1) for k in range(7)] == [256, 256, 256, 256, 128, 64, 32]
    with torch.device("meta"):
        model = Model(config)
        assert model.spectrogram(torch.empty(2, 65536)).shape == (2, 2, 128, 1024)
        assert model.generator(torch.empty(2, 256), torch.zeros(2, dtype=torch.long)).shape == (2, 2, 128, 1024)


@pytest.mark.parametrize("length", [64, 128, 4096, 8192])
def test_other_lengths_have_a_generator_that_draws_what_the_transform_makes(length):
    model = Model(dataclasses.replace(TINY, length=length))
    initialise(model, stream(0, "weights"))
    with torch.no_grad():
        drawn = model.generator(torch.zeros(1, 8))
        assert drawn.shape == model.spectrogram(torch.zeros(1, length)).shape
        assert model.decode(torch.zeros(1, 8)).shape == (1, length)


def test_reals_are_averaged_and_faded_to_the_stage_and_judged_there():
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    waves = 0.3 * torch.randn(3, 64, generator=stream(0, "waves"))
    whole = model.spectrogram(waves)
    small = model.inside(Sounds(waves=waves, shrink=2))
    assert_close(small, whole.unflatten(3, (-1, 2)).unflatten(2, (-1, 2)).mean((3, 5)))
    fading = model.inside(Sounds(waves=waves, fade=torch.tensor(0.25)))
    assert_close(fading, 0.25 * whole + 0.75 * small.repeat_interleave(2, 2).repeat_interleave(2, 3))
    first, *_, last = model.schedule().stages()
    with torch.no_grad():
        assert_close(model.judge(waves, stage=first), model.discriminator(small)[0])
        assert_close(model.judge(waves, stage=last), model.discriminator(whole)[0])


def test_at_an_early_stage_sounds_are_as_long_as_later():
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    z = model.latents(2, stream(0, "z"))
    with torch.no_grad():
        assert {model.decode(z, stage=stage).shape for stage in model.schedule().stages()} == {(2, 64)}


def test_a_short_run_is_refused_with_the_length_that_would_do():
    with pytest.raises(UserError, match=r"total_kimg=0\.001 is too short to grow to 8: give at least 0\.0033"):
        TINY.fitted(0.001)
