"""Partial convolution in closed form: constants, borders, how a hole closes, and what a nan under the mask does."""

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.partial_conv import PartialConv2d

pytestmark = pytest.mark.usefixtures("float64")


def layer(channels=2, out=3, kernel=3, **options):
    made = PartialConv2d(channels, out, kernel, padding=kernel // 2, **options)
    with torch.no_grad():
        generator = torch.Generator().manual_seed(0)
        for parameter in made.parameters():
            parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return made


def test_where_all_is_known_it_is_a_convolution_inside(rng):
    x, made = torch.randn(1, 2, 7, 8, generator=rng), layer()
    found, known = made(x, torch.ones(1, 1, 7, 8))
    plain = F.conv2d(x, made.convolution.weight, made.convolution.bias, padding=1)
    assert_close(found[..., 1:-1, 1:-1], plain[..., 1:-1, 1:-1])
    assert known.unique().tolist() == [1]


def test_zeros_around_the_picture_are_made_up_for_by_one_and_a_half_at_edges_and_two_and_a_quarter_in_corners(rng):
    x, made = torch.randn(1, 2, 5, 5, generator=rng), layer()
    bias = made.convolution.bias.view(-1, 1, 1)
    found, _ = made(x, torch.ones(1, 1, 5, 5))
    plain = F.conv2d(x, made.convolution.weight, padding=1)
    for place, ratio in (((0, 2), 1.5), ((2, 4), 1.5), ((0, 0), 2.25), ((4, 4), 2.25), ((2, 2), 1.0)):
        assert_close((found - bias)[0, :, *place], ratio * plain[0, :, *place])


def test_of_a_constant_picture_and_kernel_one_known_pixel_is_as_good_as_all():
    made = PartialConv2d(1, 1, 3, padding=1)
    with torch.no_grad():
        made.convolution.weight.fill_(0.25)
        made.convolution.bias.fill_(0.5)
    mask = torch.zeros(1, 1, 9, 9)
    mask[..., 4, 4] = 1
    found, known = made(torch.full((1, 1, 9, 9), 3.0), mask)
    assert_close(found[known > 0], torch.full((9,), 0.25 * 3.0 * 9 + 0.5))  # w c k^2 + b
    assert not found[known == 0].any()


@pytest.mark.parametrize("side", [1, 4, 5])
def test_a_hole_closes_after_half_its_side_of_layers(side):
    mask, made, layers = torch.ones(1, 1, 16, 16), layer(1, 1), 0
    mask[..., 5 : 5 + side, 6 : 6 + side] = 0
    while not mask.all():
        _, mask = made(torch.zeros(1, 1, 16, 16), mask)
        layers += 1
    assert layers == -(-side // 2)


def test_a_nan_under_the_mask_does_not_spread(rng):
    x = torch.randn(2, 2, 6, 6, generator=rng)
    mask = (torch.rand(2, 1, 6, 6, generator=rng) > 0.5).double()
    made = layer()
    hidden = torch.where(mask > 0, x, torch.nan)
    assert torch.equal(made(hidden, mask)[0], made(x, mask)[0])


def test_a_mask_of_as_many_channels_counts_their_mean(rng):
    x, made = torch.randn(1, 2, 5, 5, generator=rng), layer()
    half = torch.ones(1, 2, 5, 5)
    half[:, 1] = 0
    found, _ = made(x, half)
    first = F.conv2d(x[:, :1], made.convolution.weight[:, :1])
    assert_close(found[..., 1:-1, 1:-1], 2 * first + made.convolution.bias.view(-1, 1, 1))
    with pytest.raises(UserError, match="3 channels"):
        made(x, torch.ones(1, 3, 5, 5))
