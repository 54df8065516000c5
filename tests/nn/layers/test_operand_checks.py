"""What a user finds who reads an operator's docstring alone: other sizes, kinds of number and layouts of memory."""

import pytest
import torch
from torch import nn

from ganvas.claims.operators.dilated import correlate, dilated_conv
from ganvas.claims.operators.downsample import Downsample
from ganvas.claims.operators.resize_kernel import resize
from ganvas.core.errors import UserError
from ganvas.nn.blocks.fire import Fire
from ganvas.nn.blocks.minibatch_stddev import MinibatchStdDev
from ganvas.nn.blocks.self_attention import SelfAttention2d
from ganvas.nn.laplacian_pyramid import down, up
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear
from ganvas.nn.layers.resample import double, halve
from ganvas.nn.norms.batch_norm import BatchNorm2d
from ganvas.nn.norms.layer_norm import LayerNorm2d
from ganvas.nn.norms.pixel_norm import pixel_norm
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose
from ganvas.nn.transposed.transposed import conv_transpose

pytestmark = pytest.mark.usefixtures("unchecked")

ONES = torch.ones(4, 4, 2, 2)
PICTURES = {
    "conv": Conv2d(4, 4, 3, padding=1),
    "conv_transpose": ConvTranspose2d(4, 4, 4, stride=2, padding=1),
    "grouped": GroupedConv2d(4, 4, 3, groups=4, padding=1),
    "gated": GatedConv2d(4, 4, 3, padding=1),
    "equalized": EqualizedConv2d(4, 4, 3),
    "up_fused": EqualizedUpConv2d(4, 4),
    "up_separate": EqualizedUpConv2d(4, 4, fused=False),
    "down_fused": EqualizedDownConv2d(4, 4),
    "down_separate": EqualizedDownConv2d(4, 4, fused=False),
    "subpixel": SubpixelConvTranspose(4, 4, 4, stride=2, padding=1),
    "stddev": MinibatchStdDev(None),
    "stddev_of_groups": MinibatchStdDev(2),
    "attention": SelfAttention2d(4, reduction=2, pool=True),
    "fire": Fire(4, 2, 2, 2),
    "batch_norm": BatchNorm2d(4),
    "layer_norm": LayerNorm2d(4),
    **{name: Downsample(name, taps=3) for name in ("max", "average", "stride", "blur", "max-blur")},
    "double": double,
    "halve": halve,
    "pyramid_down": down,
    "pyramid_up": up,
    **{m: lambda x, m=m: conv_transpose(x, ONES.to(x), stride=2, method=m) for m in ("native", "zero", "subpixel")},
    "dilated": lambda x: dilated_conv(x, ONES.to(x), dilation=2, method="space_to_batch"),
}
OTHERS = {
    "linear": Linear(4, 4),
    "equalized_linear": EqualizedLinear(4, 4),
    "pixel_norm": pixel_norm,
    "resize": lambda x: resize(x, 2),
    "correlate": lambda x: correlate(x, ONES.to(x), "same"),
}
for part in (*PICTURES.values(), *OTHERS.values()):
    if isinstance(part, nn.Module):
        initialise(part, torch.Generator().manual_seed(0))


@pytest.mark.parametrize("name", [*PICTURES, *OTHERS])
def test_whole_numbers_are_refused_where_weights_cut_to_their_kind_would_be_0(name):
    x = torch.ones(2, 4) if "linear" in name else torch.ones(2, 4, 8, 6)
    with pytest.raises(UserError, match=r"input is of (uint8|int64), .*input\.float\(\)"):
        (PICTURES | OTHERS)[name](x.to(torch.uint8))


@pytest.mark.parametrize("name", PICTURES)
def test_a_single_picture_without_a_batch_is_refused(name):
    with pytest.raises(UserError, match=r"(x\[None\]|input\[None\]|axes)"):
        PICTURES[name](torch.ones(4, 8, 6))


@pytest.mark.parametrize("name", PICTURES)
def test_channels_last_stays_so_and_a_batch_of_none_too(name):
    x = torch.randn(2, 4, 8, 6, generator=torch.Generator().manual_seed(0)).to(memory_format=torch.channels_last)
    y = PICTURES[name](x)
    assert y.is_contiguous(memory_format=torch.channels_last)
    assert PICTURES[name](x[:0]).shape == (0, *y.shape[1:])


@pytest.mark.parametrize("name", ["down_fused", "down_separate", "attention", "max", "average", "max-blur"])
def test_a_picture_of_one_pixel_that_cannot_be_halved_is_refused(name):
    with pytest.raises(UserError, match=r"1 x 1 \(height x width\) cannot be .*: at least 2 x 2"):
        PICTURES[name](torch.ones(2, 4, 1, 1))


def test_odd_sides_of_a_pyramid_other_channels_and_another_precision_of_a_norm_are_refused():
    with pytest.raises(UserError, match=r"7 x 6 .* both sides must be even"):
        down(torch.ones(1, 1, 7, 6))
    for norm in (BatchNorm2d(4), LayerNorm2d(1)):
        with pytest.raises(UserError, match="input has 3 channels and this layer is for"):
            norm(torch.ones(2, 3, 4, 4))
    with pytest.raises(UserError, match=r"float64 .* \.double\(\)"):
        BatchNorm2d(4)(torch.ones(2, 4, 3, 3, dtype=torch.float64))
