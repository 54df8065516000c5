"""Effects of silencing units: exact on a generator whose units are known, paired, and judged on other pictures."""

import copy
import math
from dataclasses import replace

import pytest
import torch
from torch.testing import assert_close

from ganvas.dissect.effects.shares import effects, shares
from ganvas.dissect.effects.single_units import random_units, set_effect, unit_effects


@pytest.fixture
def place(planted):
    return planted.subject.numbering.chosen()[0]


def test_silencing_the_planted_units_removes_all_of_their_label_and_nothing_else(planted, place):
    one = set_effect(planted.subject, planted.labeller, place, [0, 1], label="red", chosen_by="hand", pictures=64)
    assert one.on("red").relative == -1.0
    assert one.on("red").relative_error == 0.0
    other = set_effect(planted.subject, planted.labeller, place, [2], label="green", chosen_by="hand", pictures=64)
    assert other.on("green").relative == -1.0
    assert abs(other.on("red").relative) < 0.1  # Where both are painted, red is told first.


def test_a_unit_without_outgoing_weights_has_no_effect_at_all(planted, place):
    found = unit_effects(planted.subject, planted.labeller, place, pictures=32)
    assert not found.change[15].any()
    assert not found.error[15].any()
    assert found.ranked(2)[0] == 2


def test_changes_of_all_labels_add_up_to_nothing(planted, place):
    found = unit_effects(planted.subject, planted.labeller, place, pictures=32)
    assert_close(found.change.sum(1), torch.zeros(16, dtype=torch.float64), rtol=0, atol=1e-15)


def test_silencing_with_the_mean_leaves_less_of_a_change_than_zero(planted, place):
    zero = unit_effects(planted.subject, planted.labeller, place, pictures=64)
    mean = unit_effects(planted.subject, planted.labeller, place, pictures=64, silence="mean")
    assert zero.silence != mean.silence
    assert mean.change[2, 2] <= 0
    assert zero.change[2, 2] < 0


def test_standard_errors_are_those_of_the_paired_differences(rng):
    before = torch.rand(50, 2, generator=rng, dtype=torch.float64)
    before = before / before.sum(1, keepdim=True)
    after = before.flip(1)
    found = effects(before, after, ["a", "b"])[0]
    assert found.error == pytest.approx(float((after - before)[:, 0].std()) / math.sqrt(50))
    assert found.change == pytest.approx(float((after - before)[:, 0].mean()))


def test_effects_follow_their_labels(rng):
    before, after = torch.rand(2, 20, 3, generator=rng, dtype=torch.float64)
    named = {effect.label: effect for effect in effects(before, after, ["a", "b", "c"])}
    turned = [2, 0, 1]
    again = effects(before[:, turned], after[:, turned], ["c", "a", "b"])
    assert all(named[effect.label] == effect for effect in again)


def test_shares_of_a_picture_add_up_to_one(rng):
    masks = torch.randint(5, (7, 6, 6), generator=rng)
    assert_close(shares(masks, 5).sum(1), torch.ones(7, dtype=torch.float64))


def test_the_critical_value_is_that_of_all_effects_together(planted, place):
    found = unit_effects(planted.subject, planted.labeller, place, pictures=16)
    # 16 units x 3 labels: 0.05 / 48, two-sided.
    assert found.critical == pytest.approx(3.28, abs=0.01)


def test_random_units_avoid_the_chosen_ones_while_there_are_others(place):
    assert not set(random_units(place, 8, seed=0, number=0, but=range(8))) & set(range(8))
    assert len(random_units(place, 99, seed=0, number=1)) == 16


def test_the_untrained_twin_of_a_frozen_network_has_other_weights_and_the_same_places(planted, place):
    network = copy.deepcopy(planted.subject.network).requires_grad_(False)
    frozen = replace(planted.subject, network=network, module=network)
    twin, again = frozen.untrained(1), frozen.untrained(1)
    inputs = frozen.series("sample", 0, 4)
    own, drawn = frozen.run(inputs)[0], twin.run(inputs, keep=[place])
    assert not torch.allclose(own, drawn[0])
    assert torch.equal(drawn[0], again.run(inputs)[0])
    assert drawn[1][place.name].shape == (4, 16, 8, 8)
    assert torch.equal(frozen.run(inputs)[0], own)
