import dataclasses

import pytest
import torch
from torch.nn import functional as F

from ganvas.anatomy.loading.default_inputs import of_catalogue
from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.sound_batch import Sounds
from ganvas.models.sound.wavegan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.sound.phase_shuffle import drawn_shifts, phase_shuffle


def numbers(part):
    return sum(parameter.numel() for parameter in part.parameters())


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def test_the_paper_s_networks_have_the_numbers_that_are_published_of_them():
    with torch.device("meta"):
        model = Model(Config())
    assert numbers(model.generator) == 19_065_345
    assert numbers(model.critic) == 17_427_969
    assert of_catalogue(Config(), "critic") == ((1, 1, 1, 16384),)  # What a table of it is made with.


@pytest.mark.parametrize(("length", "strides"), [(16384, [4] * 5), (32768, [4] * 5 + [2]), (65536, [4] * 6)])
def test_the_published_lengths_have_the_published_layers_and_one_score(length, strides):
    config = Config(length=length, width=1)
    assert list(config.layers.strides) == strides
    with torch.device("meta"):
        model = Model(config)
        waves = model.decode(torch.empty(2, 100))
        assert waves.shape == (2, length)
        assert model.judge(waves).shape == (2,)


def test_a_post_filter_adds_its_taps_alone():
    assert numbers(started(post_filter=512).generator) - numbers(started().generator) == 512


@pytest.mark.parametrize("shift", [-2, 0, 1])
def test_a_shuffled_layer_is_rolled_inside_and_mirrored_at_its_ends_as_torch_mirrors(shift):
    x = torch.arange(24.0).view(1, 2, 1, 12)
    found = phase_shuffle(x, torch.tensor(shift))
    assert torch.equal(found[..., 2:-2], x.roll(shift, -1)[..., 2:-2])
    padded = F.pad(x[:, :, 0], (2, 2), mode="reflect")
    assert torch.equal(found[:, :, 0], padded[..., 2 - shift : 14 - shift])


def test_shifts_are_equally_likely_whole_numbers_and_nothing_for_none():
    shifts = drawn_shifts(torch.rand(50_000, generator=stream(1, "shifts")), 2)
    values, counts = shifts.unique(return_counts=True)
    assert values.tolist() == [-2, -1, 0, 1, 2]
    assert ((counts - 10_000) ** 2 / 10_000).sum() < 18.5  # Chi-square of 4 degrees of freedom: once in a thousand.
    assert not drawn_shifts(torch.rand(9, generator=stream(1, "none")), 0).any()


def test_every_pass_of_the_critic_is_shuffled_anew_and_alike_for_the_whole_batch():
    model = started(phase_shuffle=5)
    batch = Sounds(waves=torch.zeros(4, 256), rng=stream(2, "noise"))
    shifts = [model.one_pass(batch).keywords["shifts"] for _ in range(20)]
    assert all(shift.shape == (1,) and abs(int(shift)) <= 5 for shift in shifts)  # One layer but the last.
    assert len({int(shift) for shift in shifts}) > 3


def test_the_critic_without_shuffling_tells_sounds_apart_that_are_shifted_by_a_sample_and_a_shift_hides_it():
    """A layer of stride 4 sees the phase; shuffled by as much as the sound is shifted, it does not."""
    model = started(phase_shuffle=0)
    wave = F.pad(torch.randn(1, 128, generator=stream(3, "x")), (64, 64))
    layer = model.critic.layers[0]
    here, later = layer(wave[:, None, None]), layer(wave.roll(4, 1)[:, None, None])
    assert torch.allclose(phase_shuffle(here, torch.tensor(1)), later, atol=1e-6)  # Of four samples: by one of its own.
    assert (model.judge(wave) - model.judge(wave.roll(1, 1))).abs().item() > 1e-4


def test_lengths_that_cannot_be_doubled_are_refused():
    with pytest.raises(UserError, match=r"length=5000 .* 8192"):
        Config(length=5000)
    with pytest.raises(UserError, match=r"length=32 .* 64"):
        Config(length=32)
