import math

import pytest
import torch
from torch import nn

from ganvas.core.seeds import stream, torch_seeded
from ganvas.metrics.maths.lipschitz import product_of_norms, slopes, steepest


def places(n, dims):
    return torch.randn(n, dims, generator=stream(0, "places"), dtype=torch.float64)


def test_the_slope_of_a_linear_map_is_its_largest_singular_value():
    matrix = torch.tensor([[3.0, 0.0], [4.0, 0.0], [0.0, 2.0]], dtype=torch.float64)
    assert slopes(lambda z: z @ matrix.T, places(5, 2)).tolist() == pytest.approx([5.0] * 5)


def test_a_function_of_one_number_per_row_is_as_steep_as_its_gradient():
    found = slopes(lambda z: z.square().sum(1), torch.tensor([[3.0, 4.0]]))
    assert found.tolist() == pytest.approx([10.0])


def test_the_steepest_place_is_found_between_those_that_are_given():
    # d/dz of sin(5 z) + 5 z is 5 cos(5 z) + 5, 10 at most.
    found = steepest(lambda z: torch.sin(5 * z) + 5 * z, places(50, 1), stream(0, "search"))
    assert found == pytest.approx(10, rel=1e-3)
    assert found <= 10


def test_the_product_of_norms_lies_above_every_slope_and_is_reached_where_layers_agree():
    with torch_seeded(0):
        layers = nn.Sequential(nn.Linear(2, 16), nn.ReLU(), nn.Linear(16, 16), nn.Tanh(), nn.Linear(16, 2)).double()
    assert steepest(layers, places(500, 2), stream(0, "search")) <= product_of_norms(layers)
    one = nn.Sequential(nn.Linear(1, 1, bias=False), nn.ReLU(), nn.Linear(1, 1)).double()
    with torch.no_grad():
        one[0].weight.fill_(2.0)
        one[2].weight.fill_(-3.0)
    assert product_of_norms(one) == pytest.approx(6)
    assert steepest(one, places(50, 1), stream(0, "search")) == pytest.approx(6)


def test_no_bound_is_told_for_a_layer_that_has_none_known():
    with pytest.raises(TypeError, match="Softmax"):
        product_of_norms(nn.Sequential(nn.Softmax(1)))


def test_the_optimal_map_to_two_modes_is_as_steep_as_its_closed_form():
    # To (N(-m, s^2) + N(m, s^2)) / 2 from N(0, 1) the slope at 0 is phi(0) / p(0) = s exp(m^2 / 2 s^2).
    from ganvas.data.points.mixtures import MIXTURES

    line = MIXTURES["pair"].on_a_line()
    step = 1e-6
    z = torch.tensor([-step, step], dtype=torch.float64)
    low, high = line.quantiles(torch.special.ndtr(z).numpy())
    assert (high - low) / (2 * step) == pytest.approx(0.5 * math.exp(8), rel=1e-3)
