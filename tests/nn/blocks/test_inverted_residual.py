import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.inverted_residual import InvertedResidual
from ganvas.nn.layers.initialise import initialise


def randn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(1), dtype=torch.float64)


def started(*channels, **options):
    module = InvertedResidual(*channels, **options)
    initialise(module, torch.Generator().manual_seed(0))
    return module.double()


@pytest.mark.parametrize(("c", "t", "o"), [(24, 6, 32), (3, 2, 3)])
def test_it_has_the_parameters_of_its_formula(c, t, o):
    count = sum(parameter.numel() for parameter in InvertedResidual(c, o, expansion=t).parameters())
    assert count == c * c * t + 2 * c * t + 9 * c * t + 2 * c * t + c * t * o + 2 * o
    without = sum(parameter.numel() for parameter in InvertedResidual(c, o, expansion=1).parameters())
    assert without == 9 * c + 2 * c + c * o + 2 * o


def test_with_a_zero_branch_it_is_the_identity_of_any_sign():
    module, x = started(4, 4, expansion=6), randn(2, 4, 5, 7)
    nn.init.zeros_(module.project[1].weight)
    assert torch.equal(module(x), x)


@pytest.mark.parametrize(("out_channels", "stride"), [(4, 2), (5, 1)])
def test_where_the_shape_changes_nothing_is_added(out_channels, stride):
    module = started(4, out_channels, expansion=2, stride=stride)
    nn.init.zeros_(module.project[1].weight)
    assert not module(randn(2, 4, 5, 7)).any()


def test_the_bottleneck_is_linear():
    # Twice the last norm's scale and shift, twice the output: there is no activation after it.
    module, x = started(4, 6, expansion=3), randn(2, 4, 5, 7)
    before = module(x)
    assert before.min() < 0
    with torch.no_grad():
        module.project[1].weight *= 2
    assert_close(module(x), 2 * before, rtol=1e-12, atol=1e-12)


def test_the_wide_part_ends_at_six():
    module = started(3, 2, expansion=2).eval()
    with torch.no_grad():
        module.norm.bias.fill_(1e3)  # Everything in the middle is 6 now.
        module.project[0].weight.fill_(1.0)
    scale = (1 + 1e-5) ** -0.5  # Of a norm that has seen nothing.
    assert_close(module(randn(1, 3, 4, 4)), torch.full((1, 2, 4, 4), 6 * 6 * scale, dtype=torch.float64))


@pytest.mark.parametrize("stride", [1, 2])
def test_odd_sizes_and_channels_last(stride):
    x = randn(2, 4, 5, 7).to(memory_format=torch.channels_last)
    y = started(4, 4, expansion=2, stride=stride)(x)
    assert y.shape[2:] == (-(-5 // stride), -(-7 // stride))
    assert y.is_contiguous(memory_format=torch.channels_last)


def test_an_expansion_below_one_is_refused():
    with pytest.raises(UserError, match="expansion=0"):
        InvertedResidual(4, 4, expansion=0)
