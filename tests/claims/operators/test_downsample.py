import pytest
import torch
from scipy.ndimage import correlate1d
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.claims.operators.downsample import Downsample, binomial, blur_halve
from ganvas.core.errors import UserError

METHODS = ["max", "average", "stride", "blur", "max-blur"]


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def test_windows_of_two_by_two_and_every_second_pixel():
    x = torch.tensor([[1.0, 2, 5, 6], [3, 4, 7, 9]], dtype=torch.float64)[None, None]
    assert Downsample("max")(x).flatten().tolist() == [4, 9]
    assert Downsample("average")(x).flatten().tolist() == [2.5, 6.75]
    assert Downsample("stride")(x).flatten().tolist() == [1, 5]


@pytest.mark.parametrize("taps", [1, 2, 3, 4, 5, 7])
@pytest.mark.parametrize("size", [(8, 9), (11, 6)])
def test_a_blur_is_the_filter_along_both_axes_with_mirrored_borders(taps, size):
    x = randn(2, 3, *size)
    # An even filter's origin is (taps - 1) // 2 here, taps // 2 in scipy; mode "mirror" does not repeat the edge.
    options = {"mode": "mirror", "origin": 0 if taps % 2 else -1}
    blurred = x.numpy()
    for axis in (2, 3):
        blurred = correlate1d(blurred, binomial(taps).numpy(), axis=axis, **options)
    assert_close(blur_halve(x, taps=taps), torch.from_numpy(blurred[:, :, ::2, ::2].copy()), rtol=1e-12, atol=1e-12)


def test_the_filter_is_pascals_triangle():
    assert (16 * binomial(5)).tolist() == [1, 4, 6, 4, 1]
    assert binomial(7).sum() == 1


@pytest.mark.parametrize("taps", [2, 3, 4, 5])
def test_a_blur_removes_the_finest_pattern_where_a_stride_makes_it_a_constant(taps):
    # A binomial filter of two taps or more has a zero at the highest frequency: that is what aliasing is.
    pattern = (-1.0) ** torch.arange(12, dtype=torch.float64).expand(1, 1, 12, 12)
    assert_close(blur_halve(pattern, taps=taps), torch.zeros(1, 1, 6, 6, dtype=torch.float64), rtol=0, atol=1e-15)
    assert torch.equal(Downsample("stride")(pattern), torch.ones(1, 1, 6, 6, dtype=torch.float64))


@pytest.mark.parametrize("method", METHODS)
def test_a_constant_stays_and_sizes_are_as_said(method):
    x = torch.full((2, 3, 9, 12), 0.7, dtype=torch.float64)
    side = 4 if method in ("max", "average", "max-blur") else 5
    expected = torch.full((2, 3, side, 6), 0.7, dtype=torch.float64)
    assert_close(Downsample(method)(x), expected, rtol=1e-14, atol=0)


def test_max_blur_is_a_dense_maximum_and_then_a_blur():
    x = randn(1, 2, 7, 8)
    dense = torch.stack([x[..., i : i + 6, j : j + 7] for i in (0, 1) for j in (0, 1)]).amax(0)
    assert torch.equal(Downsample("max-blur", taps=3)(x), blur_halve(dense, taps=3))


@pytest.mark.parametrize("method", METHODS)
def test_channels_last_stays_so_and_both_derivatives_are_there(method):
    module, x = Downsample(method, taps=3), randn(1, 2, 5, 6)
    last = module(x.to(memory_format=torch.channels_last))
    assert last.is_contiguous(memory_format=torch.channels_last) or method == "stride"
    assert gradcheck(module, (x.requires_grad_(),))
    assert gradgradcheck(module, (x,))


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="Did you mean 'blur'"):
        Downsample("blurr")
    with pytest.raises(UserError, match="taps=0"):
        Downsample("blur", taps=0)
    with pytest.raises(UserError, match=r"2 x 9.*5 taps.*at least 3"):
        blur_halve(randn(1, 1, 2, 9), taps=5)
