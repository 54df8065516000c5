import time
from itertools import pairwise

import numpy as np

from ganvas.report.web.thinning import thin


def test_short_curves_stay_as_they_are():
    x, y = np.arange(40.0), np.sin(np.arange(40.0))
    thin_x, thin_y = thin(x, y, columns=10)
    np.testing.assert_array_equal(thin_x, x)
    np.testing.assert_array_equal(thin_y, y)


def test_every_pixel_column_keeps_its_extremes_and_its_ends():
    rng = np.random.default_rng(0)
    x = np.sort(rng.uniform(0, 1, 100_000))
    y = rng.standard_cauchy(100_000)
    thin_x, thin_y = thin(x, y, columns=300)
    assert len(thin_x) <= 4 * 300
    edges = [*np.linspace(x[0], x[-1], 301)[:-1], np.inf]  # The last column is closed.
    for low, high in pairwise(edges):
        inside, kept = y[(x >= low) & (x < high)], thin_y[(thin_x >= low) & (thin_x < high)]
        assert (kept.min(), kept.max(), kept[0], kept[-1]) == (inside.min(), inside.max(), inside[0], inside[-1])
    assert (np.diff(thin_x) >= 0).all()


def test_a_gap_stays_a_gap_and_hides_no_peak():
    x = np.arange(10_000.0)
    y = np.zeros(10_000)
    y[4000:6000] = np.nan
    y[3999], y[6000] = 5, -7
    thin_x, thin_y = thin(x, y, columns=100)
    assert np.isnan(thin_y[(thin_x >= 4000) & (thin_x < 6000)]).all()
    assert np.isnan(thin_y).any()
    assert (np.nanmax(thin_y), np.nanmin(thin_y)) == (5, -7)


def test_all_points_at_one_place_do_not_divide_by_zero():
    thin_x, _ = thin(np.full(1000, 2.0), np.arange(1000.0), columns=10)
    assert (thin_x == 2).all()


def test_a_hundred_thousand_points_take_no_time_to_speak_of():
    started = time.perf_counter()
    thin(np.arange(1e5), np.random.default_rng(0).normal(size=100_000), columns=600)
    assert time.perf_counter() - started < 1  # Takes 10 ms on a quiet machine.
