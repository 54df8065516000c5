"""Networks of many seeds in one stack are the networks of each seed alone, and the ring is what it says."""

import math

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.claims.batched.ring import MODES, RADIUS, SIGMA, modes_reached, ring, sliced_distance
from ganvas.claims.batched.ring_game import RingGame, played
from ganvas.claims.batched.scene_classes import Net, Training, trained
from ganvas.claims.batched.stacks import dense, generators_of, layers, normal, started


def test_a_stack_is_each_of_its_networks():
    generators = generators_of([0, 1, 2])
    stack, x = started(generators, (3, 5, 4, 2)), normal(generators, 7, 3)
    found = dense(stack, x, torch.relu)
    for seed in range(3):
        own = x[seed]
        for place, (weight, bias) in enumerate(layers(stack)):
            own = F.linear(own, weight[seed].T, bias[seed, 0])
            own = own.relu() if place < 2 else own
        assert_close(found[seed], own)


def test_starting_weights_have_hes_variance_and_a_seed_draws_the_same_in_any_company():
    (weight, bias, *_) = started(generators_of([5]), (400, 300, 1))
    assert weight.var().item() == pytest.approx(2 / 400, rel=0.02)
    assert not bias.any()
    assert torch.equal(started(generators_of([4, 5]), (400, 300, 1))[0][1], weight[0])


# Batched products add in another order than single ones: 1e-7 a step in float32, which few steps amplify little.
@pytest.mark.parametrize(
    "game",
    [RingGame(penalty=0.1, delay=2), RingGame(deviation=True, pooled=0.5), RingGame(clip=0.1, moves=2)],
    ids=["penalty and delay", "deviation and pool", "clip"],
)
def test_a_game_is_not_disturbed_by_those_beside_it(game):
    both, alone = played(game, [3, 4], 5), played(game, [4], 5)
    assert_close(both.raw[1], alone.raw[0], rtol=1e-3, atol=1e-4)
    assert_close(both.averaged[1], alone.averaged[0], rtol=1e-3, atol=1e-4)


def test_a_classifier_is_not_disturbed_by_those_beside_it():
    net, training = Net(depth=4, norm=True, shortcut=1.0, drop=0.2, shift=0.1), Training(steps=4, pictures=64)
    both, alone = trained(net, [3, 4], training), trained(net, [4], training)
    assert both.on_the_way[1] == pytest.approx(alone.on_the_way[0], rel=1e-4)
    assert both.train[1] == pytest.approx(alone.train[0], rel=1e-3)


def test_the_ring_has_its_modes_and_lies_at_no_distance_from_itself():
    points, others = (ring(generators_of([seed]), 8000) for seed in (0, 1))
    assert modes_reached(points) == [MODES]
    assert modes_reached(points[:, points[0, :, 0] > 1]) == [3]  # At 0 and at 45 degrees to either side.
    mean_square = points.square().sum(-1).mean().item()
    assert mean_square == pytest.approx(RADIUS**2 + 2 * SIGMA**2, rel=0.005)
    # Along a direction two draws of n points are about deviation / sqrt(n) apart; the deviation is sqrt(2) here.
    assert sliced_distance(points, others)[0] < 5 * math.sqrt(2 / 8000)
    # A shift of length 1 is |cos| long along a direction, 2 / pi in the mean.
    assert sliced_distance(points, points + torch.tensor([1.0, 0.0]))[0] == pytest.approx(2 / math.pi, rel=1e-3)
