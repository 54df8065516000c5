"""Convolutions of many seeds side by side are those of each seed alone."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.claims.batched.maps import Convolutions, activated, apart, side_by_side
from ganvas.claims.batched.scene_maps import LANDSCAPES, NamingTask, drawn, trained
from ganvas.claims.batched.stacks import generators_of, normal


def test_maps_side_by_side_are_convolved_by_their_own_seeds_weights():
    generators = generators_of([0, 1, 2])
    layer, x = Convolutions(generators)(3, 4, 3), normal(generators, 2, 3, 8, 8)
    found = apart(layer(side_by_side(x), rate=2), 3)
    for seed in range(3):
        own = F.conv2d(x[seed], layer.weight[4 * seed : 4 * seed + 4], padding=2, dilation=2)
        assert_close(found[seed], own)
    assert_close(apart(side_by_side(x), 3), x)


def test_weights_have_hes_variance():
    layers = Convolutions(generators_of([0, 1]))
    layers(32, 64, 5)
    assert layers.stack[0].var().item() == pytest.approx(2 / (32 * 25), rel=0.02)


def test_a_network_of_maps_is_not_disturbed_by_those_beside_it():
    def build(layers: Convolutions):
        first, last = layers(3, 4), layers(4, LANDSCAPES, 1)
        return lambda x: last(activated(first(x, stride=2)))

    task = NamingTask(steps=3, pictures=32)
    both, alone = trained(build, [3, 4], task), trained(build, [4], task)
    x = drawn((4,), 32, held_out=True).images
    second, only = (
        apart(nets.network(side_by_side(x.expand(len(nets.seeds), -1, -1, -1, -1))), len(nets.seeds))[-1]
        for nets in (both, alone)
    )
    assert_close(second, only, rtol=1e-3, atol=1e-4)


def test_both_sizes_show_the_same_scenes_and_others_than_those_to_learn_from():
    small, large = (drawn((5,), 16, held_out=True, side=side) for side in (16, 32))
    assert torch.equal(small.landscapes, large.landscapes)
    coarse = F.avg_pool2d(large.images[0], 2)
    assert (coarse - small.images[0]).square().mean() < 0.1  # Of deviation 1.
    assert not torch.equal(small.things[:, :16], drawn((5,), 16, held_out=False).things)
