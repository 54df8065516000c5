import pytest
import torch
from torch import nn
from torch.autograd import gradgradcheck
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.blocks.mixed_link import MixedLink, dense_block, mixed_link_block, narrow_branch, transition
from ganvas.nn.blocks.residual import Residual
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.plain_layers import Conv2d


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def started(module):
    initialise(module, torch.Generator().manual_seed(0))
    return module.double()


def plain(before, after):
    return Conv2d(before, after, 3, padding=1)


def count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def test_without_an_inner_link_it_is_a_dense_layer():
    link, x = started(MixedLink(5, 0, 3, branch=plain)), randn(2, 5, 4, 6)
    assert torch.equal(link(x), torch.cat([x, link.outer(x)], 1))


def test_without_an_outer_link_on_all_channels_it_is_a_residual_block():
    link, x = started(MixedLink(5, 5, 0, branch=plain)), randn(2, 5, 4, 6)
    assert torch.equal(link(x), Residual(link.inner)(x))


def test_the_inner_link_adds_to_the_last_channels_and_both_read_what_came_in():
    link, x = started(MixedLink(5, 2, 3, branch=plain)), randn(2, 5, 4, 6)
    expected = torch.cat([x[:, :3], x[:, 3:] + link.inner(x), link.outer(x)], 1)
    assert torch.equal(link(x), expected)


def test_with_zero_branches_what_came_in_goes_through_all_layers():
    block = started(mixed_link_block(6, 4, 2, 3, branch=lambda a, b: Conv2d(a, b, 3, padding=1, std=0.0)))
    x = randn(2, 6, 3, 3)
    y = block(x)
    assert y.shape[1] == 6 + 3 * 2
    assert torch.equal(y[:, :6], x)
    assert not y[:, 6:].any()


@pytest.mark.parametrize(("channels", "growth", "layers"), [(24, 12, 5), (7, 3, 2)])
def test_a_dense_block_has_the_parameters_of_its_formula(channels, growth, layers):
    def layer(c):  # BN, 1x1 to 4k, BN, 3x3 to k
        return 2 * c + 4 * growth * c + 8 * growth + 9 * 4 * growth * growth

    block = dense_block(channels, growth, layers)
    assert count(block) == sum(layer(channels + index * growth) for index in range(layers))
    assert count(mixed_link_block(channels, growth, growth, layers)) == 2 * count(block)


def test_a_branch_keeps_the_size_and_a_transition_halves_it():
    x = randn(2, 6, 8, 6)
    assert started(narrow_branch(6, 4))(x).shape == (2, 4, 8, 6)
    assert started(transition(6, 3))(x).shape == (2, 3, 4, 3)


def test_channels_last_stays_so_and_it_can_be_differentiated_twice():
    link, x = started(MixedLink(3, 2, 1, branch=plain)), randn(1, 3, 3, 2)
    assert link(x.to(memory_format=torch.channels_last)).is_contiguous(memory_format=torch.channels_last)
    assert gradgradcheck(lambda x: link(x).tanh(), (x.requires_grad_(),))


def test_any_module_can_be_the_branch():
    link = MixedLink(4, 4, 0, branch=lambda before, after: nn.Tanh())
    x = randn(1, 4, 2, 2)
    assert_close(link(x), x + x.tanh())


@pytest.mark.parametrize(("k1", "k2"), [(0, 0), (6, 1), (-1, 2), (1, -1)])
def test_links_that_cannot_be_are_refused(k1, k2):
    with pytest.raises(UserError, match=f"k1={k1}, k2={k2} on 5 channels"):
        MixedLink(5, k1, k2)
