"""Mixing of channels and actnorm: a rotation at the start, the determinant in both forms, statistics from data."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.nn.invertible.actnorm import Actnorm, calibrate_actnorms
from ganvas.nn.invertible.invertible_conv import LuConv, PlainConv, Reversal, Shuffle
from ganvas.nn.layers.initialise import initialise

KINDS = {"plain": PlainConv, "lu": LuConv, "reverse": lambda channels: Reversal(), "shuffle": Shuffle}


def started(kind, channels=4):
    layer = KINDS[kind](channels)
    initialise(layer, stream(0, "weights"))
    return layer


def numbers(*shape):
    return torch.randn(shape, generator=stream(0, "x"))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", KINDS)
def test_channels_are_mixed_by_the_map_that_the_determinant_is_of(holds_as_bijection, kind):
    layer = started(kind)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter.add_(0.2 * numbers(*parameter.shape))
    holds_as_bijection(layer, numbers(2, 4, 2, 3))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("kind", ["plain", "lu"])
def test_the_start_is_a_rotation_that_changes_no_volume(kind):
    layer = started(kind, 12)
    matrix = layer.matrix()
    assert_close(matrix @ matrix.T, torch.eye(12), rtol=0, atol=1e-6)
    assert layer(numbers(3, 12, 2, 2))[1].abs().max() < 1e-5


def test_both_forms_start_at_the_same_rotation():
    assert_close(started("plain", 6).matrix(), started("lu", 6).matrix(), rtol=0, atol=1e-6)


def test_a_determinant_out_of_the_range_of_numbers_has_a_logarithm_all_the_same():
    layer = started("plain", 384)
    with torch.no_grad():
        layer.weight.mul_(1e-3)  # The determinant is 1e-1152.
    found = layer(torch.zeros(1, 384, 1, 1))[1].item()
    assert found == pytest.approx(384 * -6.907755, rel=1e-5)


def test_what_lies_on_the_wrong_side_of_a_diagonal_means_nothing():
    layer = started("lu")
    before = layer.matrix()
    with torch.no_grad():
        layer.lower.add_(torch.ones(4, 4).triu())
        layer.upper.add_(torch.ones(4, 4).tril())
    assert torch.equal(layer.matrix(), before)


@pytest.mark.usefixtures("float64")
def test_actnorm_is_the_affine_map_of_its_parameters_times_three(holds_as_bijection):
    norm = Actnorm(3)
    with torch.no_grad():
        norm.bias.copy_(torch.tensor([1.0, -2.0, 0.0]))
        norm.logs.copy_(torch.tensor([0.1, 0.2, -0.4]))
    x = numbers(2, 3, 2, 2)
    assert_close(norm(x)[0][:, 1], (x[:, 1] - 2) * torch.tensor(0.6).exp())
    holds_as_bijection(norm, x)


class TwoNorms(nn.Module):
    def __init__(self):
        super().__init__()
        self.first, self.conv, self.second = Actnorm(3), nn.Conv2d(3, 2, 1), Actnorm(2)

    def forward(self, x):
        self.between = self.first(x)[0]
        return self.second(self.conv(self.between))[0]


@pytest.mark.usefixtures("float64")
def test_data_set_actnorms_one_after_another_so_that_each_gives_mean_0_and_variance_1():
    network = TwoNorms()
    initialise(network, stream(0, "weights"))
    x = 3 * numbers(50, 3, 4, 4) + 7
    calibrate_actnorms(network, x)
    y = network(x)
    for maps in (network.between, y):
        assert_close(maps.mean((0, 2, 3)), torch.zeros(maps.shape[1]), rtol=0, atol=1e-6)
        assert_close(maps.var((0, 2, 3), unbiased=False), torch.ones(maps.shape[1]), rtol=0, atol=1e-4)
    assert torch.equal(network(x), y), "a second pass changes nothing"
