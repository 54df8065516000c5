from itertools import pairwise

import numpy as np

from ganvas.report.drawing.thinning import running_median, thin


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


def test_a_curve_that_turns_back_stays_as_it_is():
    x = np.concatenate([np.arange(500.0), np.arange(500.0)[::-1]])
    assert len(thin(x, np.arange(1000.0), columns=10)[0]) == 1000


def test_a_running_median_ignores_a_spike_and_follows_a_line():
    x = np.arange(1000.0)
    y = 2 * x
    y[500] = 1e9
    at, medians = running_median(x, y, 21)
    inside = (at >= 10) & (at <= 989)
    np.testing.assert_allclose(medians[inside], 2 * at[inside], atol=2.0)  # One outlier shifts a median by one point.
    assert (at[0], at[-1]) == (0, 999)
