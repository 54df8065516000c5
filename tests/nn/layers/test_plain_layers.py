import math
import subprocess
import sys

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


NARROW_PROGRAM = """
import torch
from ganvas.core.seeds import stream
from ganvas.nn.blocks.residual import BasicBlock, projection
from ganvas.nn.layers.initialise import initialise

for before, after in ((2, 2), (2, 4), (3, 3), (4, 8)):
    for made in (projection(before, after, 2), BasicBlock(before, after, stride=2)):
        initialise(made, stream(0, "start"))
        for side in (8, 13, 24) * 8:
            x = torch.randn(4, before, side, side).contiguous(memory_format=torch.channels_last).requires_grad_()
            made.to(memory_format=torch.channels_last)(x).sum().backward()
"""


def test_narrow_convolutions_with_a_stride_do_not_write_beyond_their_memory():
    # torch 2.13's own, with few channels that are last, ends the process on a CPU: an abort or a segmentation fault.
    done = subprocess.run([sys.executable, "-c", NARROW_PROGRAM], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("channels", [3, 9])
def test_a_kernel_of_one_pixel_with_a_stride_is_torchs(channels):
    conv = Conv2d(channels, 4, 1, stride=2)
    initialise(conv, rng())
    x = torch.randn(2, channels, 7, 10, generator=rng(1), requires_grad=True)
    wanted = torch.nn.functional.conv2d(x, conv.weight, conv.bias, stride=2)
    for one, other in zip(*(torch.autograd.grad(y.square().sum(), x) for y in (conv(x), wanted)), strict=True):
        assert_close(one, other)
    assert_close(conv(x), wanted)
