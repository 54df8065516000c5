import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.maxout import Maxout


def test_two_pieces_of_opposite_slope_make_the_absolute_value():
    layer = Maxout(1, 1, pieces=2)
    with torch.no_grad():
        layer.maps.weight.copy_(torch.tensor([[1.0], [-1.0]]))
        layer.maps.bias.zero_()
    x = torch.linspace(-2, 2, 9).view(-1, 1)
    assert_close(layer(x), x.abs())


def test_each_unit_is_the_largest_of_its_own_maps():
    layer = Maxout(3, 4, pieces=5)
    initialise(layer, stream(0, "weights"))
    x = torch.randn(6, 3, generator=stream(1, "x"))
    weights, biases = layer.maps.weight.view(4, 5, 3), layer.maps.bias.view(4, 5)
    for unit in range(4):
        one_by_one = torch.stack([x @ weights[unit, piece] + biases[unit, piece] for piece in range(5)])
        assert_close(layer(x)[:, unit], one_by_one.max(0).values)


def test_a_single_piece_is_a_linear_layer():
    layer = Maxout(3, 4, pieces=1)
    initialise(layer, stream(0, "weights"))
    x = torch.randn(6, 3, generator=stream(1, "x"))
    assert_close(layer(x), x @ layer.maps.weight.T + layer.maps.bias)
