"""The effective receptive field against the closed form for equal taps."""

import math

import numpy as np
import pytest
import torch
from torch import nn

from ganvas.anatomy.fields.effective_field import effective_field
from ganvas.core.errors import UserError


def equal_taps(depth):
    layers = [nn.Conv2d(1, 1, 3, padding=1, bias=False) for _ in range(depth)]
    for layer in layers:
        nn.init.constant_(layer.weight, 1 / 9)
    return nn.Sequential(*layers).double()


@pytest.mark.parametrize(("depth", "within"), [(5, 0.66), (10, 0.49), (20, 0.36)])
def test_equal_taps_have_the_deviation_of_a_sum_of_uniform_steps(depth, within):
    # Each layer moves a step of -1, 0 or 1 with equal weight: variance 2/3. Two deviations to either side cover a share
    # of the theoretical side 2 n + 1 that shrinks as n^(-1/2) (Luo et al. 2016, theorem 1): 4 sqrt(2n/3) / (2n+1).
    found = effective_field(equal_taps(depth), (1, 1, 61, 61), samples=2)
    assert found.deviation == pytest.approx((math.sqrt(2 * depth / 3),) * 2, rel=1e-12)
    assert found.centre == pytest.approx((30, 30), abs=1e-12)
    assert 4 * found.deviation[0] / (2 * depth + 1) == pytest.approx(within, abs=0.01)


def test_the_gradient_lies_where_the_unit_looks():
    found = effective_field(equal_taps(2), (1, 1, 32, 40), unit=(10, 20), samples=1)
    rows, columns = np.nonzero(found.gradient)
    assert (rows.min(), rows.max(), columns.min(), columns.max()) == (8, 12, 18, 22)
    assert found.gradient.sum() == pytest.approx(1)


def test_the_same_seed_measures_the_same_and_the_model_stays_as_it_was():
    model = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.Conv2d(8, 4, 3, padding=1))
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(3)
    first, second = (effective_field(model, (3, 16, 16), layer="2", samples=3, seed=5) for _ in range(2))
    assert np.array_equal(first.gradient, second.gradient)
    assert model.training
    assert all(torch.equal(value, before[name]) for name, value in model.state_dict().items())
    assert not model[2]._forward_hooks
    assert model[0].weight.grad is None


def test_a_layer_without_places_is_one_unit():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Flatten(), nn.Linear(64, 2))
    found = effective_field(model, (1, 8, 8), samples=1)
    assert found.unit is None
    assert found.above > 9


def test_a_dead_unit_says_so():
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.ReLU())
    nn.init.constant_(model[0].weight, 0)
    nn.init.constant_(model[0].bias, -1)
    found = effective_field(model, (1, 8, 8), samples=2)
    assert found.gradient.sum() == 0
    assert found.above == 0


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"layer": "nine"}, "no module 'nine'"),
        ({"layer": "0", "unit": (9, 0)}, "no unit"),
    ],
)
def test_what_cannot_be_measured_is_refused(how, said):
    model = nn.Sequential(nn.Conv2d(1, 1, 3, padding=1), nn.Flatten())
    with pytest.raises(UserError, match=said):
        effective_field(model, (1, 1, 8, 8), **how)
    with pytest.raises(UserError, match="no weights"):
        effective_field(model.to("meta"), (1, 1, 8, 8))


def test_a_dict_is_measured_at_its_first_tensor_and_what_has_no_gradient_is_named():
    class Named(nn.Module):
        def __init__(self, whole):
            super().__init__()
            self.conv, self.whole = nn.Conv2d(1, 2, 3, padding=1), whole

        def forward(self, x):
            return {"classes": self.conv(x).argmax(1)} if self.whole else {"logits": self.conv(x)}

    found = effective_field(Named(False), (1, 9, 9), samples=2)
    assert (found.gradient > 0).sum() == 9
    with pytest.raises(UserError, match="gives int64: no numbers that have a gradient"):
        effective_field(Named(True), (1, 9, 9), samples=2)
