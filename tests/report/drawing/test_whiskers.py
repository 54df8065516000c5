import math
import re

import pytest

from ganvas.report.drawing.whiskers import Measured, shared_scale, whiskers


def test_bars_reach_two_errors_and_the_floor_is_a_ring():
    value, floor = Measured(value=10, error=1), Measured(value=6, error=0.5)
    scale = shared_scale([value, floor])
    text = whiskers(value, floor, scale=scale)
    ring, dot = (float(x) for x in re.findall(r'cx="([\d.]+)"', text))
    (low, high) = re.search(r'class="value" d="M([\d.]+) 8v8M[\d.]+ 12H([\d.]+)M', text).groups()
    pixels_per_unit = (dot - ring) / 4
    assert float(high) - dot == pytest.approx(2 * pixels_per_unit, abs=0.2)
    assert dot - float(low) == pytest.approx(2 * pixels_per_unit, abs=0.2)
    assert 'class="level"' in text


def test_values_far_apart_share_a_log_scale_and_near_ones_a_linear_one():
    assert shared_scale([Measured(value=1), Measured(value=100)]).log
    assert not shared_scale([Measured(value=1), Measured(value=2)]).log
    assert not shared_scale([Measured(value=-1), Measured(value=100)]).log


@pytest.mark.parametrize("value", [math.nan, math.inf, -3.0, 0.0])
def test_a_value_that_cannot_be_drawn_draws_nothing_wrong(value):
    shown = Measured(value=value, error=None)
    text = whiskers(shown, None, scale=shared_scale([shown]))
    assert "nan" not in text.partition("<style>")[2]
    whiskers(shown, Measured(value=5, error=1), scale=shared_scale([Measured(value=1), Measured(value=100)]))
