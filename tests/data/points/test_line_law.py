import math
from statistics import NormalDist

import numpy as np
import pytest

from ganvas.data.points.mixtures import MIXTURES, law_of

SHARES = np.array([0.001, 0.2, 0.5, 0.75, 0.999])
LINES = ["pair", "line8", "segments", "pareto"]


@pytest.mark.parametrize("name", LINES)
def test_quantiles_undo_the_distribution_function(name):
    line = MIXTURES[name].on_a_line()
    assert line.below(line.quantiles(SHARES)) == pytest.approx(SHARES, abs=1e-12)


@pytest.mark.parametrize("name", LINES)
def test_the_share_below_is_that_of_drawn_points(name):
    law, n = MIXTURES[name], 40_000
    points = law.points(np.arange(n))[0][:, 0]
    for share, at in zip(SHARES, law.on_a_line().quantiles(SHARES), strict=True):
        assert (points <= at).mean() == pytest.approx(share, abs=4 * math.sqrt(share * (1 - share) / n) + 1e-6)


@pytest.mark.parametrize("name", LINES)
def test_the_mean_below_is_the_integral_of_the_quantiles(name):
    line = MIXTURES[name].on_a_line()
    shares = (np.arange(200_000) + 0.5) / 200_000 * 0.8  # The middle rule up to a share of 0.8.
    wanted = line.quantiles(shares).mean() * 0.8
    assert line.mean_below(line.quantiles(np.array([0.8])))[0] == pytest.approx(wanted, abs=1e-5)


def test_quantiles_have_their_closed_forms():
    pareto = law_of("pareto,alpha=1.5").on_a_line()
    assert pareto.quantiles(SHARES) == pytest.approx((1 - SHARES) ** (-1 / 1.5))
    segments = law_of("segments,gap=2").on_a_line()
    assert segments.quantiles(np.array([0.0, 0.25, 0.75, 1.0])) == pytest.approx([-2, -1.5, 1.5, 2])


def test_far_out_a_quantile_of_a_pair_is_that_of_its_nearer_half():
    # P(X > x) is half that of the right mode: the left one adds exp(-48).
    line = MIXTURES["pair"].on_a_line()
    assert line.quantiles(np.array([1 - 1e-6]))[0] == pytest.approx(2 + 0.5 * NormalDist().inv_cdf(1 - 2e-6), abs=1e-6)


def test_means_are_those_of_the_laws():
    assert law_of("pareto,alpha=3").on_a_line().mean == pytest.approx(1.5)
    assert law_of("pareto,alpha=1").on_a_line().mean == math.inf
    assert MIXTURES["pair"].on_a_line().mean == 0
    assert MIXTURES["grid25"].on_a_line() is None
