import numpy as np
import pytest

from ganvas.report.drawing.palette import BLUE, rgb
from ganvas.report.drawing.png import pixels
from ganvas.report.drawing.primitives import Clip, Image, Text
from ganvas.report.pictures.scatter import LEFT, REAL, SIDE, TOP, scatter

CORNERS = np.array([[-1.0, -1.0], [1.0, 1.0]])


def texts(drawing):
    return [item.text for item in drawing.items if isinstance(item, Text)]


def colour_at(drawing, x, y):
    """The colour at parts ``x`` and ``y`` (upwards) of the plot's inside."""
    drawn = pixels(drawing, dpi=4 * 72)
    return tuple(int(value) for value in drawn[round(4 * (TOP + (1 - y) * SIDE)), round(4 * (LEFT + x * SIDE))])


def place(value, low=-1.0, high=1.0, margin=0.08):
    """Where a value lies on an axis that reaches from low to high with that margin on either side."""
    return (value - low + margin * (high - low)) / ((high - low) * (1 + 2 * margin))


@pytest.mark.slow
def test_points_stand_where_their_numbers_say_with_y_upwards():
    drawing = scatter(np.array([[0.5, -0.5]]), CORNERS)
    red, green, blue = colour_at(drawing, place(0.5), place(-0.5))
    wanted = [0.4 * 255 + 0.6 * value for value in rgb(BLUE)]  # Of one generated point 0.6 is opaque.
    assert (red, green, blue) == pytest.approx(wanted, abs=5)
    assert colour_at(drawing, place(-0.5), place(0.5)) == (255, 255, 255)
    assert colour_at(drawing, place(1.0), place(1.0)) == pytest.approx(rgb(REAL), abs=5)


@pytest.mark.slow
def test_many_generated_points_cover_a_real_one():
    drawing = scatter(np.ones((30, 2)), CORNERS)
    assert colour_at(drawing, place(1.0), place(1.0)) == pytest.approx(rgb(BLUE), abs=5)


def test_the_sheet_reaches_as_far_as_the_reals_and_counts_what_lies_outside():
    near, far = scatter(np.zeros((3, 2)), CORNERS), scatter(np.array([[0.0, 0.0], [9.0, 0.0], [np.nan, 0.0]]), CORNERS)
    ticks = [text for text in texts(near) if text != "Points"]
    assert [text for text in texts(far) if "outside" not in text] == ticks
    assert "2 outside" in texts(far)
    assert not any("outside" in text for text in texts(near))


@pytest.mark.slow
def test_both_axes_have_one_unit():
    # Reals of 10 by 2: the sheet is 11.6 by 11.6, and the lower one lies in the middle but for 1 / 11.6.
    drawing = scatter(np.array([[0.0, 1.0]]), np.array([[0.0, 0.0], [10.0, 2.0]]))
    assert colour_at(drawing, 0.8 / 11.6, 0.5)[0] < 200
    assert colour_at(drawing, 0.8 / 11.6, 0.5 - 1 / 11.6)[0] < 230  # The real one at (0, 0).


def test_points_on_a_line_are_counted_per_place():
    drawing = scatter(np.array([[0.0]] * 9 + [[1.0]]), np.linspace(0, 1, 50)[:, None])
    (clip,) = (item for item in drawing.items if isinstance(item, Clip))
    assert not any(isinstance(item, Image) for item in clip.items)
    assert texts(drawing).count("0.8") == 2  # Nine in ten lie in one bin: the upright axis reaches to 0.9 as well.


@pytest.mark.slow
def test_without_reals_and_with_one_point_there_is_still_a_sheet():
    assert colour_at(scatter(np.array([[3.0, 4.0]])), 0.5, 0.5)[0] < 200
    assert pixels(scatter(np.array([[3.0]]), np.zeros((0, 1))), dpi=36).shape[2] == 3


def test_of_many_dimensions_the_first_two_are_shown():
    cloud = np.array([[0.5, -0.5, 100.0]])
    flat, high = scatter(cloud[:, :2], CORNERS), scatter(cloud, np.c_[CORNERS, [7.0, 8.0]])
    assert (pixels(flat, dpi=72) == pixels(high, dpi=72)).all()
