"""Curves of a plot: lines with gaps, medians, errors, levels and names, each where its value belongs."""

import numpy as np
import pytest

from ganvas.report.drawing.curves import Curve, spread
from ganvas.report.drawing.drawing import Circle, Clip, Path, Text, bounds, text_width
from ganvas.report.drawing.panels import Axes, chart, chart_frame
from ganvas.report.drawing.primitives import flat

PLACE = (0.0, 0.0, 500.0, 280.0)
X = np.arange(0.0, 11.0)


def inside(*curves, axes=None):
    items = chart(curves, PLACE, axes=axes or Axes())
    (clip,) = [item for item in items if isinstance(item, Clip)]
    return clip.items, chart_frame(curves, PLACE, axes or Axes())


def points(path):
    ((found, _),) = flat(path.commands)
    return np.array(found)


def names(*curves, place=PLACE, **options):
    items = chart(curves, place, axes=Axes(names_at_ends=True, **options))
    return {item.text: item for item in items if isinstance(item, Text) and item.text in {c.name for c in curves}}


def test_a_point_between_two_gaps_is_a_dot():
    items, frame = inside(Curve(x=X, y=[0, 1, 2, np.nan, 4, np.inf, 6, 7, 8, 9, 10]))
    assert [len(points(item)) for item in items if isinstance(item, Path)] == [3, 5]
    (dot,) = [item for item in items if isinstance(item, Circle)]
    assert (dot.x, dot.y) == (pytest.approx(frame.x(4)), pytest.approx(frame.y(4)))


def test_what_is_not_positive_is_a_gap_on_a_log_axis():
    items, frame = inside(Curve(x=[0, 1, 2, 3, 4], y=[1, 10, 0, -5, 100]), axes=Axes(log_y=True))
    (path,) = [item for item in items if isinstance(item, Path)]
    np.testing.assert_allclose(points(path)[:, 1], [frame.y(1), frame.y(10)])


def test_many_errors_become_one_area_around_the_curve():
    x = np.arange(200.0)
    items, frame = inside(Curve(x=x, y=x, error=np.full(200, 10.0)))
    (area,) = [item for item in items if isinstance(item, Path) and item.paint.fill]
    corners = points(area)
    assert len(corners) == 400
    np.testing.assert_allclose(corners[:200, 0], corners[:199:-1, 0])
    heights = corners[:199:-1, 1] - corners[:200, 1]
    np.testing.assert_allclose(heights, frame.y(0) - frame.y(20))  # Two errors of 10.


def test_an_error_that_reaches_below_nothing_ends_at_the_foot_of_a_log_axis_and_an_unknown_one_draws_nothing():
    axes = Axes(log_y=True)
    items, frame = inside(Curve(x=[0, 1, 2], y=[10, 10, 10], error=[20, 5, np.nan], marks=True), axes=axes)
    bars = [points(item) for item in items if isinstance(item, Path) and len(points(item)) == 2]
    assert len(bars) == 2
    np.testing.assert_allclose(bars[0], [[frame.x(0), frame.bottom], [frame.x(0), frame.y(30)]])
    np.testing.assert_allclose(bars[1], [[frame.x(1), frame.y(5)], [frame.x(1), frame.y(15)]])


def test_a_level_lies_at_its_value_across_the_whole_frame_and_inside_it():
    items, frame = inside(Curve(x=X, y=X + 10, level=(2.0, 0.1)))
    level = next(item for item in items if isinstance(item, Path) and item.name)
    np.testing.assert_allclose(points(level), [[frame.left, frame.y(2)], [frame.right, frame.y(2)]])
    assert level.name == "held against 2 ± 0.1"
    assert frame.top < frame.y(2) < frame.bottom


def test_a_median_is_drawn_over_the_faint_values():
    y = np.where(np.arange(301) == 150, 1e6, 1.0)
    items, frame = inside(Curve(x=np.arange(301.0), y=y, window=7))
    faint, strong = [item for item in items if isinstance(item, Path)]
    assert (faint.paint.opacity, strong.paint.opacity) == (0.3, 1.0)
    assert points(faint)[:, 1].min() == pytest.approx(frame.y(1e6))
    np.testing.assert_allclose(points(strong)[:, 1], frame.y(1.0))


def test_names_at_the_ends_of_curves_that_meet_are_moved_apart_and_stay_on_the_page():
    found = names(*(Curve(name=f"curve {index}", x=X, y=X + index / 100) for index in range(5)))
    places = sorted(item.y for item in found.values())
    assert len(places) == 5
    assert (np.diff(places) >= 8.9).all()  # The text's size, 7, and 2.
    assert all(bounds(item)[2] <= 500 for item in found.values())


def test_a_curve_whose_end_a_log_axis_cannot_show_is_named_at_its_last_visible_point():
    curves = [Curve(name="falling", x=[0, 1, 2], y=[100, 10, -5]), Curve(name="b", x=[0, 2], y=[1, 2])]
    frame = chart_frame(curves, PLACE, Axes(names_at_ends=True, log_y=True))
    assert names(*curves, log_y=True)["falling"].y == pytest.approx(frame.y(10) + 0.359 * 7)


def test_names_too_long_for_the_ends_stand_in_a_legend_above_the_plot():
    place = (0.0, 0.0, 370.0, 260.0)
    curves = [Curve(name=f"a name that is rather long {index}", x=X, y=X) for index in range(3)]
    frame = chart_frame(curves, place, Axes(names_at_ends=True, size=11.0))
    found = names(*curves, place=place, size=11.0)
    assert len(found) == 3
    assert all(item.y < frame.top for item in found.values())
    assert all(item.x + text_width(item.text, 11.0) <= 370 for item in found.values())


def test_spread_names_stay_in_the_frame_and_in_order():
    assert spread([90, 95, 99], distance=14, low=0, high=100) == [72, 86, 100]
