import numpy as np
import pytest
import scipy.signal
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.claims.operators.dilated import batch_to_space, convolve, correlate, dilated_conv, space_to_batch
from ganvas.core.errors import UserError


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def normal(*shape, seed=0):
    return torch.randn(shape, generator=rng(seed), dtype=torch.float64)


def test_space_to_batch_equals_torch_for_odd_and_even_sides_rates_up_to_eight_and_paddings():
    worst = 0.0
    for k in (1, 3, 5):
        w, bias = normal(4, 2, k, k), normal(4)
        for d in (1, 2, 3, 5, 8):
            for side in (7, 9, 12):
                for p in (0, d * (k // 2), 3):
                    if side + 2 * p <= d * (k - 1):
                        continue
                    x = normal(2, 4, side, side + 2, seed=side)
                    found = dilated_conv(x, w, bias, dilation=d, padding=p, groups=2, method="space_to_batch")
                    expected = F.conv2d(x, w, bias, dilation=d, padding=p, groups=2)
                    worst = max(worst, (found - expected).abs().max().item())
    assert worst < 1e-12


@pytest.mark.parametrize("dims", [1, 2, 3])
def test_both_methods_equal_torch_in_one_to_three_axes(dims):
    x, w, d = normal(2, 3, *range(7, 7 + dims)), normal(2, 3, *range(2, 2 + dims)), tuple(range(2, 2 + dims))
    expected = (F.conv1d, F.conv2d, F.conv3d)[dims - 1](x, w, dilation=d[0] if dims == 1 else d, padding=2)
    for method in ("native", "space_to_batch"):
        assert_close(dilated_conv(x, w, dilation=d, padding=2, method=method), expected, rtol=0, atol=1e-12)


def test_gradients_and_gradients_of_gradients_of_space_to_batch_are_right():
    inputs = [normal(1, 1, 5, 4).requires_grad_(), normal(1, 1, 2, 2).requires_grad_()]

    def function(x, w):
        return dilated_conv(x, w, dilation=2, padding=1, method="space_to_batch")

    assert torch.autograd.gradcheck(function, inputs)
    assert torch.autograd.gradgradcheck(function, inputs)


def test_space_to_batch_gathers_every_dth_pixel_and_is_undone():
    x = torch.arange(16.0).view(1, 1, 4, 4)
    assert space_to_batch(x, (2, 2))[:, 0].flatten(1).tolist() == [
        [0, 2, 8, 10],
        [1, 3, 9, 11],
        [4, 6, 12, 14],
        [5, 7, 13, 15],
    ]
    y = normal(3, 2, 6, 4)
    assert torch.equal(batch_to_space(space_to_batch(y, (3, 2)), (3, 2)), y)


def test_channels_last_stays():
    x = normal(2, 4, 9, 9).contiguous(memory_format=torch.channels_last)
    y = dilated_conv(x, normal(4, 4, 3, 3), dilation=2, padding=2, method="space_to_batch")
    assert y.is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize("mode", ["full", "same", "valid"])
def test_convolution_and_correlation_are_scipy_s(mode):
    for height, width in ((3, 3), (4, 2), (1, 5), (2, 2)):
        x, w = normal(7, 6), normal(height, width, seed=1)
        for ours, theirs in ((convolve, scipy.signal.convolve), (correlate, scipy.signal.correlate)):
            expected = torch.from_numpy(theirs(x.numpy(), w.numpy(), mode=mode, method="direct"))
            assert_close(ours(x[None, None], w[None, None], mode)[0, 0], expected, rtol=0, atol=1e-12)


def test_full_convolution_is_commutative_associative_and_numpy_s():
    x, w, v = (normal(1, 1, n, seed=n) for n in (7, 4, 3))
    assert_close(convolve(x, w), convolve(w, x), rtol=0, atol=1e-13)
    assert_close(convolve(convolve(x, w), v), convolve(x, convolve(w, v)), rtol=0, atol=1e-13)
    assert_close(convolve(x, w).flatten(), torch.from_numpy(np.convolve(x.flatten(), w.flatten())), rtol=0, atol=1e-13)


def test_correlation_does_not_commute_and_convolution_is_correlation_turned_round():
    x, w = normal(1, 1, 7), normal(1, 1, 4, seed=1)
    assert not torch.allclose(correlate(x, w, "full"), correlate(w, x, "full"))
    assert_close(correlate(x, w, "full"), correlate(w, x, "full").flip(2), rtol=0, atol=1e-13)
    assert_close(convolve(x, w), F.conv_transpose1d(x, w), rtol=0, atol=1e-13)
    assert_close(correlate(x, w, "valid"), F.conv1d(x, w), rtol=0, atol=0)


def test_many_channels_are_summed_and_groups_kept_apart():
    x, w = normal(2, 4, 6, 5), normal(6, 4, 3, 3, seed=1)
    assert_close(correlate(x, w, "same"), F.conv2d(x, w, padding="same"), rtol=0, atol=1e-12)
    grouped = normal(6, 2, 3, 3, seed=2)
    assert_close(correlate(x, grouped, "same"), F.conv2d(x, grouped, padding="same", groups=2), rtol=0, atol=1e-12)


def test_what_does_not_fit_is_said():
    with pytest.raises(UserError, match="with dilation \\(4, 4\\) does not fit into \\(7, 7\\)"):
        dilated_conv(torch.zeros(1, 1, 7, 7), torch.zeros(1, 1, 3, 3), dilation=4)
    with pytest.raises(UserError, match="does not fit into \\(2, 2\\) anywhere"):
        correlate(torch.zeros(1, 1, 2, 2), torch.zeros(1, 1, 3, 3))
    with pytest.raises(UserError, match="of the same 1 to 3 spatial axes"):
        convolve(torch.zeros(1, 2, 2), torch.zeros(1, 1, 3, 3))
