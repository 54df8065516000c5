"""The frame of a plot: shaded stretches, their names, and what is said below."""

from itertools import pairwise

import numpy as np
import pytest

from ganvas.report.drawing.drawing import Clip, Rect, Text, bounds
from ganvas.report.drawing.panels import Axes, Band, Curve, chart, chart_frame

PLACE = (0.0, 0.0, 500.0, 280.0)
X = np.arange(0.0, 11.0)
STARTS = [(0, 2, "4"), (2, 4, "8"), (4, 10, "16"), (10, 10.01, "32"), (10.01, 10.02, "64")]
BANDS = [Band(start=start, end=end, label=label, hatched=label == "16") for start, end, label in STARTS]


def test_stretches_begin_and_end_at_their_values_and_every_second_is_shaded():
    axes = Axes(bands=BANDS)
    items, frame = chart([Curve(x=X, y=X)], PLACE, axes=axes), chart_frame([Curve(x=X, y=X)], PLACE, axes)
    shaded = next(item for item in items if isinstance(item, Rect))
    assert (shaded.x, shaded.x + shaded.width) == (pytest.approx(frame.x(2)), pytest.approx(frame.x(4)))
    assert (shaded.y, shaded.y + shaded.height) == (pytest.approx(frame.top), pytest.approx(frame.bottom))
    hatched = next(item for item in items if isinstance(item, Clip))
    assert (hatched.x, hatched.x + hatched.width) == (pytest.approx(frame.x(4)), pytest.approx(frame.x(10)))


def test_names_of_stretches_stand_in_their_middle_and_do_not_touch():
    axes = Axes(bands=BANDS)
    frame = chart_frame([Curve(x=X, y=X)], PLACE, axes)
    named = [item for item in chart([Curve(x=X, y=X)], PLACE, axes=axes) if isinstance(item, Text)]
    named = {item.text: item for item in named if item.y == pytest.approx(frame.top - 3)}
    assert set(named) == {"4", "8", "16", "32"}  # No room for "64" beside "32".
    assert named["8"].x == pytest.approx(frame.x(3))
    boxes = sorted(bounds(item) for item in named.values())
    assert all(left[2] < right[0] for left, right in pairwise(boxes))


def test_a_note_stands_below_everything_else_and_inside_the_panel():
    axes = Axes(x_title="steps", note="6 above the frame")
    texts = {item.text: bounds(item) for item in chart([Curve(x=X, y=X)], PLACE, axes=axes) if isinstance(item, Text)}
    note = texts.pop("6 above the frame")
    assert note[3] <= 280
    assert all(box[3] <= note[1] + 1 for box in texts.values())
