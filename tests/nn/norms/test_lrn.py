import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.norms.lrn import LocalResponseNorm, from_tf, local_response_norm, to_tf, window_sum
from ganvas.nn.norms.pixel_norm import pixel_norm


def randn(*shape, seed=0):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.mark.slow
@settings(max_examples=200)
@given(
    size=st.integers(1, 9),
    shape=st.tuples(st.integers(1, 3), st.integers(1, 9), st.integers(1, 4), st.integers(1, 4)),
    alpha=st.floats(0, 2),
    beta=st.sampled_from([0.25, 0.5, 0.75, 1.0]),
    k=st.floats(0.1, 3),
    seed=st.integers(0, 99),
)
def test_it_is_torchs_also_with_even_windows_and_more_channels_than_there_are(size, shape, alpha, beta, k, seed):
    x = randn(*shape, seed=seed)
    found = local_response_norm(x, size, alpha=alpha, beta=beta, k=k)
    assert_close(found, F.local_response_norm(x, size, alpha, beta, k), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 7), (2, 7, 5), (2, 7, 2, 3, 2)])
def test_pixels_may_have_any_number_of_axes(shape):
    x = randn(*shape)
    squares = F.pad(x.square().movedim(1, -1), (2, 2)).unfold(-1, 5, 1).sum(-1).movedim(-1, 1)
    assert_close(local_response_norm(x, 5, alpha=0.7, k=2.0), x / (2 + 0.14 * squares) ** 0.75, rtol=1e-12, atol=0)


def tensorflows(x, depth_radius, bias, alpha, beta):
    """The definition in TensorFlow's documentation, word by word, over the channels of one pixel."""
    found = np.empty_like(x)
    for d in range(len(x)):
        window = x[max(0, d - depth_radius) : d + depth_radius + 1]
        found[d] = x[d] / (bias + alpha * (window**2).sum()) ** beta
    return found


@pytest.mark.parametrize(
    "given_settings", [(2, 2.0, 1e-4, 0.75), (5, 1.0, 1.0, 0.5), (0, 1.0, 0.3, 0.6), (9, 0.1, 0.2, 0.4)]
)
def test_tensorflows_parameters_mean_what_tensorflow_says(given_settings):
    radius, bias, alpha, beta = given_settings
    x = 30 * randn(8)
    expected = torch.from_numpy(tensorflows(x.numpy(), radius, bias, alpha, beta))
    found = local_response_norm(x.view(1, 8, 1), **from_tf(radius, bias=bias, alpha=alpha, beta=beta))
    assert_close(found.flatten(), expected, rtol=1e-12, atol=0)


def test_alexnets_alpha_is_five_times_as_large_in_torchs_parameters():
    assert from_tf(2, bias=2.0, alpha=1e-4, beta=0.75) == {"size": 5, "alpha": 5e-4, "beta": 0.75, "k": 2.0}


@given(radius=st.integers(0, 9), alpha=st.floats(1e-5, 10), beta=st.floats(0.1, 2), bias=st.floats(0.1, 10))
def test_there_and_back_are_the_same_parameters(radius, alpha, beta, bias):
    back = to_tf(**from_tf(radius, bias=bias, alpha=alpha, beta=beta))
    assert back == pytest.approx({"depth_radius": radius, "bias": bias, "alpha": alpha, "beta": beta}, rel=1e-15)


@pytest.mark.parametrize("size", [5, 6, 9])
def test_pixel_norm_is_one_whose_window_holds_all_channels(size):
    # C = 3, n >= 2C - 1, alpha = n / C, k = eps, beta = 1/2.
    x = randn(2, 3, 4, 5)
    found = local_response_norm(x, size, alpha=size / 3, beta=0.5, k=1e-8)
    assert_close(found, pixel_norm(x), rtol=1e-14, atol=1e-14)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 11])
