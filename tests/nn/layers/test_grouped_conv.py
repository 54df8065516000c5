import pytest
import torch
from torch.autograd import gradcheck, gradgradcheck
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.initialise import initialise


def rng(seed=0):
    return torch.Generator().manual_seed(seed)


def started(*shape, **options):
    module = GroupedConv2d(*shape, **options)
    initialise(module, rng())
    if module.bias is not None:
        with torch.no_grad():
            module.bias.copy_(torch.arange(len(module.bias)))
    return module.double()


@pytest.mark.parametrize(("stride", "padding"), [(1, 0), (2, 1), (3, 2)])
@pytest.mark.parametrize("groups", [1, 2, 6])
def test_every_group_is_a_convolution_of_its_own(groups, stride, padding):
    layer, x = started(6, 12, 3, groups=groups, stride=stride, padding=padding), randn(2, 6, 9, 8)
    pieces = zip(x.chunk(groups, 1), layer.weight.chunk(groups), layer.bias.chunk(groups), strict=True)
    apart = [F.conv2d(part, w, b, stride=stride, padding=padding) for part, w, b in pieces]
    assert_close(layer(x), torch.cat(apart, 1), rtol=1e-12, atol=1e-12)


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=rng(seed), dtype=torch.float64)


@pytest.mark.parametrize("dilation", [2, 3, 4])
def test_a_dilated_kernel_is_one_with_zeros_between(dilation):
    layer, x = started(2, 3, 3, dilation=dilation, padding=dilation), randn(1, 2, 11, 13)
    side = 2 * dilation + 1
    stuffed = torch.zeros(3, 2, side, side, dtype=torch.float64)
    stuffed[:, :, ::dilation, ::dilation] = layer.weight.detach()
    assert_close(layer(x), F.conv2d(x, stuffed, layer.bias, padding=dilation), rtol=1e-12, atol=1e-12)
    assert layer(x).shape == (1, 3, 11, 13)


@pytest.mark.parametrize("groups", [1, 64])
def test_before_a_relu_every_output_starts_with_a_variance_of_two(groups):
    # He et al. 2015, eq. 10, with the fan-in of one group: fan_in Var[w] = 2.
    layer = GroupedConv2d(64, 64 * (36 if groups > 1 else 1), 3, groups=groups)
    initialise(layer, rng())
    fan_in = 9 * 64 // groups
    # 20,736 draws or more: a relative standard error of the variance of sqrt(2 / 20,736) = 1 %.
    assert layer.weight.var().item() * fan_in == pytest.approx(2, rel=0.03)
    assert not layer.bias.any()


def test_channels_last_stays_so_and_both_derivatives_are_there():
    layer, x = started(4, 4, 2, groups=2, dilation=2), randn(1, 4, 4, 3)
    assert layer(x.to(memory_format=torch.channels_last)).is_contiguous(memory_format=torch.channels_last)
    assert gradcheck(layer, (x.requires_grad_(),))
    assert gradgradcheck(layer, (x,))


@pytest.mark.parametrize("groups", [0, 4])
def test_groups_that_do_not_divide_are_refused(groups):
    with pytest.raises(UserError, match=f"6 channels in and 9 out cannot be cut into {groups}.*divisor of 3"):
        GroupedConv2d(6, 9, 3, groups=groups)
