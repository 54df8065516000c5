import math

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear

PEERS = {
    "conv": (Conv2d(3, 5, (3, 4), stride=2, padding=1), nn.functional.conv2d),
    "transposed": (ConvTranspose2d(3, 5, (3, 4), stride=2, padding=1), nn.functional.conv_transpose2d),
}


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize("kind", PEERS)
def test_the_layers_compute_what_torch_s_functions_compute(kind):
    layer, peer = PEERS[kind]
    initialise(layer, rng())
    x = torch.randn(2, 3, 7, 9, generator=rng(1))
    with torch.no_grad():
        layer.bias.copy_(torch.arange(5.0))
    assert_close(layer(x), peer(x, layer.weight, layer.bias, stride=2, padding=1))


def test_a_linear_layer_is_a_matrix_and_a_bias():
    layer = Linear(4, 3, std=1.0)
    initialise(layer, rng())
    with torch.no_grad():
        layer.bias.copy_(torch.arange(3.0))
    x = torch.randn(2, 4, generator=rng(1))
    assert_close(layer(x), x @ layer.weight.T + torch.arange(3.0))


@pytest.mark.parametrize(
    "layer",
    [Conv2d(64, 64, 3, padding=1), ConvTranspose2d(64, 64, 4, stride=2, padding=1), Linear(576, 4096)],
    ids=["conv", "transposed", "linear"],
)
def test_before_a_relu_every_output_starts_with_a_variance_of_two(layer):
    # He et al. 2015, eq. 10: fan_in Var[w] = 2 keeps the mean square through a ReLU. Borders see fewer inputs.
    initialise(layer, rng())
    shape = (16, 576) if isinstance(layer, Linear) else (4, 64, 12, 12)
    y = layer(torch.randn(shape, generator=rng(1)))
    inside = y if y.ndim == 2 else y[..., 2:-2, 2:-2]
    assert_close(inside.var().item(), 2.0, rtol=0.06, atol=0)  # About 10^4 weights: 3 sigma of their mean square.


@pytest.mark.parametrize("kind", [Conv2d, ConvTranspose2d])
def test_a_given_standard_deviation_is_that_of_the_weights_and_biases_start_at_zero(kind):
    layer = kind(64, 64, 4, std=0.02)
    initialise(layer, rng())
    # 65,536 draws: a relative standard error of 1 / sqrt(2 x 65,536) = 0.28 %.
    assert math.isclose(layer.weight.std().item(), 0.02, rel_tol=0.01)
    assert not layer.bias.any()
    assert kind(3, 4, 2, bias=False).bias is None