def test_the_mirrored_window_is_the_adjoint(size):
    # <S x, y> = <x, S^T y>; the gradient is S^T y, and that of an even window is the one flipped over the channels.
    x, y = randn(2, 6, 3).requires_grad_(), randn(2, 6, 3, seed=1)
    (gradient,) = torch.autograd.grad(window_sum(x, size), x, y)
    assert_close(gradient, window_sum(y.flip(1), size).flip(1), rtol=1e-12, atol=1e-12)
    assert_close((window_sum(x.detach(), size) * y).sum(), (x * gradient).sum().detach(), rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("beta", [0.5, 0.75, 0.6])
@pytest.mark.parametrize("size", [4, 5])
def test_it_can_be_differentiated_twice(size, beta):
    x = randn(2, 5, 2).requires_grad_()

    def norm(x):
        return local_response_norm(x, size, alpha=0.5, beta=beta)

    assert gradcheck(norm, (x,))
    assert gradgradcheck(norm, (x,))


def test_values_do_not_depend_on_whether_a_gradient_is_asked_for():
    x = randn(2, 6, 3, 3)
    assert torch.equal(local_response_norm(x, 5), local_response_norm(x.clone().requires_grad_(), 5).detach())


def test_gradients_per_sample_can_be_taken():
    x = randn(3, 6, 2)
    jacobians = torch.func.vmap(torch.func.grad(lambda one: local_response_norm(one[None], 5, alpha=1.0).sum()))(x)
    leaf = x.clone().requires_grad_()
    (expected,) = torch.autograd.grad(local_response_norm(leaf, 5, alpha=1.0).sum(), leaf)
    assert_close(jacobians, expected, rtol=1e-12, atol=1e-12)


def test_channels_last_stays_so_forward_and_backward():
    x = randn(2, 6, 5, 3).to(memory_format=torch.channels_last).requires_grad_()
    y = local_response_norm(x, 5)
    (gradient,) = torch.autograd.grad(y, x, y.detach())
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert gradient.is_contiguous(memory_format=torch.channels_last)


def test_half_precision_is_squared_in_float32():
    x = torch.full((1, 5, 1, 1), 300.0, dtype=torch.float16)  # 300^2 is infinite in float16.
    expected = 300 / (1 + 1e-4 / 5 * 3 * 300**2) ** 0.75  # At the first channel three of five are there.
    assert local_response_norm(x, 5).dtype == torch.float16
    assert local_response_norm(x, 5)[0, 0].item() == pytest.approx(expected, rel=2e-3)  # Two roundings of 2^-11.


def test_the_layer_is_the_function():
    x = randn(2, 6, 3, 3)
    layer = LocalResponseNorm(3, alpha=0.1, beta=0.5, k=2.0)
    assert torch.equal(layer(x), local_response_norm(x, 3, alpha=0.1, beta=0.5, k=2.0))
    assert not list(layer.parameters())


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="size=0"):
        LocalResponseNorm(0)
    with pytest.raises(UserError, match=r"size=4.*3 or 5 can"):
        to_tf(4)
    with pytest.raises(UserError, match="depth_radius=-1"):
        from_tf(-1)


@pytest.mark.parametrize(
    ("x", "options", "message"),
    [
        (torch.ones(3), {"size": 3}, r"input has shape \(3,\)"),
        (torch.ones(1, 3, 2, dtype=torch.int32), {"size": 3}, "input is of int32"),
        (torch.ones(1, 3, 2), {"size": 3.0}, "size=3.0"),
        (torch.ones(1, 3, 2), {"size": 3, "k": 0.0}, "k=0.0, alpha=0.0001: k must be above 0"),
        (torch.ones(1, 3, 2), {"size": 3, "alpha": -1.0}, "alpha=-1.0"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_a_wrong_input_or_a_divisor_that_could_be_0_is_refused(x, options, message):
    with pytest.raises(UserError, match=message):
        local_response_norm(x, **options)


def test_a_batch_of_none_and_no_channels_stay_so():
    for shape in ((0, 3, 4, 4), (2, 0, 4, 4)):
        assert local_response_norm(torch.ones(shape), 5).shape == shape
