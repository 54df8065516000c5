"""Smooth resampling against its definition: zeros between pixels, then the filter; against bilinear interpolation."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.smooth_resample import smooth, smooth_double, smooth_halve, smooth_up_conv

EXACT = {"rtol": 1e-12, "atol": 1e-12}  # float64 sums of at most some hundred products in another order
LINE = torch.tensor([1, 3, 3, 1], dtype=torch.float64) / 8


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def with_zeros(x):
    """A zero after every pixel, along both sides."""
    n, c, h, w = x.shape
    spread = torch.zeros(n, c, 2 * h, 2 * w, dtype=x.dtype)
    spread[:, :, ::2, ::2] = x
    return spread


def filtered(x, before, after):
    """Channel by channel with the whole 4 x 4 kernel."""
    padded = F.pad(x, (before, after, before, after))
    kernel = torch.outer(LINE, LINE)[None, None]
    return torch.cat([F.conv2d(padded[:, [c]], kernel) for c in range(x.shape[1])], dim=1)


def test_the_filter_along_a_line_is_one_three_three_one():
    spike = torch.zeros(1, 1, 7, 7, dtype=torch.float64)
    spike[..., 3, 3] = 64
    rows = torch.tensor([1, 3, 3, 1], dtype=torch.float64)
    assert_close(smooth(spike, margin=0)[0, 0], torch.outer(rows, rows))


@pytest.mark.parametrize("margin", [0, 1, 2])
def test_smoothing_is_a_convolution_of_every_channel(margin):
    x = randn(2, 3, 6, 5)
    found = smooth(x, margin=margin)
    assert found.shape == (2, 3, 6 + 2 * margin - 3, 5 + 2 * margin - 3)
    assert_close(found, filtered(x, margin, margin), **EXACT)


@pytest.mark.parametrize("size", [(1, 1), (4, 4), (3, 5)])
def test_doubling_filters_a_picture_with_zeros_between_its_pixels(size):
    x = randn(2, 3, *size)
    assert_close(smooth_double(x), 4 * filtered(with_zeros(x), 2, 1), **EXACT)


def test_inside_a_picture_doubling_is_bilinear_interpolation():
    x = randn(1, 2, 6, 7)
    expected = F.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False)
    assert_close(smooth_double(x)[..., 1:-1, 1:-1], expected[..., 1:-1, 1:-1], **EXACT)


def test_halving_keeps_every_second_filtered_pixel():
    x = randn(2, 3, 6, 4)
    assert_close(smooth_halve(x), filtered(x, 1, 1)[..., ::2, ::2], **EXACT)


def test_doubling_is_four_times_the_adjoint_of_halving():
    x, y = randn(1, 2, 6, 4), randn(1, 2, 3, 2, seed=2)
    assert_close((smooth_halve(x) * y).sum(), (x * smooth_double(y)).sum() / 4, **EXACT)


@pytest.mark.parametrize("groups", [1, 2])
def test_a_convolution_that_doubles_is_the_doubling_with_its_overhang_then_the_convolution(groups):
    x, kernel = randn(2, 4, 3, 5), randn(6, 4 // groups, 3, 3, seed=2)
    overhang = 4 * filtered(with_zeros(x), 3, 2)  # A pixel more on every side than the doubled picture has.
    assert_close(smooth_up_conv(x, kernel, groups=groups), F.conv2d(overhang, kernel, groups=groups), **EXACT)


def test_a_constant_picture_stays_constant_away_from_the_border():
    x = torch.full((1, 1, 8, 8), 0.7, dtype=torch.float64)
    for found in (smooth_double(x), smooth_halve(x)):
        inside = found[..., 1:-1, 1:-1]
        assert_close(inside, torch.full_like(inside, 0.7), **EXACT)


def test_an_odd_side_is_not_halved():
    with pytest.raises(UserError, match="6 x 5"):
        smooth_halve(randn(1, 1, 6, 5))


def test_in_half_precision_it_stays_in_it():
    x = randn(1, 2, 4, 4).bfloat16()
    assert smooth_double(x).dtype == smooth_halve(x).dtype == torch.bfloat16
