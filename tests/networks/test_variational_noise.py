"""Learnt noise within the bins of colours, in every flow that offers it."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.flow import nice, realnvp
from ganvas.nn.invertible.actnorm import Actnorm
from ganvas.nn.layers.initialise import initialise


def started(module, **changes):
    model = module.Model(dataclasses.replace(module.TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


@pytest.fixture(params=[nice, realnvp], ids=["nice", "realnvp"])
def flow(request):
    """Its noise set from pictures, and moved from the identity that it starts at."""
    model = started(request.param, noise="variational", noise_depth=2, noise_features=3)
    model.calibrate(Pictures(images=pictures(16)))
    with torch.no_grad():
        for network in model.noise.networks:
            network.last.conv.conv.weight.normal_(0, 0.1, generator=stream(0, "opened"))
    return model.eval()


def pictures(n):
    return torch.randint(0, 256, (n, 3, 8, 8), generator=stream(0, "x")) / 127.5 - 1


def test_learnt_noise_counts_in_the_loss_as_in_the_likelihood_and_is_learnt(flow):
    (phase,) = flow.phases()
    assert phase.player is flow
    bits = phase.loss(Pictures(images=pictures(4), rng=stream(1, "noise")))["bits_per_dimension"]
    with torch.no_grad():
        found = -flow.log_prob(pictures(4), stream(1, "noise")) / (192 * math.log(2))
    assert_close(bits.detach(), found, rtol=1e-5, atol=1e-4)
    assert flow.density_details == "dequantised-variational1"
    bits.sum().backward()
    assert all(network.last.conv.conv.weight.grad.any() for network in flow.noise.networks)


def test_data_set_every_actnorm_of_the_noise(flow):
    norms = [part for part in flow.noise.modules() if isinstance(part, Actnorm)]
    assert len(norms) == 4
    assert all(norm.logs.any() for norm in norms)


@pytest.mark.parametrize("module", [nice, realnvp], ids=["nice", "realnvp"])
def test_uniform_noise_has_no_weights_and_a_player_as_in_runs_of_before(module):
    model = started(module)
    (phase,) = model.phases()
    assert phase.player is model.flow
    assert all(name.startswith("flow.") for name in model.state_dict())
    before = [one.clone() for one in model.state_dict().values()]
    model.calibrate(Pictures(images=pictures(4)))
    assert all(torch.equal(a, b) for a, b in zip(before, model.state_dict().values(), strict=True))
