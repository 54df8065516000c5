"""Plots in a rectangle: what is drawn stands where its value belongs, and stays inside."""

import numpy as np
import pytest

from ganvas.report.drawing.drawing import Circle, Clip, Image, Path, Text, bounds, text_width
from ganvas.report.drawing.palette import OKABE_ITO, shaded
from ganvas.report.drawing.panels import Axes, Curve, chart, framed, heat_map, histogram, scatter
from ganvas.report.drawing.primitives import flat

PLACE = (10.0, 20.0, 200.0, 120.0)


def inside(items, place=PLACE) -> bool:
    left, top, width, height = place
    boxes = [bounds(item) for item in items]
    return all(
        a >= left - 1 and b >= top - 1 and c <= left + width + 1 and d <= top + height + 1 for a, b, c, d in boxes
    )


def curves(items) -> list[Path]:
    (clip,) = [item for item in items if isinstance(item, Clip)]
    return [item for item in clip.items if isinstance(item, Path)]


def points(path: Path) -> np.ndarray:
    ((found, _),) = flat(path.commands)
    return np.array(found)


@pytest.mark.parametrize("log_x", [False, True])
@pytest.mark.parametrize("log_y", [False, True])
def test_a_power_law_is_straight_on_the_axes_that_make_it_so(log_x, log_y):
    x = np.geomspace(1, 1000, 20)
    y = {(False, False): 3 * x + 2, (True, True): x**2, (True, False): np.log(x), (False, True): np.exp(x / 200)}
    items = chart([Curve(x=x, y=y[log_x, log_y])], PLACE, axes=Axes(log_x=log_x, log_y=log_y))
    line = points(curves(items)[0])
    slopes = np.diff(line[:, 1]) / np.diff(line[:, 0])
    np.testing.assert_allclose(slopes, slopes[0], rtol=1e-6)
    assert slopes[0] < 0  # Upwards on a page whose y counts down.


def test_everything_stays_inside_the_panel_and_no_two_texts_touch():
    x = np.arange(1, 300)
    many = [Curve(name=f"series {index}", x=x, y=np.sqrt(x) * index * 1e4, marks=index == 2) for index in range(1, 8)]
    axes = Axes(title="A title", x_title="steps", y_title="value")
    for items in (
        chart(many, PLACE, axes=axes),
        chart(many, PLACE, axes=Axes(title="A title", log_y=True, log_x=True)),
        histogram(np.sin(x), PLACE, axes=axes),
        heat_map(np.outer(x[:20], x[:30]).astype(float), PLACE, axes=axes, bar_title="product"),
        scatter(x, np.cos(x), PLACE, axes=axes),
    ):
        assert inside(items)
        boxes = [bounds(item) for item in items if isinstance(item, Text)]
        for index, a in enumerate(boxes):
            for b in boxes[:index]:
                assert a[2] <= b[0] + 0.5 or b[2] <= a[0] + 0.5 or a[3] <= b[1] + 1.5 or b[3] <= a[1] + 1.5


def test_gaps_break_a_curve_and_nothing_is_drawn_for_them():
    y = np.array([1.0, 2.0, np.nan, 3.0, 4.0, np.inf, 5.0])
    found = curves(chart([Curve(x=np.arange(7), y=y)], PLACE))
    assert [len(points(path)) for path in found] == [2, 2]  # A point alone is no line.
    log = curves(chart([Curve(x=np.arange(1, 6), y=[1.0, 10.0, 0.0, 10.0, 100.0])], PLACE, axes=Axes(log_y=True)))
    assert [len(points(path)) for path in log] == [2, 2]


def test_error_bars_reach_one_error_either_way():
    axes = Axes(y_range=(0.0, 10.0), x_range=(0.0, 2.0))
    items = chart([Curve(x=[1.0], y=[5.0], error=[2.0], marks=True)], PLACE, axes=axes)
    frame = framed(PLACE, axes, x_span=(0.0, 2.0), y_span=(0.0, 10.0))
    (bar,) = curves(items)
    np.testing.assert_allclose(points(bar), [[frame.x(1), frame.y(3)], [frame.x(1), frame.y(7)]])


def test_curves_take_different_colours_and_dashes():
    found = curves(chart([Curve(name=str(i), x=[0, 1], y=[i, i + 1]) for i in range(6)], PLACE))
    assert [path.paint.stroke for path in found] == list(OKABE_ITO[:6])
    assert len({(path.paint.dash) for path in found[:4]}) == 4


def test_a_histograms_area_is_the_share_of_values_in_it():
    values = np.concatenate([np.full(30, 0.25), np.full(70, 0.75), [np.nan] * 100, [7.0] * 50])
    axes = Axes(x_range=(0.0, 1.0), y_range=(0.0, 1.0))
    items = histogram(values, PLACE, bins=2, axes=axes)
    frame = framed(PLACE, axes, x_span=(0.0, 1.0), y_span=(0.0, 1.0))
    (body,) = [item for item in items if isinstance(item, Path) and item.paint.fill]
    outline = points(body)
    heights = {round(float(y), 3) for _, y in outline}
    assert heights == {round(frame.y(v), 3) for v in (0.0, 30 / 250, 70 / 250)}
    assert [item.text for item in items if isinstance(item, Text)][-1] == "150 outside"


def test_a_heat_map_has_row_zero_at_the_top_square_pixels_and_the_maps_colours():
    values = np.array([[0.0, 1.0, 2.0, 3.0], [4.0, 5.0, 6.0, 7.0]])
    picture, bar = [item for item in heat_map(values, PLACE) if isinstance(item, Image)]
    np.testing.assert_array_equal(picture.pixels, shaded(values, low=0.0, high=7.0))
    assert picture.width / 4 == pytest.approx(picture.height / 2)
    np.testing.assert_array_equal(bar.pixels[0, 0], picture.pixels[1, 3])  # High at the top of the bar.
    np.testing.assert_array_equal(bar.pixels[-1, 0], picture.pixels[0, 0])
    assert not picture.smooth


def test_empty_and_constant_values_still_make_a_panel():
    for values in ([], [np.nan], [3.0], [0.0, 0.0]):
        array = np.array(values)
        assert inside(histogram(array, PLACE))
        assert inside(chart([Curve(x=np.arange(len(array)), y=array)], PLACE))
    assert inside(heat_map(np.zeros((3, 3)), PLACE))
    assert inside(heat_map(np.full((3, 3), np.nan), PLACE))


def test_a_cloud_has_a_mark_for_every_finite_point():
    items = scatter([1, 2, 3, np.nan], [1, np.inf, 3, 4], PLACE)
    (clip,) = [item for item in items if isinstance(item, Clip)]
    assert len([item for item in clip.items if isinstance(item, Circle)]) == 2


def test_a_long_title_is_shortened_to_its_panel():
    items = histogram([1.0, 2.0], PLACE, axes=Axes(title="generator.blocks.7." * 10))
    (title,) = [item for item in items if isinstance(item, Text) and item.weight == "bold"]
    assert text_width(title.text, title.size, weight="bold") <= PLACE[2]
