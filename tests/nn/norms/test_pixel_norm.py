import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck, gradgradcheck
from torch.testing import assert_close

from ganvas.nn.norms.pixel_norm import pixel_norm


def randn(*shape, seed=0, **options):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), **{"dtype": torch.float64} | options)


@pytest.mark.parametrize("shape", [(3, 7), (2, 5, 3, 4)])
def test_every_pixel_has_unit_mean_square(shape):
    squares = pixel_norm(randn(*shape)).square().mean(1)
    assert_close(squares, torch.ones_like(squares), rtol=0, atol=1e-6)  # eps moves it by eps / mean square.


def test_the_formula_holds_at_a_point():
    x = torch.tensor([[3e-4, 4e-4]], dtype=torch.float64)
    expected = x / (12.5e-8 + 1e-8) ** 0.5  # mean of 9e-8 and 16e-8, plus eps
    assert_close(pixel_norm(x), expected, rtol=1e-14, atol=0)


@settings(max_examples=20, deadline=None)
@given(scale=st.floats(1e-1, 1e3), seed=st.integers(0, 99))
def test_the_length_of_a_feature_vector_does_not_matter(scale, seed):
    # Relative effect of eps: at most eps / (2 mean square); 32 channels of scale 0.1 keep that below 1e-5.
    x = randn(2, 32, seed=seed)
    assert_close(pixel_norm(scale * x), pixel_norm(x), rtol=1e-5, atol=0)


def test_zero_stays_zero():
    assert pixel_norm(torch.zeros(1, 3, 2, 2)).count_nonzero() == 0


@pytest.mark.parametrize("value", [300.0, 2e-3])
def test_half_precision_is_squared_and_summed_in_float32(value):
    # In float16 the square of 300 is infinite, and eps is 0.
    x = torch.full((1, 64), value, dtype=torch.float16)
    assert pixel_norm(x).dtype == torch.float16
    expected = x.double() / (x.double().square() + 1e-8).sqrt()
    assert_close(pixel_norm(x).double(), expected, rtol=2e-3, atol=0)  # two roundings of 2^-11, at most


def test_zero_stays_zero_in_half_precision_too():
    assert pixel_norm(torch.zeros(1, 3, dtype=torch.float16)).count_nonzero() == 0


def test_it_can_be_differentiated_twice():
    x = randn(2, 3, 2, 1).requires_grad_()
    assert gradcheck(pixel_norm, (x,))
    assert gradgradcheck(pixel_norm, (x,))
