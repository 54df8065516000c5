import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.signal import convolve2d, correlate2d
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.convolution import convolve, correlate

SIDE = st.integers(1, 7)


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@settings(max_examples=150)
@given(h=SIDE, w=SIDE, kh=SIDE, kw=SIDE, seed=st.integers(0, 99))
def test_the_full_convolution_is_scipys_and_numpys(h, w, kh, kw, seed):
    x, k = randn(1, 1, h, w, seed=seed), randn(kh, kw, seed=seed + 1)
    expected = convolve2d(x[0, 0].numpy(), k.numpy())
    assert_close(convolve(x, k, mode="full")[0, 0], torch.from_numpy(expected), rtol=1e-12, atol=1e-12)
    line = np.convolve(x[0, 0, 0].numpy(), k[0].numpy())
    assert_close(convolve(x[:, :, :1], k[:1], mode="full").flatten(), torch.from_numpy(line), rtol=1e-12, atol=1e-12)


@settings(max_examples=100)
@given(h=st.integers(3, 7), w=st.integers(3, 7), kh=st.integers(1, 3), kw=st.integers(1, 3), seed=st.integers(0, 99))
def test_valid_convolution_and_correlation_are_scipys(h, w, kh, kw, seed):
    x, k = randn(1, 1, h, w, seed=seed), randn(kh, kw, seed=seed + 1)
    for ours, peer in ((convolve, convolve2d), (correlate, correlate2d)):
        expected = torch.from_numpy(peer(x[0, 0].numpy(), k.numpy(), mode="valid"))
        assert_close(ours(x, k, mode="valid")[0, 0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("boundary", "peer"), [("zero", "fill"), ("circular", "wrap")])
def test_the_same_size_with_an_odd_kernel_is_scipys_with_either_boundary(boundary, peer):
    x, k = randn(1, 1, 6, 7), randn(3, 5, seed=2)
    for ours, scipys in ((convolve, convolve2d), (correlate, correlate2d)):
        expected = torch.from_numpy(scipys(x[0, 0].numpy(), k.numpy(), mode="same", boundary=peer))
        assert_close(ours(x, k, boundary=boundary)[0, 0], expected, rtol=1e-12, atol=1e-12)


def test_the_full_convolution_is_commutative_and_associative():
    a, b, c = randn(1, 1, 5, 4), randn(3, 2, seed=2), randn(2, 6, seed=3)
    ab = convolve(a, b, mode="full")
    assert_close(ab, convolve(b[None, None], a[0, 0], mode="full"), rtol=1e-12, atol=1e-12)
    bc = convolve(b[None, None], c, mode="full")[0, 0]
    assert_close(convolve(ab, c, mode="full"), convolve(a, bc, mode="full"), rtol=1e-12, atol=1e-12)


def test_it_is_torchs_transposed_convolution_and_correlation_is_torchs_convolution():
    x, k = randn(2, 3, 5, 6), randn(3, 4, seed=2)
    weight = k.expand(3, 1, 3, 4)
    assert_close(convolve(x, k, mode="full"), F.conv_transpose2d(x, weight, groups=3), rtol=1e-12, atol=1e-12)
    assert_close(correlate(x, k, mode="valid"), F.conv2d(x, weight, groups=3), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("boundary", ["zero", "circular"])
@pytest.mark.parametrize("sides", [(1, 1), (3, 5), (2, 4), (5, 6)])
def test_correlation_is_the_adjoint_of_convolution_also_with_even_kernels(sides, boundary):
    x, y, k = randn(2, 3, 6, 7), randn(2, 3, 6, 7, seed=2), randn(*sides, seed=3)
    left = (convolve(x, k, boundary=boundary) * y).sum()
    assert_close(left, (x * correlate(y, k, boundary=boundary)).sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sides", [(3, 5), (2, 4)])
def test_a_single_one_at_the_origin_changes_nothing(sides):
    x, k = randn(2, 3, 6, 7), torch.zeros(sides, dtype=torch.float64)
    k[sides[0] // 2, sides[1] // 2] = 1
    for boundary in ("zero", "circular"):
        assert torch.equal(convolve(x, k, boundary=boundary), x)
        assert torch.equal(correlate(x, k, boundary=boundary), x)


def test_both_derivatives_are_there_and_channels_last_stays_so():
    x, k = randn(1, 2, 4, 3).requires_grad_(), randn(3, 2, seed=2).requires_grad_()
    for boundary in ("zero", "circular"):
        assert gradcheck(lambda x, k: convolve(x, k, boundary=boundary), (x, k))  # noqa: B023
        assert gradgradcheck(lambda x, k: convolve(x, k, boundary=boundary), (x, k))  # noqa: B023
        last = x.detach().to(memory_format=torch.channels_last)
        assert convolve(last, k, boundary=boundary).is_contiguous(memory_format=torch.channels_last)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"kernel of 5 x 1 .* picture of 4 x 4"):
        convolve(randn(1, 1, 4, 4), randn(5, 1), mode="valid")
    with pytest.raises(UserError, match=r"2 x 9 .* continued circularly"):
        convolve(randn(1, 1, 2, 9), randn(7, 1), boundary="circular")
