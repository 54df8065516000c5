"""Gridding: exact coverage against brute force, and the published rule with its limits."""

import itertools

import pytest

from ganvas.anatomy.fields.gridding import gridding, hdc_rule
from ganvas.core.errors import UserError


def by_hand(rates, kernel):
    """Every choice of one tap per layer."""
    reached = {sum(choice) for choice in itertools.product(*([k * rate for k in range(kernel)] for rate in rates))}
    return tuple(sorted(set(range((kernel - 1) * sum(rates) + 1)) - reached))


@pytest.mark.slow
@pytest.mark.parametrize("kernel", [3, 5])
@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_holes_are_those_of_brute_force(kernel, length):
    # Coverage does not depend on the order of the layers (tested below), so sorted rates are all there is.
    for rates in itertools.combinations_with_replacement(range(1, 13), length):
        assert gridding(rates, kernel=kernel).holes == by_hand(rates, kernel), rates


def test_with_kernel_3_the_rule_and_a_rate_of_1_together_are_exact():
    for length in (2, 3, 4):
        for rates in itertools.combinations_with_replacement(range(1, 13), length):
            found = gridding(rates)
            assert (found.rule_passes and rates[0] == 1) == found.covers, rates


def test_with_kernel_5_the_rule_and_a_rate_of_1_suffice_and_are_not_necessary():
    wrong = 0
    for rates in itertools.combinations_with_replacement(range(1, 13), 3):
        found = gridding(rates, kernel=5)
        if found.rule_passes and rates[0] == 1:
            assert found.covers, rates
        wrong += found.covers and not found.rule_passes
    assert wrong > 0


def test_the_papers_examples():
    # Wang et al. 2018, section 3.2: K = 3, r = [1, 2, 5] works as M_2 = 2 <= 3, r = [1, 2, 9] fails as M_2 = 5 > 3.
    assert hdc_rule([1, 2, 5])[1] == 2
    assert hdc_rule([1, 2, 9])[1] == 5
    assert gridding([1, 2, 5]).covers
    assert not gridding([1, 2, 9]).covers


def test_where_the_rule_alone_is_wrong():
    assert gridding([2, 2, 2]).rule_passes
    assert not gridding([2, 2, 2]).covers
    assert "wrong here" in gridding([2, 2, 2]).rule_says
    twice = gridding([1, 2, 5, 1, 2, 5])
    assert twice.rule_as_given[1] == 5
    assert twice.covers


@pytest.mark.parametrize(("rates", "read", "field"), [((2, 4, 8), 15, 29), ((2, 2, 2), 7, 13)])
def test_density_counts_pixels_of_the_square(rates, read, field):
    found = gridding(rates)
    assert (found.read, found.field) == (read, field)
    assert found.density == pytest.approx(read**2 / field**2)


def test_powers_of_the_kernel_tile_the_field_once():
    found = gridding([1, 3, 9])
    assert (found.field, found.fewest_paths, found.most_paths) == (27, 1, 1)


def test_the_order_of_layers_changes_nothing_but_the_rule():
    found = {gridding(order).holes for order in itertools.permutations((1, 3, 7, 12))}
    assert len(found) == 1


@pytest.mark.slow
def test_a_suggestion_has_no_holes_and_no_higher_rate():
    for rates in itertools.combinations_with_replacement(range(1, 13), 4):
        found = gridding(rates)
        if found.covers:
            assert found.suggestion is None
        else:
            assert gridding(found.suggestion).covers, rates
            assert all(new <= old for new, old in zip(found.suggestion, sorted(rates), strict=True))


def test_deep_stacks_do_not_overflow():
    found = gridding([1, 2, 5] * 40)
    assert found.covers
    assert found.most_paths > 0


@pytest.mark.parametrize(
    ("rates", "kernel", "said"),
    [([], 3, "No dilation rates"), ([0, 1], 3, "rate of 0"), ([1], 1, "kernel of 1"), ([10**9], 3, "span")],
)
def test_what_cannot_be_is_refused(rates, kernel, said):
    with pytest.raises(UserError, match=said):
        gridding(rates, kernel=kernel)
