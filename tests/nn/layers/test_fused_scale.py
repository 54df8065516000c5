import pytest
import torch
import torch.nn.functional as F
from torch.autograd import grad
from torch.testing import assert_close

from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d, four_shifts
from ganvas.nn.layers.initialise import initialise


def both_ways(kind, seed=0):
    """The same operator, fused and separate, with a bias that is not zero."""
    fused, separate = kind(3, 4, fused=True), kind(3, 4, fused=False)
    initialise(fused, torch.Generator().manual_seed(seed))
    fused.bias.data.copy_(torch.arange(4.0))
    separate.load_state_dict(fused.state_dict())
    return fused.double(), separate.double()


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


EXACT = {"rtol": 1e-12, "atol": 1e-12}  # float64 sums of 27 products in another order
KINDS = [EqualizedUpConv2d, EqualizedDownConv2d]
SIZES = [(1, 2, 2), (2, 4, 4), (3, 5, 7), (1, 6, 3)]


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "height", "width"), SIZES)
def test_fused_and_separate_are_equal(kind, n, height, width):
    fused, separate = both_ways(kind)
    x = randn(n, 3, height, width)
    assert_close(fused(x), separate(x), **EXACT)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "height", "width"), SIZES)
def test_their_gradients_and_double_gradients_are_equal(kind, n, height, width):
    found = []
    for conv in both_ways(kind):
        x = randn(n, 3, height, width).requires_grad_()
        (first,) = grad(F.softplus(conv(x)).sum(), x, create_graph=True)
        second = grad(first.square().sum(), [x, conv.weight, conv.bias])
        found.append((first.detach(), *second))
    for one, other in zip(*found, strict=True):
        assert_close(one, other, **EXACT)


def test_up_is_a_convolution_of_the_repeated_picture():
    _, conv = both_ways(EqualizedUpConv2d)
    x = randn(2, 3, 3, 4)
    repeated = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    scale = (2 / 27) ** 0.5  # gain sqrt(2) over sqrt(fan-in of 3 channels x 9 pixels)
    expected = F.conv2d(repeated, conv.weight * scale, conv.bias, padding=1)
    for way in both_ways(EqualizedUpConv2d):
        assert_close(way(x), expected, **EXACT)


def test_down_is_the_mean_of_a_convolution():
    x = randn(2, 3, 6, 4)
    for way in both_ways(EqualizedDownConv2d):
        full = F.conv2d(x, way.weight * (2 / 27) ** 0.5, way.bias, padding=1)
        expected = full.unflatten(3, (2, 2)).unflatten(2, (3, 2)).mean((3, 5))
        assert_close(way(x), expected, **EXACT)


def test_the_four_shifts_of_a_pixel_are_a_square():
    kernel = torch.zeros(1, 1, 3, 3)
    kernel[..., 0, 2] = 1
    assert torch.equal(four_shifts(kernel)[0, 0], torch.tensor([[0.0, 0, 1, 1], [0, 0, 1, 1], [0] * 4, [0] * 4]))


@pytest.mark.parametrize("kind", KINDS)
def test_without_equalisation_it_is_the_same_function_at_the_start(kind):
    x = randn(1, 3, 4, 4)
    one, other = kind(3, 2, equalized=True), kind(3, 2, equalized=False)
    for conv in (one, other):
        initialise(conv, torch.Generator().manual_seed(0))
    assert_close(one(x.float()), other(x.float()))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("fused", [True, False])
def test_bfloat16_activations_are_served(kind, fused):
    conv = kind(3, 2, fused=fused)
    initialise(conv, torch.Generator().manual_seed(0))
    assert conv(torch.ones(1, 3, 4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
