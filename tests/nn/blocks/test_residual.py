import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.residual import BasicBlock, Bottleneck, PaddedShortcut, Residual, projection, subsampling
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(module):
    initialise(module, torch.Generator().manual_seed(0))
    return module.double()


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_a_zero_branch_is_the_identity():
    block, x = started(Residual(Conv2d(3, 3, 3, padding=1, std=0.0))), randn(2, 3, 5, 4)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize(
    ("block", "last"), [(BasicBlock(8, 8), "norm2"), (Bottleneck(8, 2), "norm3")], ids=["basic", "bottleneck"]
)
def test_with_a_zero_last_norm_a_block_passes_what_is_not_negative(block, last):
    block, x = started(block), randn(2, 8, 5, 4).relu()
    nn.init.zeros_(getattr(block, last).weight)
    assert torch.equal(block(x), x)


@pytest.mark.parametrize("c", [4, 16])
def test_blocks_have_the_parameters_of_their_formulas(c):
    assert count(BasicBlock(c, c)) == 2 * (9 * c * c + 2 * c)
    assert count(Bottleneck(4 * c, c)) == (4 * c * c + 2 * c) + (9 * c * c + 2 * c) + (4 * c * c + 8 * c)
    # With a projection, a 1x1 convolution and a norm more.
    assert count(BasicBlock(c, 2 * c, stride=2)) == 18 * c * c + 36 * c * c + 8 * c + (2 * c * c + 4 * c)
    assert count(BasicBlock(c, 2 * c, stride=2, shortcut=PaddedShortcut)) == 54 * c * c + 8 * c


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
def test_a_padded_shortcut_takes_every_second_pixel_and_puts_zeros_on_both_sides(size):
    x = randn(2, 3, *size)
    y = PaddedShortcut(3, 8, 2)(x)
    assert torch.equal(y[:, 2:5], x[:, :, ::2, ::2])
    assert not y[:, :2].any()
    assert not y[:, 5:].any()
    assert y.shape[1] == 8


def test_a_shortcut_that_changes_nothing_is_the_input_itself():
    x = randn(1, 4, 3, 3)
    for shortcut in (projection(4, 4, 1), subsampling(4, 4, 1), PaddedShortcut(4, 4, 1)):
        assert torch.equal(shortcut(x), x)
    assert torch.equal(subsampling(4, 4, 2)(x), x[:, :, ::2, ::2])


def test_the_first_convolution_or_the_second_drops_pixels_as_told():
    # With the stride in the 1x1, what it drops is seen by nobody: three quarters of the pixels have no gradient.
    def reached(stride_at):
        block = started(Bottleneck(3, 2, stride=2, stride_at=stride_at)).eval()
        x = randn(1, 3, 8, 8).requires_grad_()
        (gradient,) = torch.autograd.grad(block(x).square().sum(), x)
        return (gradient.abs().sum(1) > 0).double().mean().item()

    assert reached("1x1") == 0.25
    assert reached("3x3") > 0.7


@pytest.mark.parametrize("size", [(8, 8), (7, 9)])
@pytest.mark.parametrize("block", [BasicBlock, Bottleneck])
def test_branch_and_shortcut_meet_at_odd_sizes_too(block, size):
    y = started(block(4, 8, stride=2))(randn(2, 4, *size))
    assert y.shape[2:] == ((size[0] + 1) // 2, (size[1] + 1) // 2)
    assert y.min() >= 0


def test_channels_last_stays_so():
    x = randn(2, 4, 6, 5).to(memory_format=torch.channels_last)
    for block in (BasicBlock(4, 8, stride=2), BasicBlock(4, 8, stride=2, shortcut=PaddedShortcut), Bottleneck(4, 2)):
        assert started(block)(x).is_contiguous(memory_format=torch.channels_last)


def test_a_padded_shortcut_to_fewer_channels_is_refused():
    with pytest.raises(UserError, match="from 8 channels to 4"):
        PaddedShortcut(8, 4, 1)


def test_two_shapes_that_differ_are_an_error_and_not_broadcast_in_silence():
    block = started(Residual(Conv2d(3, 3, 3)))
    with pytest.raises(RuntimeError, match="size of tensor"):
        assert_close(block(randn(1, 3, 8, 8)), None)
