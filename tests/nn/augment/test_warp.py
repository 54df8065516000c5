"""Moved pictures against numpy's padding, flips and turns, and against a plain form of the filtered warp."""

import math

import numpy as np
import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.nn.augment.bilinear import bilinear
from ganvas.nn.augment.homogeneous import quarter_turns, rotation, scaling, translation
from ganvas.nn.augment.warp import blit, warp
from ganvas.nn.augment.wavelet import SYM6

pytestmark = pytest.mark.usefixtures("float64")
ONE = [1.0]


def pictures(n=1, height=9, width=9, channels=3):
    return torch.randn(n, channels, height, width, generator=torch.Generator().manual_seed(1))


def one(value):
    return torch.tensor([float(value)])


def test_a_mirrored_picture_is_its_flip():
    x = pictures(width=8)
    assert torch.equal(blit(x, scaling(one(-1), one(1))), x.flip(-1))


@pytest.mark.parametrize("turns", range(4))
def test_quarter_turns_are_those_of_torch(turns):
    x = pictures()
    turned = blit(x, quarter_turns(one(-turns)))  # The inverse map of a clockwise turn.
    assert torch.equal(turned, torch.rot90(x, -turns, (-2, -1)))


@pytest.mark.parametrize("moved", [blit, warp])
@pytest.mark.parametrize("shift", [(2, -3), (0, 1), (-4, 4)])
def test_a_whole_shift_reads_the_picture_padded_by_reflection(moved, shift):
    x, (right, down) = pictures(height=7, width=10), shift
    padded = np.pad(x.numpy(), ((0, 0), (0, 0), (6, 6), (9, 9)), mode="reflect")
    wanted = padded[:, :, 6 - down : 13 - down, 9 - right : 19 - right]
    found = moved(x, translation(one(-right), one(-down)))
    assert_close(found, torch.from_numpy(wanted.copy()), atol=1e-10, rtol=0)


def test_a_turn_of_a_picture_that_is_not_square_turns_about_its_middle():
    x = pictures(height=5, width=9)
    inner = blit(x, quarter_turns(one(-1)))[..., 2:7]  # The square that the turned picture fills.
    assert torch.equal(inner, torch.rot90(x[..., 2:7], -1, (-2, -1)))


def plain_warp(x, inverse, margin):
    """The steps of appendix B as they are told: pad, refine, read bilinearly, coarsen, crop."""
    height, width = x.shape[-2:]
    taps = torch.tensor(SYM6)
    kernel = torch.outer(taps, taps)[None, None]
    planes = F.pad(x, [margin] * 4, mode="reflect").flatten(0, 1)[:, None]
    fine = 2 * F.conv_transpose2d(planes, kernel, stride=2)[..., 5:-5, 5:-5]  # Its place 0 is the first pixel.
    rows, columns = torch.arange(-5, 2 * height + 5), torch.arange(-5, 2 * width + 5)
    y, x_ = torch.meshgrid(rows / 2 - (height - 1) / 2, columns / 2 - (width - 1) / 2, indexing="ij")
    at = torch.einsum("ij,jhw->ihw", inverse[0], torch.stack([x_, y, torch.ones_like(y)]))
    at_x = 2 * (at[0] + (width - 1) / 2 + margin) / (fine.shape[-1] - 1) * 2 - 1
    at_y = 2 * (at[1] + (height - 1) / 2 + margin) / (fine.shape[-2] - 1) * 2 - 1
    grid = torch.stack([at_x, at_y], -1).expand(len(planes), -1, -1, -1)
    read = F.grid_sample(fine, grid, align_corners=True)
    return F.conv2d(read, kernel / 2, stride=2).view(x.shape)


@pytest.mark.parametrize("size", [(9, 9), (8, 12)])
def test_a_turned_scaled_and_shifted_picture_is_that_of_the_plain_form(size):
    x = pictures(height=size[0], width=size[1])
    inverse = rotation(one(0.3)) @ scaling(one(0.9), one(0.7)) @ translation(one(0.7), one(-1.3))
    assert_close(warp(x, inverse), plain_warp(x, inverse, margin=size[0] - 1), atol=1e-10, rtol=0)


def test_a_smooth_picture_that_is_turned_is_the_turned_function():
    places = torch.linspace(-1, 1, 33)
    y, x = torch.meshgrid(places, places, indexing="ij")

    def bump(x, y):
        return torch.exp(-8 * ((x - 0.2) ** 2 + (y + 0.1) ** 2))

    angle = 0.5  # Clockwise, so the output at (x, y) is read from (x, y) turned back.
    c, s = math.cos(angle), math.sin(angle)
    turned = warp(bump(x, y)[None, None], rotation(one(-angle)))
    error = (turned[0, 0] - bump(c * x + s * y, c * y - s * x)).abs()
    # Bilinear, with h = 1/32 and f'' = 16: h^2/8 f'' = 2e-3; and sym6, off its middle by 0.1 refined places, where a
    # refined place is 1/32 and the slope at most 2.4: 8e-3. A turn to the other side is off by 0.4.
    assert error[x.square() + y.square() < 0.8].max() < 1e-2


@pytest.mark.parametrize("size", [(1, 1), (1, 5), (2, 3)])
def test_the_smallest_pictures_are_moved_too(size):
    x = torch.ones(1, 1, *size)
    assert_close(warp(x, rotation(one(1.0))), x, atol=1e-10, rtol=0)


def test_autocast_does_not_reach_the_filters():
    x, inverse = pictures(), rotation(one(0.3))
    with torch.autocast("cpu", torch.bfloat16):
        found = warp(x.float(), inverse.float())
    assert_close(found.double(), warp(x, inverse), atol=1e-5, rtol=0)


@pytest.mark.parametrize("moved", [blit, warp])
def test_the_maps_can_be_differentiated_twice(moved):
    x = pictures(n=2, height=4, width=3, channels=2).requires_grad_()
    inverse = rotation(torch.tensor([0.4, -1.0])) @ translation(torch.tensor([0.7, 0.1]), torch.tensor([0.2, 2.0]))
    assert torch.autograd.gradcheck(lambda x: moved(x, inverse), (x,))
    assert torch.autograd.gradgradcheck(lambda x: moved(x, inverse).pow(3), (x,))


def test_bilinear_sampling_is_torch_s_own():
    x, places = pictures(n=2), torch.rand(2, 4, 5, 2) * 2.4 - 1.2
    assert torch.equal(bilinear(x, places), F.grid_sample(x, places, padding_mode="border", align_corners=True))
