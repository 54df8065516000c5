import dataclasses

import numpy as np
import pytest

from ganvas.core.results import Result
from ganvas.report.drawing.palette import INK
from ganvas.report.web.run_curves import (
    beyond,
    diverged,
    loss_charts,
    median_window,
    metric_charts,
    pace_chart,
    without_spikes,
)
from ganvas.report.web.run_numbers import Measurement

SWD = Result(
    metric="swd",
    value=1.0,
    standard_error=0.1,
    error_method="",
    n=8,
    seed=0,
    better="lower",
    protocol="p1",
)


def test_every_player_has_a_chart_of_its_own_terms():
    log = {
        "kimg": np.arange(3.0),
        "D/real": np.ones(3),
        "D/r1_penalty": np.ones(3),
        "G/fake": np.ones(3),
        "lr": np.ones(3),
    }
    charts = loss_charts(log, [])
    assert [chart.title for chart in charts] == ["Discriminator (D)", "Generator (G)"]
    assert [curve.name for curve in charts[0].curves] == ["real", "r1 penalty"]


def test_a_phase_of_another_family_keeps_its_name():
    (chart,) = loss_charts({"kimg": np.arange(3.0), "VAE/kl": np.ones(3)}, [])
    assert chart.title == "VAE"


@pytest.mark.parametrize("lines", [0, 1])
def test_fewer_than_two_lines_of_log_draw_nothing(lines):
    assert loss_charts({"kimg": np.arange(float(lines)), "D/real": np.ones(lines)}, []) == []


def test_a_spike_does_not_flatten_the_rest_and_a_wide_range_is_kept():
    values = np.sin(np.arange(1000))
    assert without_spikes(values) is None
    low, high = without_spikes(np.append(values, 500))
    assert -1.5 < low < -0.99 < 0.99 < high < 1.5
    assert without_spikes(np.array([1.0, 1000.0])) is None


def test_short_logs_are_drawn_as_they_are_and_long_ones_with_a_median_over_a_fiftieth():
    assert median_window(199) == 1
    assert median_window(1000) == 21


def results(*values, metric="swd", protocol="p1", floor=None):
    return [
        Measurement(
            kimg=4.0 * index,
            when="",
            source="training",
            results=[dataclasses.replace(SWD, metric=metric, value=value, protocol=protocol)],
            floor=[dataclasses.replace(SWD, metric=metric, value=floor, protocol=protocol)] if floor else [],
        )
        for index, value in enumerate(values)
    ]


def test_a_metric_measured_twice_becomes_a_curve_held_against_its_floor():
    ((chart, caption),) = metric_charts(results(3.0, 2.0, 1.0, floor=0.5), [])
    (curve,) = chart.curves
    np.testing.assert_array_equal(curve.x, [0, 4, 8])
    np.testing.assert_array_equal(curve.y, [3, 2, 1])
    assert curve.level == (0.5, 0.1)
    assert "floor" in caption
    assert "p1" in caption


def test_one_measurement_is_no_curve():
    assert metric_charts(results(3.0), []) == []


def test_only_values_of_one_protocol_share_a_curve():
    measures = [*results(3.0, 2.0, 1.0), *results(700.0, protocol="p2")]
    ((chart, _),) = metric_charts(measures, [])
    assert max(chart.curves[0].y) == 3


def test_values_of_different_size_take_a_log_axis():
    assert metric_charts(results(100.0, 1.0), [])[0][0].axes.log_y
    assert not metric_charts(results(3.0, 1.0), [])[0][0].axes.log_y


def test_levels_are_named_by_their_pixels():
    levels = [results(3.0, 2.0), results(5.0, 4.0, metric="swd.32"), results(2.0, 1.0, metric="swd.16")]
    ((chart, _),) = metric_charts([one for level in levels for one in level], [])
    assert [curve.name for curve in chart.curves] == ["average", "32 px", "16 px"]
    assert [curve.colour == INK for curve in chart.curves] == [True, False, False]


def test_a_run_is_drawn_beside_the_floor_that_was_measured_in_the_same_way():
    both = [results(0.5, 0.7, metric="ap"), results(0.1, 0.1, metric="ap.prior_boxes")]
    ((chart, _),) = metric_charts([one for part in both for one in part], [])
    assert [(curve.name, curve.y[-1]) for curve in chart.curves] == [("the run", 0.7), ("prior boxes", 0.1)]


def test_the_pace_needs_two_reports():
    assert pace_chart({"kimg": np.array([1.0]), "images_per_second": np.array([300.0])}, []) is None
    assert pace_chart({"kimg": np.arange(2.0), "images_per_second": np.array([300.0, 9.0])}, []).axes.log_y


def test_measurements_against_other_pictures_are_not_drawn():
    others = [dataclasses.replace(one, own=False, against="flags") for one in results(3.0, 2.0, 1.0)]
    assert metric_charts(others, []) == []


def test_what_the_frame_leaves_out_is_said():
    values = np.array([10.0 * step for step in range(11)] + [np.nan])
    assert beyond(values, (5.0, 45.0)) == "6 above and 1 below the frame, as far as 100"
    assert beyond(values, None) == beyond(values, (0.0, 100.0)) == ""


def test_a_loss_that_ends_beyond_all_measure_is_named():
    log = {"kimg": np.arange(3.0), "G/fake": np.array([1.0, 2.0, 9.1e8]), "D/real": np.array([1.0, 9.1e8, 2.0])}
    assert diverged(log) == "G/fake ended at 9.1·10⁸"
    assert diverged({"kimg": np.arange(2.0), "VAE/reconstruction": np.array([1e6, 2e5]), "nimg": np.array([1e9])}) == ""
