import math

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.claims.operators.checkerboard import icnr_, icnr_transposed_, leaves_checkerboard, overlap_count
from ganvas.core.errors import UserError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def painted(kernel, stride, dilation=1):
    """How often the middle outputs of a row of ones are painted on, from their own sum."""
    ones = torch.ones(1, 1, 60, dtype=torch.float64)
    row = F.conv_transpose1d(ones, torch.ones(1, 1, kernel, dtype=torch.float64), stride=stride, dilation=dilation)
    start = 30 * stride
    return tuple(int(count) for count in row[0, 0, start : start + stride])


def test_the_overlap_count_is_what_a_row_of_ones_becomes_and_is_even_iff_the_stride_divides_the_kernel():
    for kernel in range(1, 10):
        for stride in range(1, 6):
            for dilation in (1, 2, 3):
                assert overlap_count(kernel, stride, dilation=dilation) == painted(kernel, stride, dilation)
            assert leaves_checkerboard(kernel, stride) == (kernel % stride != 0)


def test_known_counts():
    assert [set(overlap_count(k, 2)) for k in (2, 4, 6, 3, 5)] == [{1}, {2}, {3}, {1, 2}, {2, 3}]
    assert set(overlap_count(4, 3)) == {1, 2}


@pytest.mark.parametrize("scale", [2, 3, (2, 3)])
def test_icnr_before_depth_to_space_starts_as_a_convolution_and_a_nearest_enlargement(scale):
    phases = scale**2 if isinstance(scale, int) else scale[0] * scale[1]
    weight = torch.empty(5 * phases, 4, 3, 3, dtype=torch.float64)
    icnr_(weight, rng(), scale=scale)
    x = torch.randn(2, 4, 6, 5, generator=rng(1), dtype=torch.float64)
    if isinstance(scale, int):
        y = F.pixel_shuffle(F.conv2d(x, weight, padding=1), scale)
        expected = F.interpolate(F.conv2d(x, weight[::phases], padding=1), scale_factor=scale, mode="nearest")
        assert_close(y, expected, rtol=0, atol=1e-13)
    assert torch.equal(weight.view(5, phases, -1), weight.view(5, phases, -1)[:, :1].expand(-1, phases, -1))
    assert not torch.equal(weight[0], weight[phases])


@pytest.mark.parametrize(("kernel", "stride"), [(4, 2), (2, 2), (6, 3), ((4, 3), (2, 3))])
def test_icnr_of_a_transposed_convolution_starts_as_a_convolution_and_a_nearest_enlargement(kernel, stride):
    kernel, stride = ((n, n) if isinstance(n, int) else n for n in (kernel, stride))
    weight = torch.empty(4, 5, *kernel, dtype=torch.float64)
    icnr_transposed_(weight, rng(), stride=stride)
    x = torch.randn(2, 4, 6, 5, generator=rng(1), dtype=torch.float64)
    small = F.conv_transpose2d(x, weight[:, :, :: stride[0], :: stride[1]])  # Stride 1: at the input's resolution.
    expected = small.repeat_interleave(stride[0], 2).repeat_interleave(stride[1], 3)
    assert_close(F.conv_transpose2d(x, weight, stride=stride), expected, rtol=0, atol=1e-13)


def test_icnr_has_he_s_variance_and_repeats_with_the_seed():
    weight, again = torch.empty(64, 64, 4, 4), torch.empty(64, 64, 4, 4)
    icnr_transposed_(weight, rng(), stride=2)
    icnr_transposed_(again, rng(), stride=2)
    assert torch.equal(weight, again)
    # 16,384 draws: a relative standard error of 1 / sqrt(2 x 16,384) = 0.55 %.
    assert math.isclose(weight.std().item(), math.sqrt(2 / (64 * 4)), rel_tol=0.02)
    y = torch.empty(64 * 4, 64, 3, 3)
    icnr_(y, rng(), scale=2)
    assert math.isclose(y.std().item(), math.sqrt(2 / (64 * 9)), rel_tol=0.02)


def test_where_no_phases_can_be_equal_it_is_said():
    with pytest.raises(UserError, match=r"A kernel of \(3, 3\) is not a multiple of stride \(2, 2\)"):
        icnr_transposed_(torch.empty(2, 2, 3, 3), rng(), stride=2)
    with pytest.raises(UserError, match="6 output channels are not a multiple of the 4 phases"):
        icnr_(torch.empty(6, 2, 3, 3), rng(), scale=2)
