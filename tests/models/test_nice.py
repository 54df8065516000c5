"""NICE: couplings that keep volumes, a scale that does not, a logistic prior, interleaved halves."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.bits import bits_per_dimension, of_whole_colours
from ganvas.models.flow.nice import TINY, Model
from ganvas.networks.nice_network import Interleaved
from ganvas.nn.invertible.logistic_numbers import LogisticToNormal
from ganvas.nn.layers.initialise import initialise

pytestmark = pytest.mark.usefixtures("float64")


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model.eval()


def pictures(n, channels=3, height=8, width=8):
    return torch.rand(n, channels, height, width, generator=stream(0, "x")) * 2 - 1


@pytest.mark.parametrize("prior", ["logistic", "normal"])
def test_the_density_is_that_of_the_prior_at_what_the_couplings_give(prior):
    model = started(prior=prior)
    with torch.no_grad():
        model.flow.steps[6].log_scale.copy_(0.3 * torch.randn(192, generator=stream(1, "s")))
    x, y = pictures(3), pictures(3)
    for step in list(model.flow.steps)[:7]:
        y = step(y)[0]
    if prior == "logistic":
        log_prior = (-torch.nn.functional.softplus(y) - torch.nn.functional.softplus(-y)).sum(1)
    else:
        log_prior = -0.5 * (y.square() + math.log(2 * math.pi)).sum(1)
    log_det = 192 * math.log(127.5 / 256) + model.flow.steps[6].log_scale.sum()
    assert_close(model.log_density(x), log_prior + log_det)


def test_the_whole_flow_leads_back_also_for_an_odd_number_of_numbers(holds_as_bijection):
    model = started(channels=1, height=3, width=3, couplings=3)
    holds_as_bijection(model.flow, pictures(2, 1, 3, 3), tolerance=1e-7)


def test_halves_are_numbers_at_even_and_at_odd_places():
    x = torch.arange(6.0).view(1, 1, 2, 3)
    rows, _ = Interleaved((1, 2, 3))(x)
    assert rows.tolist() == [[0.0, 2.0, 4.0, 1.0, 3.0, 5.0]]
    assert torch.equal(Interleaved((1, 2, 3)).inverse(rows), x)


def test_logistic_numbers_become_normal_ones_of_the_same_rank(holds_as_bijection):
    x = torch.tensor([[-30.0, -2.0, 0.5, 8.0]])
    holds_as_bijection(LogisticToNormal(), x, tolerance=1e-7)
    y, _ = LogisticToNormal()(x)
    assert_close(torch.special.log_ndtr(y), torch.nn.functional.logsigmoid(x))


def test_a_logistic_number_far_out_has_its_density_though_no_normal_number_is_so_far_out():
    x = torch.tensor([[-5000.0, 900.0]])
    y, log_det = LogisticToNormal()(x)
    assert y.isfinite().all()
    assert_close(log_det - 0.5 * (y.square() + math.log(2 * math.pi)).sum(1), torch.tensor([-5900.0]))


@torch.no_grad()
@pytest.mark.parametrize("levels", [256, 32])
def test_of_normal_colours_a_linear_flow_has_the_bits_of_their_entropy(levels):
    model = started(prior="normal")
    for parameter in model.flow.parameters():
        parameter.zero_()  # No coupling shifts anything ...
    log_sd = torch.linspace(-4, -1, 192)
    model.flow.steps[6].log_scale.copy_(-log_sd)  # ... and the last step brings every number to variance 1.
    z = torch.randn(16, 192, generator=stream(1, "z"))
    z = z / z.square().mean().sqrt()  # So that the mean over these pictures is the expectation.
    found = bits_per_dimension(of_whole_colours(model.log_density(model.decode(z)), 192, levels=levels), 192)
    entropy = 0.5 * math.log2(2 * math.pi * math.e) + float(log_sd.mean()) / math.log(2)  # Of colours in [0, 1].
    assert float(found.mean()) == pytest.approx(entropy + math.log2(levels))
