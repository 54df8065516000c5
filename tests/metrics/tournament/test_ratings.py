"""Ratings against Glickman's example, another implementation, and what must hold of any rating."""

import itertools
import math

import glicko2 as oracle
import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.metrics.tournament.ratings import ELO, Glicko, bradley_terry, glicko2, glicko2_tournament


def test_glickmans_example():
    # Glickman 2013, the worked example: 1464.06, 151.52, 0.05999; without his rounding on the way, to more digits.
    met = [Glicko(rating=1400, deviation=30), Glicko(rating=1550, deviation=100), Glicko(rating=1700, deviation=300)]
    after = glicko2(Glicko(rating=1500, deviation=200), met, [1, 0, 0], tau=0.5)
    assert after.rating == pytest.approx(1464.06, abs=0.02)
    assert after.rating == pytest.approx(1464.05, abs=0.005)
    assert after.deviation == pytest.approx(151.5165, abs=5e-5)
    assert after.volatility == pytest.approx(0.059996, abs=5e-7)


def test_any_period_is_that_of_another_implementation():
    # glicko2 2.1.0 puts the rating mu where Glickman's step 5 has the deviation phi, so the two agree where mu = phi.
    random = np.random.default_rng(0)
    for _ in range(50):
        count = int(random.integers(1, 8))
        ratings, deviations = random.uniform(900, 2100, count), random.uniform(30, 350, count)
        scores = random.integers(0, 2, count)
        deviation = float(random.uniform(40, 350))
        start = Glicko(rating=1500 + deviation, deviation=deviation)
        met = [Glicko(rating=r, deviation=d) for r, d in zip(ratings, deviations, strict=True)]
        mine = glicko2(start, met, scores.tolist())
        other = oracle.Player(rating=start.rating, rd=start.deviation, vol=start.volatility)
        other.update_player(list(ratings), list(deviations), list(scores))
        assert (mine.rating, mine.deviation) == pytest.approx((other.rating, other.rd), rel=1e-5)  # It stops at 1e-6.
        assert mine.volatility == pytest.approx(other.vol, rel=1e-4)


def test_who_did_not_play_becomes_less_certain():
    # Glickman 2013, step 6 alone: the deviation grows by the volatility.
    after = glicko2(Glicko(rating=1600, deviation=100), [], [])
    assert after.rating == 1600
    assert after.deviation == pytest.approx(math.hypot(100, 0.06 * 173.7178))


def strengths(rows, columns):
    return 1 / (1 + np.exp(np.subtract.outer(columns, rows).T))


def test_bradley_terry_finds_the_strengths_that_made_the_table():
    rows, columns = np.array([1.0, -0.5, 0.2]), np.array([0.3, -1.0])
    rows, columns = rows - np.mean([*rows, *columns]), columns - np.mean([*rows, *columns])
    found_rows, found_columns = bradley_terry(strengths(rows, columns), pseudo=0)
    assert found_rows == pytest.approx(1500 + ELO * rows, abs=1e-6)
    assert found_columns == pytest.approx(1500 + ELO * columns, abs=1e-6)


def test_two_players_differ_by_the_log_odds_of_their_score():
    # Three games of four won: odds of 3, log10(3) * 400 points.
    (row,), (column,) = bradley_terry(np.array([[0.75]]), pseudo=0)
    assert row - column == pytest.approx(400 * math.log10(3))


def test_a_winner_of_everything_has_a_finite_rating_with_a_pseudo_game_and_none_without():
    scores = np.ones((1, 3))
    with pytest.raises(UserError, match="won or lost every match"):
        bradley_terry(scores, pseudo=0)
    (row,), columns = bradley_terry(scores)
    assert np.isfinite(row)
    assert row > columns.max()


@pytest.mark.parametrize(
    "rate", [bradley_terry, lambda table: [[p.rating for p in side] for side in glicko2_tournament(table)]]
)
def test_a_ladder_is_found_in_its_order_whatever_the_order_of_the_table(rate):
    rows, columns = np.linspace(-2, 2, 5), np.linspace(-1, 1, 4)
    table = strengths(rows, columns)
    found_rows, found_columns = map(np.asarray, rate(table))
    assert (np.diff(found_rows) > 0).all()
    assert (np.diff(found_columns) > 0).all()
    shuffle, mix = np.random.default_rng(0).permutation(5), np.random.default_rng(1).permutation(4)
    again_rows, again_columns = map(np.asarray, rate(table[shuffle][:, mix]))
    assert again_rows == pytest.approx(found_rows[shuffle], abs=1e-6)
    assert again_columns == pytest.approx(found_columns[mix], abs=1e-6)


@pytest.mark.parametrize(
    "rate", [bradley_terry, lambda table: [[p.rating for p in side] for side in glicko2_tournament(table)]]
)
def test_equals_are_rated_equal(rate):
    for side in rate(np.full((3, 4), 0.5)):
        assert np.asarray(side) == pytest.approx(1500, abs=1e-6)


def test_who_met_only_the_strong_is_not_taken_for_weak():
    # Columns 0 and 1 are strong and weak by the other rows' results; row 3 loses narrowly to the strong one alone.
    table = np.array([[0.2, 0.9], [0.2, 0.9], [0.2, 0.9], [0.4, np.nan], [np.nan, 0.7]])
    for side in (bradley_terry(table)[0], [p.rating for p in glicko2_tournament(table)[0]]):
        assert side[3] > side[4]


@pytest.mark.parametrize(("table", "said"), [(np.full((2, 2), np.nan), "no match"), (np.array([[1.5]]), "0..1")])
def test_tables_that_are_none_are_refused(table, said):
    for rate in (bradley_terry, glicko2_tournament):
        with pytest.raises(UserError, match=said):
            rate(table)


def test_extreme_tables_give_numbers():
    for table in itertools.product([0.0, 1.0], repeat=4):
        for side in glicko2_tournament(np.array(table).reshape(2, 2)):
            assert all(math.isfinite(player.rating) and player.deviation > 0 for player in side)
