import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import ndimage, signal
from scipy.signal import convolve2d, correlate2d
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.claims.operators.convolution import blur, blur_adjoint, convolve, correlate
from ganvas.core.errors import UserError

SIDE = st.integers(1, 7)


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.slow
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


@settings(max_examples=150)
@given(h=SIDE, w=SIDE, kh=SIDE, kw=SIDE, seed=st.integers(0, 99))
def test_the_same_size_is_scipys_with_odd_and_even_kernels_and_kernels_larger_than_the_picture(h, w, kh, kw, seed):
    x, k = randn(1, 1, h, w, seed=seed), randn(kh, kw, seed=seed + 1)
    for ours, scipys in ((convolve, signal.convolve), (correlate, signal.correlate)):
        expected = torch.from_numpy(scipys(x[0, 0].numpy(), k.numpy(), mode="same", method="direct"))
        assert_close(ours(x, k)[0, 0], expected, rtol=1e-12, atol=1e-12)
    if kw <= w:  # numpy's "same" has the length of the longer of the two.
        line = np.convolve(x[0, 0, 0].numpy(), k[0].numpy(), mode="same")
        assert_close(convolve(x[:, :, :1], k[:1]).flatten(), torch.from_numpy(line), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sides", [(1, 1), (3, 5), (2, 4), (4, 3)])
@pytest.mark.parametrize("mode", ["same", "full"])
def test_a_circular_convolution_is_scipys(sides, mode):
    x, k = randn(1, 1, 6, 7), randn(*sides, seed=2)
    expected = torch.from_numpy(convolve2d(x[0, 0].numpy(), k.numpy(), mode=mode, boundary="wrap"))
    assert_close(convolve(x, k, mode=mode, boundary="circular")[0, 0], expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(("boundary", "peer"), [("zero", "constant"), ("circular", "wrap")])
@pytest.mark.parametrize("sides", [(1, 1), (3, 5), (2, 4), (4, 3)])
def test_a_blur_has_the_origin_of_ndimage_and_is_convolve_with_odd_sides(sides, boundary, peer):
    x, psf = randn(1, 1, 6, 7), randn(*sides, seed=2)
    expected = torch.from_numpy(ndimage.convolve(x[0, 0].numpy(), psf.numpy(), mode=peer))
    assert_close(blur(x, psf, boundary=boundary)[0, 0], expected, rtol=1e-12, atol=1e-12)
    if sides[0] % 2 and sides[1] % 2:
        assert torch.equal(blur(x, psf, boundary=boundary), convolve(x, psf, boundary=boundary))
        assert torch.equal(blur_adjoint(x, psf, boundary=boundary), correlate(x, psf, boundary=boundary))


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
def test_the_adjoint_of_a_blur_is_that_also_with_even_sides(sides, boundary):
    x, y, k = randn(2, 3, 6, 7), randn(2, 3, 6, 7, seed=2), randn(*sides, seed=3)
    left = (blur(x, k, boundary=boundary) * y).sum()
    assert_close(left, (x * blur_adjoint(y, k, boundary=boundary)).sum(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sides", [(3, 5), (2, 4)])
def test_a_single_one_at_the_origin_changes_nothing(sides):
    x = randn(2, 3, 6, 7)
    for function, origin in (
        (blur, (sides[0] // 2, sides[1] // 2)),
        (blur_adjoint, (sides[0] // 2, sides[1] // 2)),
        (convolve, ((sides[0] - 1) // 2, (sides[1] - 1) // 2)),  # Entry (k - 1) // 2 of "full" comes first.
        (correlate, (sides[0] // 2, sides[1] // 2)),
    ):
        k = torch.zeros(sides, dtype=torch.float64)
        k[origin] = 1
        for boundary in ("zero", "circular"):
            assert torch.equal(function(x, k, boundary=boundary), x)


@pytest.mark.parametrize("function", [convolve, correlate, blur, blur_adjoint])
def test_both_derivatives_are_there_and_channels_last_stays_so(function):
    x, k = randn(1, 2, 4, 3).requires_grad_(), randn(3, 2, seed=2).requires_grad_()
    for boundary in ("zero", "circular"):
        assert gradcheck(lambda x, k: function(x, k, boundary=boundary), (x, k))  # noqa: B023
        assert gradgradcheck(lambda x, k: function(x, k, boundary=boundary), (x, k))  # noqa: B023
        last = x.detach().to(memory_format=torch.channels_last)
        assert function(last, k, boundary=boundary).is_contiguous(memory_format=torch.channels_last)


def test_what_does_not_fit_is_refused():
    with pytest.raises(UserError, match=r"kernel of 5 x 1 .* picture of 4 x 4"):
        convolve(randn(1, 1, 4, 4), randn(5, 1), mode="valid")
    with pytest.raises(UserError, match=r"2 x 9 .* continued circularly"):
        convolve(randn(1, 1, 2, 9), randn(7, 1), boundary="circular")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"mode": "sam"}, r"mode='sam' is not one of full, same, valid\. Did you mean 'same'"),
        ({"boundary": "reflect"}, "boundary='reflect' is not one of zero, circular"),
        ({"x": torch.ones(3, 8, 8)}, r"input has shape \(3, 8, 8\).*input\[None\]"),
        ({"x": torch.ones(1, 3, 8, 8).to(torch.uint8)}, "input is of uint8"),
        ({"kernel": torch.ones(1, 1, 3, 3)}, r"kernel has shape \(1, 1, 3, 3\)"),
        ({"kernel": torch.ones(3, 3, dtype=torch.complex64)}, "kernel is of torch.complex64"),
        ({"kernel": torch.ones(0, 3)}, "kernel of 0 x 3"),
        ({"kernel": [[1.0]]}, "kernel is a list"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_is_no_picture_kernel_or_mode_is_refused_with_what_would_do(change, message):
    given = {"x": torch.ones(1, 3, 8, 8), "kernel": torch.ones(3, 3), **change}
    with pytest.raises(UserError, match=message):
        convolve(given.pop("x"), given.pop("kernel"), **given)


def test_a_batch_of_none_and_no_channels_stay_so():
    for shape in ((0, 3, 8, 7), (2, 0, 8, 7)):
        assert convolve(torch.ones(shape), torch.ones(2, 3)).shape == shape
