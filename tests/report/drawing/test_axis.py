import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.report.drawing.axis import Scale, linear_ticks, log_ticks, span, tick_text


def test_a_linear_scale_divides_pixels_as_values_are_divided():
    scale = Scale(low=-1, high=3, start=100, end=20)
    assert [scale(value) for value in (-1, 0, 1, 3)] == [100, 80, 60, 20]


def test_a_log_scale_gives_every_decade_the_same_length():
    scale = Scale(low=0.1, high=1000, start=0, end=400, log=True)
    np.testing.assert_allclose([scale(10.0**power) for power in range(-1, 4)], [0, 100, 200, 300, 400], atol=1e-9)


def test_a_log_scale_has_no_place_for_what_is_not_positive():
    assert not np.isfinite(Scale(low=1, high=10, start=0, end=1, log=True).array(np.array([0.0, -1.0]))).any()


ranges = st.tuples(st.floats(-1e6, 1e6), st.floats(1e-6, 1e6)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.integers(0, 5000), st.integers(1, 5000), st.integers(2, 12))
def test_ticks_of_what_is_counted_are_whole_and_even(low, span, most):
    ticks = linear_ticks(low, low + span, most, whole=True)
    assert len(ticks) <= most
    assert all(tick == int(tick) and low <= tick <= low + span for tick in ticks)
    assert len(set(np.diff(ticks))) <= 1
    assert len(ticks) >= min(2, span + 1) or most < 4


@given(ranges, st.integers(2, 12))
def test_linear_ticks_lie_inside_at_equal_round_steps(limits, most):
    low, high = limits
    ticks = linear_ticks(low, high, most)
    slack = 1e-6 * (high - low) + 1e-9 * max(abs(low), abs(high))  # Ticks are rounded to 12 digits.
    assert len(ticks) <= most
    assert all(low - slack <= tick <= high + slack for tick in ticks)
    steps = np.diff(ticks)
    if len(steps) and (high - low) > 1e-4 * max(abs(low), abs(high)):
        step = float(np.median(steps))
        np.testing.assert_allclose(steps, step, rtol=1e-5)
        mantissa = step / 10 ** math.floor(math.log10(step) + 1e-6)
        assert min(abs(mantissa - nice) for nice in (1, 2, 2.5, 5)) < 1e-4


@given(st.floats(1e-9, 1e9), st.floats(1.3, 1e12), st.integers(3, 12))
def test_log_ticks_lie_inside_ascending_and_are_not_too_many(low, ratio, most):
    ticks = log_ticks(low, low * ratio, most)
    assert len(ticks) <= most
    assert ticks == sorted(set(ticks))
    assert all(low * (1 - 1e-6) <= tick <= low * ratio * (1 + 1e-6) for tick in ticks)


def test_log_ticks_over_many_decades_are_powers_of_ten():
    assert log_ticks(1e-3, 1e3, 7) == [1e-3, 1e-2, 1e-1, 1, 10, 100, 1000]
    assert log_ticks(1, 50, 6) == [1, 2, 5, 10, 20, 50]


@pytest.mark.parametrize("values", [[], [math.nan], [3.0], [0.0], [-2.0, -2.0], [1e-300], [0.0, 1.0]])
@pytest.mark.parametrize("log", [False, True])
def test_the_range_of_any_values_is_not_empty_and_holds_them(values, log):
    low, high = span(np.array(values, float), log=log)
    assert high > low
    assert not log or low > 0
    assert all(low <= value <= high for value in values if math.isfinite(value) and (value > 0 or not log))


def test_ticks_of_thousands_and_millions_are_written_short():
    ticks = [0.0, 20_000.0, 1_000_000.0]
    assert [tick_text(tick, ticks) for tick in ticks] == ["0", "20k", "1M"]
