import pytest
import torch
from torch import nn

from ganvas.core.errors import UserError
from ganvas.nn.equalized import EqualizedConv2d, EqualizedLinear
from ganvas.nn.initialise import initialise


def network():
    return nn.Sequential(EqualizedConv2d(2, 3, 3), nn.Sequential(EqualizedLinear(3, 4), nn.ReLU()))


def start(module, seed):
    initialise(module, torch.Generator().manual_seed(seed))
    return module


def test_one_generator_gives_one_network():
    one, same, other = start(network(), 1), start(network(), 1), start(network(), 2)
    assert all(torch.equal(a, b) for a, b in zip(one.parameters(), same.parameters(), strict=True))
    assert not torch.equal(one[0].weight, other[0].weight)


def test_operators_are_visited_in_the_order_of_registration():
    generator = torch.Generator().manual_seed(3)
    first, second = torch.randn(3, 2, 3, 3, generator=generator), torch.randn(4, 3, generator=generator)
    module = start(network(), 3)
    assert torch.equal(module[0].weight, first)
    assert torch.equal(module[1][0].weight, second)


def test_torchs_global_stream_is_not_touched():
    before = torch.random.get_rng_state()
    start(network(), 0)
    assert torch.equal(before, torch.random.get_rng_state())


def test_a_forgotten_start_is_seen_at_once():
    assert network()[0](torch.ones(1, 2, 4, 4)).isnan().all()


def test_a_float64_network_starts_where_a_float32_one_does():
    assert torch.equal(start(network().double(), 5)[0].weight, start(network(), 5)[0].weight.double())


def test_a_layer_that_cannot_be_restarted_is_refused_by_name():
    with pytest.raises(UserError, match=r"'1' \(Linear\) owns parameters and has no reset"):
        start(nn.Sequential(EqualizedLinear(2, 2), nn.Linear(2, 2)), 0)
