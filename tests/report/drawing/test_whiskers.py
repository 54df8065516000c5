import math

import pytest

from ganvas.report.drawing.drawing import Circle, Path, bounds
from ganvas.report.drawing.whiskers import Measured, shared_scale, whiskers


def test_bars_reach_two_errors_and_the_floor_is_a_ring():
    value, floor = Measured(value=10, error=1), Measured(value=6, error=0.5)
    scale = shared_scale([value, floor])
    items = whiskers(value, floor, scale=scale).items
    ring, dot = [item for item in items if isinstance(item, Circle)]
    assert (ring.x, dot.x) == (scale(6), scale(10))
    assert (ring.paint.fill, dot.paint.stroke) == (None, None)
    reach = {bounds(item)[::2] for item in items if isinstance(item, Path) and item.paint == value_paint(items)}
    assert (scale(8), scale(12)) in reach


def value_paint(items):
    """Of the bar that is drawn last, the value's."""
    return [item.paint for item in items if isinstance(item, Path)][-1]


def test_values_far_apart_share_a_log_scale_and_near_ones_a_linear_one():
    assert shared_scale([Measured(value=1), Measured(value=100)]).log
    assert not shared_scale([Measured(value=1), Measured(value=2)]).log
    assert not shared_scale([Measured(value=-1), Measured(value=100)]).log


@pytest.mark.parametrize("value", [math.nan, math.inf, -3.0, 0.0])
def test_a_value_that_cannot_be_drawn_draws_nothing_wrong(value):
    shown = Measured(value=value, error=None)
    places = [bounds(item) for item in whiskers(shown, None, scale=shared_scale([shown])).items]
    assert all(math.isfinite(side) for box in places for side in box)
    whiskers(shown, Measured(value=5, error=1), scale=shared_scale([Measured(value=1), Measured(value=100)]))
