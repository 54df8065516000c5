import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(*shape, **options):
    module = GatedConv2d(*shape, **options)
    initialise(module, torch.Generator().manual_seed(0))
    return module.double()


@pytest.mark.parametrize(
    "options", [{}, {"stride": 2, "padding": 1}, {"dilation": 2, "padding": 2, "activation": torch.tanh}]
)
def test_it_is_two_convolutions_one_of_which_says_how_much_of_the_other(options):
    layer, x = started(3, 5, 3, **options), randn(2, 3, 8, 7)
    w, b = layer.convolution.weight, layer.convolution.bias
    phi = options.pop("activation", F.elu)
    features, gates = F.conv2d(x, w[:5], b[:5], **options), F.conv2d(x, w[5:], b[5:], **options)
    assert_close(layer(x), phi(features) / (1 + (-gates).exp()), rtol=1e-12, atol=1e-12)


def test_an_open_gate_is_the_plain_convolution_and_a_shut_one_nothing():
    layer, x = started(3, 5, 3), randn(2, 3, 6, 6)
    with torch.no_grad():
        layer.convolution.bias[5:] = 1e3
        assert_close(layer(x), F.elu(layer.convolution(x)[:, :5]), rtol=1e-12, atol=1e-12)
        layer.convolution.bias[5:] = -1e3
        assert not layer(x).any()


def test_it_has_twice_the_parameters():
    gated, plain = GatedConv2d(4, 8, 3), Conv2d(4, 8, 3)
    twice = 2 * sum(p.numel() for p in plain.parameters())
    assert sum(p.numel() for p in gated.parameters()) == twice == 2 * (9 * 4 * 8 + 8)


def test_channels_last_stays_so_and_both_derivatives_are_there():
    layer, x = started(2, 2, 2), randn(1, 2, 3, 4)
    last = layer(x.to(memory_format=torch.channels_last))
    assert last.is_contiguous(memory_format=torch.channels_last)
    assert_close(last, layer(x), rtol=1e-12, atol=1e-12)
    assert gradcheck(layer, (x.requires_grad_(),))
    assert gradgradcheck(layer, (x,))
