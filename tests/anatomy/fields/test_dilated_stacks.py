"""Stacks of dilated convolutions found in whole networks."""

import pytest
import torch
from torch import nn
from torch.testing import assert_close

from ganvas.anatomy.fields.dilated_stacks import dilated_stacks
from ganvas.anatomy.trace.trace import trace
from ganvas.models.fill.sketch_colour import Config, Generator


def stack(*rates, channels=4):
    layers = []
    for rate in rates:
        layers += [nn.Conv2d(channels, channels, 3, dilation=rate, padding=rate), nn.BatchNorm2d(channels), nn.ReLU()]
    return nn.Sequential(*layers)


class Added(nn.Module):
    """Every layer beside a skip."""

    def __init__(self, *rates):
        super().__init__()
        self.layers = nn.ModuleList(nn.Conv2d(4, 4, 3, dilation=rate, padding=rate) for rate in rates)

    def forward(self, x):
        for layer in self.layers:
            x = x + layer(x)
        return x


def test_a_stack_behind_a_strided_stem_is_found_with_its_rates():
    model = nn.Sequential(nn.Conv2d(3, 4, 3, stride=2, padding=1), stack(2, 4, 8), nn.Conv2d(4, 1, 1))
    (found,) = dilated_stacks(trace(model, (1, 3, 128, 128)))
    assert found.gridding.rates == (2, 4, 8)
    assert found.layers == ("1.0", "1.3", "1.6")
    assert not found.covers
    assert found.holes == 841 - 225


def test_two_stacks_with_a_halving_between_are_two():
    model = nn.Sequential(stack(1, 2, 5), nn.MaxPool2d(2), stack(2, 2))
    first, second = dilated_stacks(trace(model, (1, 4, 64, 64)))
    assert (first.gridding.rates, second.gridding.rates) == ((1, 2, 5), (2, 2))
    assert (first.covers, second.covers) == (True, False)


def test_without_dilation_there_is_nothing_to_judge():
    assert dilated_stacks(trace(stack(1, 1), (1, 4, 16, 16))) == []


def test_parallel_branches_are_chains_of_their_own():
    class Pyramid(nn.Module):
        def __init__(self):
            super().__init__()
            self.stem = nn.Conv2d(4, 4, 3, padding=1)
            self.branches = nn.ModuleList(nn.Conv2d(4, 4, 3, dilation=rate, padding=rate) for rate in (2, 6))

        def forward(self, x):
            return sum(branch(self.stem(x)) for branch in self.branches)

    found = dilated_stacks(trace(Pyramid(), (1, 4, 64, 64)))
    assert {one.gridding.rates for one in found} == {(1, 2), (1, 6)}


def test_skips_add_what_they_read():
    # Rates 1 and 4 leave holes (offsets 2 and 6 of 0..10); a skip beside each adds the offsets of each alone, which are
    # among the sums already, so the exact sets agree here: 9 of 11 along an axis.
    (found,) = dilated_stacks(trace(Added(1, 4), (1, 4, 64, 64)))
    assert found.gridding.read == 9
    assert found.holes == 11 * 11 - 9 * 9


@pytest.mark.parametrize(("side", "live"), [(4, (9, 1, 1, 1)), (8, (9, 9, 1, 1)), (16, (9, 9, 9, 1))])
def test_a_tap_is_dead_where_its_weight_changes_nothing(side, live):
    layers = [nn.Conv2d(2, 2, 3, dilation=rate, padding=rate) for rate in (2, 4, 8, 16)]
    (found,) = dilated_stacks(trace(nn.Sequential(*layers), (1, 2, side, side)))
    assert tuple(taps.live for taps in found.taps) == live
    x = torch.randn(1, 2, side, side, generator=torch.Generator().manual_seed(0))
    for layer, taps in zip(layers, found.taps, strict=True):
        layer(x).square().sum().backward()
        assert int((layer.weight.grad != 0).all(0).all(0).sum()) == taps.live
        assert int((layer.weight.grad == 0).sum()) == taps.dead_parameters
        if taps.live == 1:  # As a convolution of 1 x 1 with the middle tap.
            assert_close(layer(x), nn.functional.conv2d(x, layer.weight[:, :, 1:2, 1:2], layer.bias))


def test_taps_of_unlike_sides_and_paddings_and_of_groups_are_counted_by_axis():
    layer = nn.Conv2d(4, 8, (3, 5), dilation=(2, 3), padding=(2, 5), groups=2)
    (found,) = dilated_stacks(trace(nn.Sequential(layer), (1, 4, 2, 6)))
    (taps,) = found.taps
    layer(torch.randn(1, 4, 2, 6, generator=torch.Generator().manual_seed(0))).square().sum().backward()
    assert (taps.all, taps.live) == (15, 3)
    assert taps.dead_parameters == int((layer.weight.grad == 0).sum()) == 12 * 8 * 2


def test_three_of_four_dilated_layers_of_the_released_editor_read_one_pixel():
    # SC-FEGAN at 512 x 512, as published: 3 layers, 8 of 9 taps, 512 channels in, 512 and their gates out.
    with torch.device("meta"):
        editor = Generator(Config(own_gate=False, norm="lrn", presence=False, live_dilations=False))
        (found,) = dilated_stacks(trace(editor, (1, 9, 512, 512)))
    assert [taps.live for taps in found.taps] == [9, 1, 1, 1]
    assert sum(taps.dead_parameters for taps in found.taps) == 12_582_912
