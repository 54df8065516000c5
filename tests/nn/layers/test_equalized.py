import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.layers.initialise import initialise


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def started(module, seed=0):
    initialise(module, rng(seed))
    return module


def test_a_convolution_multiplies_by_the_he_constant_and_leaves_the_bias_alone():
    conv = started(EqualizedConv2d(5, 2, 3, gain=3.0)).double()
    x = torch.randn(4, 5, 6, 7, generator=rng(), dtype=torch.float64)
    with torch.no_grad():
        conv.bias.copy_(torch.tensor([1.0, -2.0]))
    expected = nn.functional.conv2d(x, conv.weight, padding=1) * (3.0 / math.sqrt(5 * 9)) + conv.bias.view(2, 1, 1)
    assert_close(conv(x), expected, rtol=1e-13, atol=1e-13)


def test_a_linear_layer_multiplies_by_the_he_constant():
    linear = started(EqualizedLinear(16, 3, gain=1.0)).double()
    x = torch.randn(4, 16, generator=rng(), dtype=torch.float64)
    assert_close(linear(x), x @ linear.weight.T / 4.0, rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("equalized", [True, False])
def test_outputs_have_unit_variance_at_the_start_when_the_gain_is_one(equalized):
    # fan_in terms of variance 1 / fan_in each; 64 x 400 outputs have a relative error of sqrt(2 / 25600) = 0.9 %.
    conv = started(EqualizedConv2d(16, 64, 3, gain=1.0, equalized=equalized, padding=0))
    x = torch.randn(400, 16, 3, 3, generator=rng(1))
    assert conv(x).var().item() == pytest.approx(1.0, rel=0.05)


def test_equalized_or_not_is_the_same_function_at_the_start():
    for build in (lambda e: EqualizedConv2d(3, 4, 3, equalized=e), lambda e: EqualizedLinear(6, 4, equalized=e)):
        one, other = started(build(True)), started(build(False))
        x = torch.randn(2, 3, 4, 4, generator=rng()) if one.weight.ndim == 4 else torch.randn(2, 6, generator=rng())
        assert_close(one(x), other(x))
        assert one.scale != other.scale


def test_padding_may_be_said_as_a_number():
    assert started(EqualizedConv2d(3, 2, 4, padding=0))(torch.zeros(1, 3, 4, 4)).shape == (1, 2, 1, 1)


def test_an_even_kernel_cannot_keep_the_size():
    with pytest.raises(UserError, match="kernel_size=4 is even"):
        EqualizedConv2d(3, 2, 4)


def test_bfloat16_activations_are_served_by_float32_weights_rounded_once():
    conv, linear = started(EqualizedConv2d(3, 2, 3)), started(EqualizedLinear(6, 64))
    assert conv(torch.ones(1, 3, 4, 4, dtype=torch.bfloat16)).dtype == torch.bfloat16
    one_hot = torch.eye(6, dtype=torch.bfloat16)
    assert torch.equal(linear(one_hot), (linear.weight * linear.scale).T.bfloat16())
    assert conv.weight.dtype == linear.weight.dtype == torch.float32


def test_a_slow_layer_is_the_same_function_at_the_start_and_adam_moves_it_by_its_multiplier():
    x = torch.randn(8, 16, generator=rng(), dtype=torch.float64)
    moved = []
    for multiplier in (1.0, 0.01):
        linear = started(EqualizedLinear(16, 3, gain=1.0, bias_start=0.5, lr_multiplier=multiplier)).double()
        before = linear(x).detach()
        assert_close(before, started(EqualizedLinear(16, 3, gain=1.0, bias_start=0.5)).double()(x).detach())
        adam = torch.optim.Adam(linear.parameters(), lr=1e-4)
        linear(x).sum().backward()
        adam.step()
        moved.append(linear(x).detach() - before)
    assert_close(moved[1], 0.01 * moved[0], rtol=1e-5, atol=1e-10)


def test_the_gain_of_an_activation_may_count_for_the_bias_too():
    x = torch.randn(2, 3, 4, 4, generator=rng(), dtype=torch.float64)
    conv = started(EqualizedConv2d(3, 2, 3, gain=2.0, bias_gain=2.0)).double()
    plain = started(EqualizedConv2d(3, 2, 3, gain=1.0)).double()
    for layer in (conv, plain):
        layer.bias.data.copy_(torch.tensor([1.0, -2.0]))
    assert_close(conv(x), 2 * plain(x))


def test_a_convolution_of_stride_two_keeps_every_second_pixel():
    x = torch.randn(2, 3, 7, 5, generator=rng(), dtype=torch.float64)
    one, two = (started(EqualizedConv2d(3, 2, 3, padding=0, stride=stride)).double() for stride in (1, 2))
    assert_close(two(x), one(x)[..., ::2, ::2])
