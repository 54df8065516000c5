"""Real NVP: what each coupling leaves alone, what leaves early, and that the density is that of its Jacobian."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.flow.realnvp import TINY, Config, Model
from ganvas.networks.real_nvp import CheckerboardCoupling, NetworkStyle, WeightNormConv2d, channel_coupling
from ganvas.nn.layers.initialise import initialise

STYLE = NetworkStyle(features=3, blocks=1)


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    opened(model)
    return model


def opened(part):
    """Gains of checkerboards start at 0, where a coupling only shifts."""
    with torch.no_grad():
        for name, parameter in part.named_parameters():
            if name.endswith("gain"):
                parameter.fill_(0.7)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("stays", [0, 1])
def test_a_checkerboard_leaves_one_colour_alone(holds_as_bijection, stays):
    coupling = CheckerboardCoupling(2, (2, 4), stays=stays, features=3, style=STYLE)
    initialise(coupling, stream(0, "weights"))
    opened(coupling)
    x = torch.randn(2, 2, 2, 4, generator=stream(0, "x"))
    holds_as_bijection(coupling.eval(), x)
    colour = (torch.arange(2).view(-1, 1) + torch.arange(4)) % 2
    moved = coupling(x)[0] != x
    assert (moved == (colour == stays)).all()  # Colour 0 is that of the top left, which stays where ``stays`` is 1.


@pytest.mark.usefixtures("float64")
def test_halves_of_channels_are_moved_by_the_other_ones(holds_as_bijection):
    coupling = channel_coupling(4, (2, 2), first_moves=True, features=3, style=STYLE)
    initialise(coupling, stream(0, "weights"))
    x = torch.randn(2, 4, 2, 2, generator=stream(0, "x"))
    holds_as_bijection(coupling.eval(), x)
    y = coupling(x)[0]
    assert torch.equal(y[:, 2:], x[:, 2:])
    assert (y[:, :2] != x[:, :2]).all()


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("scales", [1, 2, 3])
def test_all_scales_together_give_as_many_latents_as_there_are_numbers(holds_as_bijection, scales):
    model = started(height=4, width=8, channels=1, scales=scales, features=2).eval()
    x = torch.rand(2, 1, 4, 8, generator=stream(0, "x")) * 2 - 1
    assert model.encode(x).shape == (2, 32)
    holds_as_bijection(model.flow, x)


@pytest.mark.usefixtures("float64")
def test_the_latents_that_leave_first_are_one_colour_of_the_checkerboard_of_the_finest_scale():
    model = started(height=4, width=4, channels=1, features=2).eval()
    model.flow.steps[2].boards.steps = torch.nn.ModuleList()  # What is left of the scale are its halves of channels.
    model.flow.steps[2].halves.steps = torch.nn.ModuleList()
    x = torch.rand(1, 1, 4, 4, generator=stream(0, "x")) * 2 - 1
    odd = ((torch.arange(4).view(-1, 1) + torch.arange(4)) % 2).bool()
    logits = torch.logit(0.05 + 0.9 * (127.5 * (x + 1) + 0.5) / 256)
    assert_close(model.encode(x)[0, :8].sort().values, logits[0, 0][odd].sort().values)


def test_kernels_have_the_length_that_is_learnt_and_the_codes_start():
    layer = WeightNormConv2d(2, 3, 3, scaled=True)
    initialise(layer, stream(0, "weights"))
    assert_close(layer.length.detach(), torch.full((3,), math.sqrt(9 / 6)))
    impulses = torch.zeros(18, 2, 3, 3)
    impulses.view(18, 18).fill_diagonal_(1.0)
    taps = layer(impulses)[:, :, 1, 1]
    assert_close(taps.square().sum(0).sqrt(), torch.full((3,), math.sqrt(9 / 6)))


def test_the_loss_is_the_bits_of_the_codes_formula_beside_the_penalty_of_weights():
    model = started()
    images = torch.rand(4, 3, 8, 8, generator=stream(0, "x")) * 2 - 1
    terms = model.phases()[0].loss(Pictures(images=images, rng=stream(1, "noise")))
    u = torch.rand(4, 3, 8, 8, generator=stream(1, "noise"))
    x = ((images + 1) * 127.5 + u) / 256
    logits = torch.logit(0.05 + 0.9 * x)
    softplus = torch.nn.functional.softplus
    cost = (softplus(logits) + softplus(-logits) + math.log(0.9)).flatten(1).sum(1)
    z, log_det = model.flow.steps[2](logits)
    nats = -0.5 * (z**2 + math.log(2 * math.pi)).sum(1) + log_det + cost
    assert_close(terms["bits_per_dimension"], 8 - nats / (192 * math.log(2)), rtol=1e-4, atol=1e-4)
    lengths = sum(p.square().sum().item() for name, p in model.named_parameters() if name.endswith("length"))
    gains = 7 * 0.7**2  # Of three checkerboards of the first scale and four of the last.
    assert terms["weights"].item() == pytest.approx(5e-5 * (lengths + gains) / (192 * math.log(2)), rel=1e-5)


def test_sizes_and_alphas_that_cannot_be_are_told():
    with pytest.raises(UserError, match="height=10 is not a multiple of 4"):
        Config(height=10, scales=3)
    with pytest.raises(UserError, match=r"alpha=0\.5 must be in"):
        Config(alpha=0.5)
