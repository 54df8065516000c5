"""Edits of units: they do what they say, and leave everything else as it was."""

import pytest
import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.dissect.instrument import Instrument, UnitEdit, ablated, inserted, units_mask
from ganvas.dissect.places import numbered


class Net(nn.Module):
    """Modules and functions, the last written in place."""

    def __init__(self) -> None:
        super().__init__()
        torch.manual_seed(0)
        self.first, self.norm, self.act = nn.Conv2d(3, 6, 3, padding=1), nn.BatchNorm2d(6), nn.ReLU(inplace=True)
        self.second = nn.Conv2d(6, 5, 3, padding=1)

    def forward(self, x: Tensor) -> Tensor:
        x = self.act(self.norm(self.first(x)))
        x = F.leaky_relu(self.second(x) * 1.5, 0.2)
        y = torch.tanh(x) + 0.0
        y.mul_(0.5)
        return y


@pytest.fixture
def net() -> Net:
    return Net().eval()


@pytest.fixture
def pictures(rng: torch.Generator) -> Tensor:
    return torch.randn(4, 3, 8, 8, generator=rng)


def place_of(net: nn.Module, pictures: Tensor, op: str):
    found = numbered(net, (pictures,), {}, name="net")
    node = next(node for node in found.graph.nodes if node.op == op)
    return found.place(f"#{node.index}")


def test_a_functional_activation_is_kept_as_it_was_computed(net, pictures):
    place = place_of(net, pictures, "leaky_relu")
    with torch.no_grad(), Instrument(net, keep=[place]) as instrument:
        net(pictures)
        x = net.act(net.norm(net.first(pictures)))
    assert_close(instrument.maps[place.name], F.leaky_relu(net.second(x) * 1.5, 0.2), rtol=0, atol=0)
    assert (place.units, place.size) == (5, (8, 8))


@pytest.mark.parametrize("op", ["conv2d", "relu", "leaky_relu", "mul"])
@torch.no_grad()
def test_strength_zero_is_the_identity_to_the_bit(net, pictures, op):
    place = place_of(net, pictures, op)
    before = net(pictures)
    edit = UnitEdit(place=place, strength=torch.zeros(1, 1, 1, 1), value=torch.full((1, 1, 1, 1), 7.0))
    with Instrument(net, edits=[edit]):
        assert torch.equal(net(pictures), before)
    assert torch.equal(net(pictures), before)


@torch.no_grad()
def test_an_edit_of_a_later_operation_leaves_earlier_ones_to_the_bit(net, pictures):
    early, late = place_of(net, pictures, "relu"), place_of(net, pictures, "leaky_relu")
    with Instrument(net, keep=[early]) as before:
        net(pictures)
    with Instrument(net, keep=[early, late], edits=[ablated(late, [2])]) as after:
        net(pictures)
    assert torch.equal(before.maps[early.name], after.maps[early.name])
    assert not after.maps[late.name][:, 2].any()
    assert after.maps[late.name][:, 3].any()


@torch.no_grad()
def test_inserting_all_units_at_all_places_is_a_constant_input_of_what_follows(net, pictures):
    place = place_of(net, pictures, "leaky_relu")
    value = torch.arange(5.0) / 10
    with Instrument(net, edits=[inserted(place, range(5), value, torch.ones(1, 1, 8, 8))]):
        drawn = net(pictures)
    assert_close(drawn, torch.tanh(value).mul(0.5).view(1, 5, 1, 1).expand_as(drawn))


@torch.no_grad()
def test_two_edits_of_one_place_compose_their_strengths(net, pictures):
    # 1 - (1 - a1)(1 - a2) with the same value: .5 and .5 are .75.
    place = place_of(net, pictures, "leaky_relu")
    half, three = (
        UnitEdit(place=place, strength=torch.tensor([[[[a]]]]), value=torch.ones(1, 1, 1, 1)) for a in (0.5, 0.75)
    )
    with Instrument(net, edits=[half, half]):
        twice = net(pictures)
    with Instrument(net, edits=[three]):
        assert_close(net(pictures), twice)


@torch.no_grad()
def test_what_is_written_in_place_is_edited_where_it_is_read(net, pictures):
    place = place_of(net, pictures, "mul")  # Of the second convolution; the last one's result is not assigned.
    found = numbered(net, (pictures,), {}, name="net")
    last = [node for node in found.graph.nodes if node.op == "mul"][-1]
    with Instrument(net, edits=[ablated(found.place(f"#{last.index}"), range(5))]):
        assert not net(pictures).any()
    assert place.call < found.place(f"#{last.index}").call


def test_hooks_are_gone_after_an_exception(net, pictures):
    place = place_of(net, pictures, "leaky_relu")
    with pytest.raises(RuntimeError), Instrument(net, edits=[ablated(place, [0])]):
        net(pictures[:, :2])
    assert not net._forward_hooks
    assert not net._forward_pre_hooks
    assert torch.isfinite(net(pictures)).all()


def test_gradients_flow_through_an_edit(net, pictures):
    place = place_of(net, pictures, "leaky_relu")
    strength = torch.full((1, 5, 1, 1), 0.5, requires_grad=True)
    edit = UnitEdit(place=place, strength=strength, value=torch.zeros(1, 1, 1, 1))
    with Instrument(net, edits=[edit]):
        net(pictures).square().sum().backward()
    assert strength.grad is not None
    assert (strength.grad != 0).all()


def test_a_unit_that_is_not_there_is_refused(net, pictures):
    place = place_of(net, pictures, "leaky_relu")
    with pytest.raises(UserError, match="no unit 5: its 5 units are 0 to 4"):
        units_mask(place, [1, 5])


def test_a_layer_that_is_not_there_is_refused_with_the_nearest(net, pictures):
    found = numbered(net, (pictures,), {}, name="net")
    with pytest.raises(UserError, match="Did you mean 'second'"):
        found.place("secnd")


def test_a_layer_without_maps_is_refused():
    net = nn.Sequential(nn.Flatten(), nn.Linear(12, 4))
    found = numbered(net, (torch.zeros(2, 3, 2, 2),), {}, name="net")
    with pytest.raises(UserError, match="no layer whose units are channels"):
        found.chosen()


def test_a_network_that_takes_another_path_is_told(pictures):
    class Fickle(nn.Module):
        turn = 0

        def forward(self, x: Tensor) -> Tensor:
            self.turn += 1
            return torch.relu(x) if self.turn % 2 else torch.relu(x.mean((2, 3)) * 2)

    net = Fickle()
    found = numbered(net, (pictures,), {}, name="net")
    net.turn = 1
    with pytest.raises(UserError, match="other operations"), Instrument(net, keep=[found.place("#1")]):
        net(pictures)
