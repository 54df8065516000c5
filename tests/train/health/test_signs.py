"""The vital signs against values by hand, and that taking them changes nothing of a training."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.flow import realnvp
from ganvas.models.gan import dcgan, progan
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.health.signs import (
    of_fakes,
    of_gradients,
    of_inverse,
    of_verdicts,
    of_weights,
    told_apart,
    vital_signs,
    watched_layers,
)
from ganvas.train.health.specimens import GALLERY, LOOKED_AT, rows_of, specimens
from ganvas.train.state import new_state

STAGE = Stage(resolution=16, batch_size=8, lr=1e-3)


def pictures(n, seed=1):
    return torch.rand(n, 3, 16, 16, generator=stream(seed, "pictures")) * 2 - 1


def chosen(n=100, held_out=None):
    data = pictures(n)
    return specimens(lambda rows: data[rows], n, seed=0, held_out=held_out)


def fresh():
    model = dcgan.Model(dcgan.TINY)
    initialise(model, stream(0, "weights"))
    return new_state(model)


def step(state):
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    execute.step(Pictures(images=pictures(8, state.nimg)), STAGE)
    state.nimg += 8


def test_specimens_are_a_function_of_the_seed_and_the_gallery_begins_with_those_looked_at():
    data = pictures(3000)
    found = specimens(lambda rows: data[rows], 3000, seed=4)
    assert (len(found.train), len(found.gallery)) == (LOOKED_AT, GALLERY)
    assert torch.equal(rows_of(found.train), found.gallery[:LOOKED_AT])
    again = specimens(lambda rows: data[rows], 3000, seed=4)
    assert torch.equal(found.train, again.train)
    assert not torch.equal(found.train, specimens(lambda rows: data[rows], 3000, seed=5).train)


def test_few_samples_are_all_looked_at():
    data = pictures(5)
    found = specimens(lambda rows: data[rows], 5, seed=0)
    assert len(found.train) == len(found.gallery) == 5


def test_large_pictures_are_compared_in_small_and_points_as_they_are():
    assert rows_of(torch.ones(2, 3, 64, 32)).shape == (2, 3 * 16 * 16)
    assert rows_of(torch.ones(2, 1, 8, 8)).shape == (2, 64)
    assert rows_of(torch.ones(2, 5)).shape == (2, 5)


def test_verdicts_are_compared_pair_by_pair_whatever_their_level():
    high, low = torch.tensor([1.0, 2.0, 3.0]), torch.tensor([0.0, 2.0])
    assert told_apart(high, low) == pytest.approx((3 + 1 + 0.5) / 6)
    assert told_apart(high + 100, low + 100) == told_apart(high, low)
    assert told_apart(low, low) == 0.5


def test_held_out_samples_are_compared_with_both_others():
    found = of_verdicts(torch.tensor([3.0, 4.0]), torch.tensor([0.0, 1.0]), torch.tensor([0.5, 3.5]))
    assert found["reals_over_fakes"] == 1.0
    assert found["held_out_over_fakes"] == 0.75
    assert found["reals_over_held_out"] == 0.75
    assert "held_out_over_fakes" not in of_verdicts(torch.ones(2), torch.zeros(2), None)


def test_samples_like_the_data_s_own_have_all_its_variety():
    found = of_fakes(pictures(LOOKED_AT, seed=2), chosen())
    assert found["variety"] == pytest.approx(1.0, abs=0.05)
    assert found["copies"] == 0.0


@pytest.mark.parametrize("modes", [1, 3])
def test_samples_of_few_kinds_have_hardly_any_variety(modes):
    fakes = pictures(modes, seed=2)[torch.arange(LOOKED_AT) % modes]
    assert of_fakes(fakes + 0.01 * pictures(LOOKED_AT, seed=3), chosen())["variety"] < 0.02


def test_samples_around_one_mean_have_as_much_variety_as_they_spread():
    fakes = 0.3 * pictures(LOOKED_AT, seed=2)
    assert of_fakes(fakes, chosen())["variety"] == pytest.approx(0.3, abs=0.02)


def test_copies_are_counted():
    known = chosen()
    fakes = pictures(LOOKED_AT, seed=2)
    fakes[:16] = known.train[16:32] + 0.01
    assert of_fakes(fakes, known)["copies"] == 0.25


def test_weights_and_gradients_are_norms_by_player():
    state = fresh()
    parameters = list(state.model.discriminator.parameters())
    norm = math.sqrt(sum(float(p.detach().double().square().sum()) for p in parameters))
    assert of_weights(state.players)["weights/discriminator"] == pytest.approx(norm)
    assert of_gradients(state.players) == {}
    for p in parameters:
        p.grad = torch.ones_like(p)
    count = sum(p.numel() for p in parameters)
    assert of_gradients(state.players) == {"gradient/discriminator": pytest.approx(math.sqrt(count))}


def test_activations_are_the_largest_root_mean_square_of_a_layer_but_not_of_a_score():
    state = fresh()
    player = next(one for one in state.players if one.key == "discriminator")
    layers = nn.Sequential(nn.Linear(2, 3), nn.ReLU(), nn.Linear(3, 1)).double()
    for layer, weight in ((layers[0], 2.0), (layers[2], 100.0)):
        nn.init.constant_(layer.weight, weight)
        nn.init.zeros_(layer.bias)
    with watched_layers([replace(player, module=layers)]) as found:
        layers(torch.tensor([[1.0, 0.0], [0.0, 3.0]], dtype=torch.float64))
    assert found == {"activations/discriminator": pytest.approx(math.sqrt((2**2 + 6**2) / 2))}
    layers(torch.ones(1, 2, dtype=torch.float64) * 1e6)
    assert found["activations/discriminator"] < 10, "nobody listens any more"


def test_signs_are_taken_without_a_trace():
    looked, alone = fresh(), fresh()
    known = chosen(held_out=pictures(20, seed=8))
    torch.manual_seed(0)
    before = torch.random.get_rng_state()
    for _ in range(3):
        step(looked)
        signs = vital_signs(looked, STAGE, known, seed=0, counts=())
        step(alone)
    assert {"variety", "copies", "reals_over_fakes", "reals_over_held_out", "gradient/generator"} < signs.keys()
    for (name, one), other in zip(looked.tensors().items(), alone.tensors().values(), strict=True):
        assert torch.equal(one, other), name
    assert looked.model.training
    assert torch.equal(torch.random.get_rng_state(), before)


def test_samples_that_make_no_whole_groups_are_judged_as_far_as_they_do():
    model = progan.Model(progan.TINY)  # Compares groups of 4.
    initialise(model, stream(0, "weights"))
    full = Stage(resolution=progan.TINY.resolution, batch_size=8, lr=1e-3)
    odd = {n: vital_signs(new_state(model), full, chosen(n), seed=0, counts=()) for n in (3, 50)}
    assert all("reals_over_fakes" in signs for signs in odd.values())


def test_what_is_not_finite_is_left_out():
    state = fresh()
    state.model.discriminator.score.weight.data.fill_(np.inf)
    assert "weights/discriminator" not in vital_signs(state, STAGE, None, seed=0, counts=())


class Strays:
    """A map whose way back is off by a given number at one of the samples."""

    def __init__(self, off):
        self.off = off

    def inverse_error(self, images):
        return torch.tensor([0.0] * (len(images) - 1) + [self.off])


@pytest.mark.parametrize(("off", "share"), [(0.01, 0.02), (math.inf, 1e6), (math.nan, 1e6)])
def test_the_error_of_an_inverse_is_that_of_the_worst_sample_as_a_share_of_the_largest_number(off, share):
    data = torch.full((6, 3, 16, 16), -0.5)
    found = of_inverse(Strays(off), specimens(lambda rows: data[rows], 6, seed=0))
    assert found == {"inverse_error": pytest.approx(share)}


def test_a_flow_is_asked_for_the_error_of_its_inverse():
    model = realnvp.Model(realnvp.TINY)
    initialise(model, stream(0, "weights"))
    data = torch.rand(8, 3, 8, 8, generator=stream(0, "x")) * 2 - 1
    signs = vital_signs(new_state(model), STAGE, specimens(lambda rows: data[rows], 8, seed=0), seed=0, counts=())
    assert 0 <= signs["inverse_error"] < 1e-4
    assert model.training
