"""Rewriting of one association: exact at its key, of rank one, at the least cost elsewhere, and silent only there."""

from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.dissect.permanent import UnitSet
from ganvas.dissect.places import numbered
from ganvas.dissect.rewriting import rank_one, rewritten
from ganvas.nn.layers.equalized import EqualizedConv2d

SIDE = 8


def test_the_change_is_exact_at_the_key_of_rank_one_and_the_least_of_all_that_are(rng):
    weights, key, value = (torch.randn(*shape, generator=rng).double() for shape in ((4, 6), (6,), (4,)))
    keys = torch.randn(50, 6, generator=rng).double()
    second = keys.T @ keys / 50
    found = rank_one(weights, second, key, value)
    assert_close(found @ key, value)
    change = found - weights
    assert torch.linalg.matrix_rank(change) == 1
    # Any other change that is exact differs by rows at a right angle to the key; the cost grows along each of them.
    other = torch.randn(4, 6, generator=rng).double()
    other -= torch.outer(other @ key, key) / key.square().sum()
    assert_close(torch.einsum("md,de,me->", change, second, other), torch.zeros(()).double(), rtol=0, atol=1e-12)


class TwoGrounds(nn.Module):
    """A picture of two grounds, told apart by two channels; one unit paints a thing on both alike."""

    def __init__(self) -> None:
        super().__init__()
        self.units, self.paint = EqualizedConv2d(2, 4, 1, gain=0.5), nn.Conv2d(4, 3, 1, bias=False)
        with torch.no_grad():
            self.units.weight.zero_()
            self.units.bias.zero_()
            one = 1 / self.units.scale
            self.units.weight[0, :, 0, 0] = one  # The thing, on either ground.
            self.units.weight[1, 0, 0, 0] = self.units.weight[2, 1, 0, 0] = one  # The grounds themselves.
            self.paint.weight.zero_()
            self.paint.weight[0, 0] = self.paint.weight[1, 1] = self.paint.weight[2, 2] = 1.0

    def forward(self, z):
        x = F.leaky_relu(self.units(z), 0.2)
        return 2 * self.paint(x).clamp(0, 1) - 1


def grounds(of, start, stop):
    """The left half of a picture is of the one ground, the right half of the other."""
    z = torch.zeros(stop - start, 2, SIDE, SIDE)
    z[:, 0, :, : SIDE // 2] = z[:, 1, :, SIDE // 2 :] = 1.0
    return (z,)


class Grounds:
    """Which of the two grounds it is."""

    identity, labels = "grounds", ("left", "right")

    def segment(self, images):
        return (images[:, 2] > 0).long()


def test_units_are_silent_where_the_label_is_and_go_on_elsewhere(planted):
    network = TwoGrounds().eval()
    numbering = numbered(network, grounds("numbering", 0, 2), {}, name="grounds")
    own = replace(
        planted.subject, network=network, module=network, numbering=numbering, series=grounds, size=(SIDE, SIDE)
    )
    (place,) = numbering.chosen()
    found = rewritten(own, Grounds(), UnitSet(place=place, units=(0,)), "left", pictures=4, held_out=4)
    with torch.no_grad():
        before, after = own.module(*grounds("", 0, 1)), found.module(*grounds("", 0, 1))
    left, right = slice(0, SIDE // 2), slice(SIDE // 2, SIDE)
    assert_close(before[:, 0], torch.ones(1, SIDE, SIDE))
    assert_close(after[:, 0, :, left], -torch.ones(1, SIDE, SIDE // 2), rtol=0, atol=1e-5)
    assert_close(after[:, 0, :, right], torch.ones(1, SIDE, SIDE // 2), rtol=0, atol=1e-5)
    assert_close(after[:, 1:], before[:, 1:])
    assert found.places == 4 * SIDE * SIDE // 2
    assert found.on("left").change == 0.0  # The ground stays; what stood on it is gone.
    with pytest.raises(UserError, match=r"fills a cell of .* in 32 places of 1 pictures"):
        rewritten(own, Grounds(), UnitSet(place=place, units=(0,)), "right", pictures=1, held_out=4)


def test_units_of_a_layer_that_is_no_plain_convolution_are_refused(planted):
    up = nn.ConvTranspose2d(2, 4, 2, 2, bias=False)
    nn.init.ones_(up.weight)
    doubled = nn.Sequential(up, nn.ReLU()).eval()  # Bright everywhere, which is the right ground.
    numbering = numbered(doubled, grounds("numbering", 0, 2), {}, name="doubled")
    own = replace(planted.subject, network=doubled, module=doubled, numbering=numbering, series=grounds, size=(16, 16))
    (place,) = numbering.chosen()
    with pytest.raises(UserError, match="no plain convolution"):
        rewritten(own, Grounds(), UnitSet(place=place, units=(0,)), "right", pictures=4, held_out=4)
