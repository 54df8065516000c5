import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from skimage import restoration
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.claims.operators.convolution import blur as blurred_by
from ganvas.claims.operators.deconvolve import richardson_lucy, transfer_function, wiener
from ganvas.core.errors import UserError


def rand(*shape, seed=1):
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def blur(height, width, seed=9):
    """A point spread function without any symmetry, of sum 1."""
    psf = rand(height, width, seed=seed)
    return psf / psf.sum()


def per_channel(peer, x, *arguments, **options):
    rows = [peer(channel.numpy(), *arguments, **options) for channel in x.flatten(0, 1)]
    return torch.from_numpy(np.stack(rows)).view_as(x)


@settings(max_examples=40)
@given(
    size=st.tuples(st.integers(5, 17), st.integers(5, 17)),
    sides=st.tuples(st.integers(1, 5), st.integers(1, 5)),
    balance=st.floats(1e-3, 10),
    clip=st.booleans(),
    seed=st.integers(0, 99),
)
def test_wiener_is_scikit_images_with_any_sides(size, sides, balance, clip, seed):
    x, psf = rand(2, 2, *size, seed=seed) - 0.5, blur(*sides)
    if sides == size or tuple(psf.shape) == (size[0], size[1] // 2 + 1):
        return  # There scikit-image takes the blur for its own transfer function.
    expected = per_channel(restoration.wiener, x, psf.numpy(), balance, clip=clip)
    assert_close(wiener(x, psf, balance, clip=clip), expected, rtol=0, atol=1e-9)


def test_wiener_with_a_regulariser_of_ones_own_is_scikit_images():
    x, psf = rand(1, 3, 12, 11), blur(3, 4)
    for regulariser in ([[1.0]], [[0, -1, 0], [-1, 5, -1], [0, -1, 0]]):
        d = torch.tensor(regulariser, dtype=torch.float64)
        expected = per_channel(restoration.wiener, x, psf.numpy(), 0.1, d.numpy(), clip=False)
        assert_close(wiener(x, psf, 0.1, regulariser=d), expected, rtol=0, atol=1e-9)


def test_wiener_is_the_minimum_of_misfit_and_roughness():
    # |h * x - y|^2 + balance |d * x|^2 with circular convolutions: its gradient by x is zero at the result.
    y, h, d = rand(1, 1, 9, 8), blur(3, 3), torch.tensor([[1.0, -1.0]], dtype=torch.float64)
    x = wiener(y, h, 0.3, regulariser=d).requires_grad_()
    misfit = (blurred_by(x, h, boundary="circular") - y).square().sum()
    roughness = blurred_by(x, d, boundary="circular").square().sum()
    (gradient,) = torch.autograd.grad(misfit + 0.3 * roughness, x)
    assert_close(gradient, torch.zeros_like(gradient), rtol=0, atol=1e-12)


def test_without_a_penalty_wiener_undoes_a_circular_blur():
    x, psf = rand(2, 3, 9, 11), torch.tensor([[0.1, 0.7, 0.2]], dtype=torch.float64)  # No zero in its spectrum.
    assert_close(wiener(blurred_by(x, psf, boundary="circular"), psf, 0.0), x, rtol=0, atol=1e-12)


@pytest.mark.parametrize("balance", [0.1, 1.0, 10.0])
def test_the_laplacian_keeps_a_constant_and_the_classical_filter_shrinks_it(balance):
    x, psf = torch.full((1, 1, 8, 7), 0.7, dtype=torch.float64), blur(3, 3)
    assert_close(wiener(x, psf, balance), x, rtol=1e-12, atol=0)
    one = torch.ones(1, 1, dtype=torch.float64)
    assert_close(wiener(x, psf, balance, regulariser=one), x / (1 + balance), rtol=1e-12, atol=0)


def test_a_transfer_function_is_what_a_circular_convolution_multiplies_by():
    x, psf = rand(1, 1, 7, 8), blur(4, 3)
    expected = torch.fft.rfft2(blurred_by(x, psf, boundary="circular"))
    assert_close(transfer_function(psf, (7, 8)) * torch.fft.rfft2(x), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("sides", [(1, 1), (3, 3), (5, 3)])
@pytest.mark.parametrize("options", [{}, {"clip": True}, {"epsilon": 0.3}], ids=["plain", "clip", "epsilon"])
def test_richardson_lucy_is_scikit_images(sides, options):
    x, psf = rand(2, 2, 13, 10), blur(*sides)
    peers = {"clip": options.get("clip", False), "filter_epsilon": options.get("epsilon")}
    expected = per_channel(restoration.richardson_lucy, x, psf.numpy(), 20, **peers)
    assert_close(richardson_lucy(x, psf, steps=20, **options), expected, rtol=0, atol=1e-9)


@pytest.mark.parametrize("boundary", ["zero", "circular"])
@pytest.mark.parametrize("sides", [(3, 3), (5, 2), (4, 4)])
def test_every_step_of_richardson_lucy_leaves_the_sum_of_the_picture(sides, boundary):
    # sum_j x_j sum_i K_ij y_i / (K x)_i = sum_i y_i, if the second factor holds the exact adjoint.
    x, psf = rand(2, 3, 9, 11), blur(*sides)
    for steps in (1, 2, 7):
        found = richardson_lucy(x, psf, steps=steps, boundary=boundary)
        assert_close(found.sum((2, 3)), x.sum((2, 3)), rtol=1e-10, atol=0)  # 1e-12 is added to what is about 0.5.


@pytest.mark.parametrize("options", [{"boundary": "circular"}, {"edges": True}], ids=["circular", "edges"])
def test_a_true_picture_without_noise_is_at_rest_and_the_misfit_falls(options):
    truth, psf = rand(1, 1, 12, 13) + 0.1, blur(3, 4)
    boundary = options.get("boundary", "zero")
    y = blurred_by(truth, psf, boundary=boundary)
    misfits = []
    for steps in (1, 10, 100):
        estimate = richardson_lucy(y, psf, steps=steps, **options)
        misfits.append((blurred_by(estimate, psf, boundary=boundary) - y).square().sum().item())
    assert misfits[0] > 4 * misfits[1] > 16 * misfits[2]
    # One step from the truth itself: the quotient is 1 everywhere, and so is its adjoint, divided by K^T 1.
    start = torch.full_like(y, 0.5)
    ratio = richardson_lucy(blurred_by(start, psf, boundary=boundary), psf, steps=1, **options) / start
    assert_close(ratio, torch.ones_like(ratio), rtol=1e-10, atol=0)


def test_without_division_by_the_edges_the_borders_of_a_constant_darken():
    psf = torch.full((3, 3), 1 / 9, dtype=torch.float64)
    y = blurred_by(torch.full((1, 1, 8, 8), 0.5, dtype=torch.float64), psf)
    found = richardson_lucy(y, psf, steps=1)
    assert found[0, 0, 0, 0].item() == pytest.approx(0.5 * 4 / 9, rel=1e-10)  # Four of the nine taps are inside.
    assert found[0, 0, 4, 4].item() == pytest.approx(0.5, rel=1e-10)


def test_a_picture_that_is_nowhere_negative_stays_so():
    assert richardson_lucy(rand(1, 1, 9, 9), blur(5, 5), steps=100).min() >= 0


def test_both_can_be_differentiated_twice_by_picture_and_blur():
    y, psf = (rand(1, 1, 4, 5) + 0.5).requires_grad_(), blur(3, 2).requires_grad_()
    for function in (lambda y, psf: wiener(y, psf, 0.1), lambda y, psf: richardson_lucy(y, psf, steps=2)):
        assert gradcheck(function, (y, psf))
        assert gradgradcheck(function, (y, psf))


def test_a_frequency_that_the_blur_removes_has_a_finite_gradient():
    psf = torch.full((1, 2), 0.5, dtype=torch.float64).requires_grad_()  # Its spectrum is zero at the last frequency.
    wiener(rand(1, 1, 4, 4), psf, 0.1).square().sum().backward()
    assert psf.grad.isfinite().all()


def test_pictures_of_a_batch_do_not_meet_and_channels_last_stays_so():
    x, psf = rand(3, 2, 9, 7), blur(3, 3)
    for function in (lambda x: wiener(x, psf, 0.1), lambda x: richardson_lucy(x, psf, steps=3)):
        assert_close(function(x)[1:2], function(x[1:2]), rtol=1e-12, atol=1e-12)
        last = function(x.to(memory_format=torch.channels_last))
        assert last.is_contiguous(memory_format=torch.channels_last)
        assert_close(last, function(x), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize(
    ("psf", "message"),
    [
        (torch.ones(9, 3), r"psf of 9 x 3 does not fit a picture of 8 x 8"),
        (torch.ones(0, 3), r"psf of 0 x 3 \(height x width\) holds no number"),
        (torch.zeros(3, 3), "psf is zero everywhere"),
        (torch.tensor([[1.0, torch.nan]]), "not finite"),
    ],
    ids=["large", "empty", "zero", "nan"],
)
def test_a_blur_that_cannot_be_is_refused(psf, message):
    x = rand(1, 1, 8, 8).float()
    with pytest.raises(UserError, match=message):
        wiener(x, psf, 0.1)
    with pytest.raises(UserError, match=message):
        richardson_lucy(x, psf)


def test_what_only_one_of_them_cannot_take_is_refused():
    x = rand(1, 1, 8, 8).float()
    with pytest.raises(UserError, match="balance=-1"):
        wiener(x, torch.ones(3, 3), -1.0)
    with pytest.raises(UserError, match="negative somewhere"):
        richardson_lucy(x, torch.tensor([[-1.0, 2.0]]))
    with pytest.raises(UserError, match="steps=-1"):
        richardson_lucy(x, torch.ones(3, 3), steps=-1)


@pytest.mark.parametrize(
    ("x", "psf", "message"),
    [
        (torch.rand(3, 8, 8), torch.ones(3, 3), r"picture has shape \(3, 8, 8\).*picture\[None\]"),
        (torch.rand(8, 8), torch.ones(3, 3), r"picture\[None, None\]"),
        (torch.ones(1, 1, 8, 8).to(torch.uint8), torch.full((3, 3), 1 / 9), "picture is of uint8.*picture.float()"),
        (torch.rand(1, 1, 8, 8), torch.ones(3), r"psf has shape \(3,\)"),
        (torch.rand(1, 1, 8, 8), torch.ones(1, 1, 3, 3), r"psf has shape \(1, 1, 3, 3\)"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_is_no_picture_or_no_blur_is_refused_with_what_would_do(x, psf, message):
    for function in (lambda: wiener(x, psf, 0.1), lambda: richardson_lucy(x, psf)):
        with pytest.raises(UserError, match=message):
            function()


@pytest.mark.usefixtures("unchecked")
def test_options_that_cannot_be_are_refused():
    x, psf = rand(1, 1, 8, 8).float(), torch.ones(3, 3)
    with pytest.raises(UserError, match="boundary='wrap' is not one of zero, circular"):
        richardson_lucy(x, psf, boundary="wrap")
    with pytest.raises(UserError, match=r"steps=2\.5 must be a whole number"):
        richardson_lucy(x, psf, steps=2.5)
    with pytest.raises(UserError, match="balance=nan"):
        wiener(x, psf, float("nan"))


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_half_precision_is_computed_in_float32_and_rounded_once(dtype):
    x, psf = (rand(2, 3, 9, 7) - 0.2).clamp_min(0).to(dtype), blur(3, 3).to(dtype)  # Zeros: 0 / 1e-12 is not nan.
    for function in (lambda x, psf: wiener(x, psf, 0.1), lambda x, psf: richardson_lucy(x, psf, steps=5)):
        assert torch.equal(function(x, psf), function(x.float(), psf.float()).to(dtype))


def test_a_batch_of_none_stays_one():
    x, psf = torch.ones(0, 3, 8, 8), torch.ones(3, 3)
    assert wiener(x, psf, 0.1).shape == richardson_lucy(x, psf).shape == x.shape
