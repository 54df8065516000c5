"""First and second derivatives of every operator, by the input and by what it learns, against differences (float64).

Second ones along random directions (``fast_mode``), of which one that is wrong shows in any.
"""

import pytest
import torch
from torch import nn
from torch.autograd import gradcheck, gradgradcheck
from torch.func import functional_call

from ganvas.claims.operators.downsample import Downsample
from ganvas.claims.operators.resize_kernel import resize
from ganvas.nn.blocks.fire import Fire
from ganvas.nn.blocks.inverted_residual import InvertedResidual
from ganvas.nn.blocks.mixed_link import MixedLink, transition
from ganvas.nn.blocks.residual import BasicBlock, Bottleneck, PaddedShortcut
from ganvas.nn.blocks.skips import add_skip, concatenate_skip
from ganvas.nn.laplacian_pyramid import laplacian_pyramid
from ganvas.nn.layers.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.layers.fused_scale import EqualizedDownConv2d, EqualizedUpConv2d
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d, Linear
from ganvas.nn.layers.resample import double, halve
from ganvas.nn.layers.smooth_resample import smooth, smooth_double, smooth_halve, smooth_up_conv
from ganvas.nn.norms.spectral_norm import SpectralNorm
from ganvas.nn.transposed.resize_convolution import resize_conv_kernel
from ganvas.nn.transposed.subpixel_layer import SubpixelConvTranspose
from ganvas.nn.transposed.transposed import conv_transpose

MODULES = {
    "conv": (lambda: Conv2d(2, 2, (2, 3), padding=1), (1, 2, 3, 4)),
    "conv_transpose": (lambda: ConvTranspose2d(2, 1, 3, stride=2, padding=1), (1, 2, 3, 2)),
    "linear": (lambda: Linear(3, 2), (2, 3)),
    "equalized": (lambda: EqualizedConv2d(2, 2, 3), (1, 2, 3, 3)),
    "equalized_linear": (lambda: EqualizedLinear(3, 2), (2, 3)),
    "up": (lambda: EqualizedUpConv2d(1, 2), (1, 1, 3, 2)),
    "up_separate": (lambda: EqualizedUpConv2d(1, 2, fused=False), (1, 1, 3, 2)),
    "down": (lambda: EqualizedDownConv2d(2, 1), (1, 2, 5, 4)),
    "down_separate": (lambda: EqualizedDownConv2d(2, 1, fused=False), (1, 2, 5, 4)),
    "subpixel": (lambda: SubpixelConvTranspose(2, 2, 3, stride=2, padding=1, groups=2), (1, 2, 3, 2)),
    "spectral": (lambda: SpectralNorm(Conv2d(2, 2, 2)).eval(), (1, 2, 3, 3)),
    "fire": (lambda: Fire(2, 1, 1, 1), (1, 2, 3, 3)),
    "inverted": (lambda: InvertedResidual(2, 2, expansion=2), (2, 2, 3, 3)),
    "basic": (lambda: BasicBlock(2, 3, stride=2), (2, 2, 3, 3)),
    "basic_padded": (lambda: BasicBlock(2, 3, stride=2, shortcut=PaddedShortcut), (2, 2, 3, 3)),
    "bottleneck": (lambda: Bottleneck(2, 1, expansion=2), (2, 2, 3, 3)),
    "mixed": (lambda: MixedLink(2, 1, 1), (2, 2, 3, 3)),
    "transition": (lambda: transition(2, 1), (2, 2, 4, 5)),
}
FUNCTIONS = {
    **{f"down-{m}": (Downsample(m, taps=3), [(1, 2, 5, 4)]) for m in ("max", "average", "stride", "blur", "max-blur")},
    "double": (double, [(1, 2, 3, 2)]),
    "halve": (halve, [(1, 2, 4, 2)]),
    "smooth": (lambda x: smooth(x, margin=2), [(1, 2, 3, 2)]),
    "smooth_double": (smooth_double, [(1, 2, 3, 2)]),
    "smooth_halve": (smooth_halve, [(1, 2, 4, 2)]),
    "smooth_up": (smooth_up_conv, [(1, 2, 3, 2), (1, 2, 3, 3)]),
    "pyramid": (lambda x: tuple(laplacian_pyramid(x, 2)), [(1, 1, 4, 6)]),
    **{f"resize-{m}": (lambda x, m=m: resize(x, 3, m), [(1, 1, 3, 2)]) for m in ("nearest", "bilinear", "bicubic")},
    "resize_corners": (lambda x: resize(x, 2, align_corners=True), [(1, 1, 3, 2)]),
    "resize_convolution": (
        lambda x, v: conv_transpose(x, resize_conv_kernel(v, 2), stride=2, padding=1, method="resize"),
        [(1, 1, 3, 2), (1, 2, 3, 2)],
    ),
    "concatenate": (concatenate_skip, [(1, 2, 3, 2), (1, 1, 5, 4)]),
    "add": (add_skip, [(1, 2, 3, 2), (1, 2, 4, 5)]),
}


def randn(*shape, seed=0):
    drawn = torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return drawn.requires_grad_()


def still(module):
    """Batch norms forget what they saw, so that a function is evaluated and not a history; no bias is 0.

    Where every input of a ReLU is a bias of 0, as behind a dead layer, differences straddle its kink.
    """
    for name, parameter in module.named_parameters():
        if name.endswith("bias"):
            nn.init.constant_(parameter, 0.1)
    for part in module.modules():
        if hasattr(part, "momentum"):
            part.momentum = 0.0
    return module


@pytest.mark.slow
@pytest.mark.parametrize("name", MODULES)
def test_a_layer_is_differentiated_twice_by_its_input_and_its_weights(name):
    make, shape = MODULES[name]
    module: nn.Module = make()
    initialise(module, torch.Generator().manual_seed(1))
    module = still(module.double())
    names, weights = zip(*((n, p.detach().clone().requires_grad_()) for n, p in module.named_parameters()), strict=True)

    def function(x, *given):
        return functional_call(module, dict(zip(names, given, strict=True)), (x,))

    learnt = name != "spectral"  # Its weight is read through the power method; by the input alone.
    if learnt:
        assert gradcheck(function, (randn(*shape), *weights))
        assert gradgradcheck(function, (randn(*shape), *weights), fast_mode=True)
    else:
        assert gradcheck(module, (randn(*shape),))
        assert gradgradcheck(module, (randn(*shape),), fast_mode=True)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_function_is_differentiated_twice_by_all_that_it_is_given(name):
    function, shapes = FUNCTIONS[name]
    inputs = [randn(*shape, seed=index) for index, shape in enumerate(shapes)]
    assert gradcheck(function, inputs)
    assert gradgradcheck(function, inputs, fast_mode=True)
