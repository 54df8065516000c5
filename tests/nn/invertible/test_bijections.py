"""Steps of flows: log-determinants against autograd's Jacobians, inverses, and what each does to plain numbers."""

import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.nn.invertible.bijection import BijectionChain
from ganvas.nn.invertible.colour_range import Logit, UnitRange
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.flow_batch_norm import FlowBatchNorm
from ganvas.nn.invertible.moves import ScaleThenShift, Shift, ShiftThenScale, Standardise
from ganvas.nn.invertible.squeeze import Squeeze, ordered_squeeze, ordered_unsqueeze

pytestmark = pytest.mark.usefixtures("float64")


def numbers(*shape):
    return torch.randn(shape, generator=stream(0, "x"))


@pytest.mark.parametrize("move", [Shift, ShiftThenScale, ScaleThenShift, Standardise])
@pytest.mark.parametrize("first_moves", [False, True])
@pytest.mark.parametrize("channels", [4, 5])
def test_a_coupling_has_the_jacobian_that_it_says(holds_as_bijection, move, first_moves, channels):
    halves = (channels + 1) // 2, channels // 2
    stays, moves = halves[::-1] if first_moves else halves
    count = 1 if move is Shift else 2
    network = nn.Linear(stays, count * moves)
    coupling = CouplingLayer(network, lambda h: move(*h.chunk(count, 1)), first_moves=first_moves)
    holds_as_bijection(coupling, numbers(3, channels))


def test_steps_in_a_row_add_their_log_determinants(holds_as_bijection):
    chain = BijectionChain(UnitRange(), Logit(0.05), Squeeze())
    holds_as_bijection(chain, 0.9 * numbers(2, 2, 4, 2).tanh())


def test_whole_colours_lie_in_the_middle_of_their_256th_of_the_unit_range():
    colours = torch.tensor([0, 1, 255], dtype=torch.uint8).view(1, 1, 1, 3)
    found, log_det = UnitRange()(to_float(colours).double())
    assert_close(found.flatten(), torch.tensor([0.5, 1.5, 255.5]) / 256, rtol=0, atol=1e-7)
    assert_close(log_det, torch.tensor([3 * math.log(127.5 / 256)]))


def test_a_logit_maps_the_middle_to_nothing_and_the_ends_to_those_of_its_alpha():
    found, _ = Logit(0.05)(torch.tensor([[0.0, 0.5, 1.0]]))
    assert_close(found, torch.tensor([[math.log(0.05 / 0.95), 0.0, math.log(0.95 / 0.05)]]))


def test_beyond_the_reach_of_a_logit_there_is_no_density_and_other_samples_do_not_notice():
    logit = Logit(0.05)
    low, high = logit.reach()
    assert (low, high) == pytest.approx((-0.05 / 0.9, 0.95 / 0.9))
    x = torch.tensor([[0.2, low - 1e-9], [0.2, low + 1e-9], [high, 0.5], [math.nan, 0.5]]).requires_grad_()
    y, log_det = logit(x)
    assert log_det[[0, 2]].tolist() == [-math.inf, -math.inf]
    assert log_det[1].isfinite()
    assert log_det[3].isnan()  # What is no number is not called improbable.
    assert y[:3].isfinite().all()
    (y[:3].sum() + log_det[1]).backward()
    assert x.grad is not None
    assert x.grad[:3].isfinite().all()


def test_a_squeeze_puts_a_block_of_pixels_into_the_channels_of_the_authors_code():
    x = torch.arange(2 * 2 * 4.0).view(1, 2, 2, 4)
    y, log_det = Squeeze()(x)
    for channel in range(2):
        for dy in range(2):
            for dx in range(2):
                assert_close(y[0, 4 * channel + 2 * dy + dx, 0], x[0, channel, dy, dx::2])
    assert log_det.tolist() == [0.0]


def test_an_ordered_squeeze_sends_one_colour_of_a_checkerboard_to_its_first_half():
    board = ((torch.arange(4).view(-1, 1) + torch.arange(6)) % 2).double().expand(1, 3, 4, 6)
    squeezed = ordered_squeeze(board)
    assert (squeezed[:, :6] == 0).all()
    assert (squeezed[:, 6:] == 1).all()
    x = numbers(2, 3, 4, 6)
    assert_close(ordered_squeeze(x)[:, 3:6], x[..., 1::2, 1::2])  # The second place is below and to the right.
    assert_close(ordered_unsqueeze(ordered_squeeze(x)), x)


def test_a_batch_norm_normalises_what_its_mask_marks_and_nothing_else():
    mask = torch.tensor([[1.0, 0.0], [0.0, 1.0]]).view(1, 1, 2, 2)
    norm = FlowBatchNorm(3, mask, eps=0.0)
    x = 3 + 2 * numbers(40, 3, 2, 2)
    y, log_det = norm(x)
    marked = y[:, :, [0, 1], [0, 1]]
    assert_close(marked.mean((0, 2)), torch.zeros(3), rtol=0, atol=1e-12)
    assert_close(marked.var((0, 2), unbiased=False), torch.ones(3))
    assert torch.equal(y[:, :, 0, 1], x[:, :, 0, 1])
    spread = x[:, :, [0, 1], [0, 1]].var((0, 2), unbiased=False)
    assert_close(log_det, (-0.5 * 2 * spread.log().sum()).expand(40))


def test_a_batch_norm_is_one_affine_map_when_it_is_evaluated(holds_as_bijection):
    norm = FlowBatchNorm(2, torch.tensor([1.0, 0.0, 1.0]).view(1, 1, 1, 3), momentum=1.0)
    norm(5 * numbers(20, 2, 1, 3) - 1)  # Takes over the statistics of this batch.
    assert norm.running_variance.min() > 5
    holds_as_bijection(norm.eval(), numbers(2, 2, 1, 3))
