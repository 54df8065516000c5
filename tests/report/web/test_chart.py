import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ganvas.report.web.chart import Band, Chart, Series, svg
from ganvas.report.web.line_curves import running_median, spread

SVG = "{http://www.w3.org/2000/svg}"
X = np.arange(0.0, 11.0)


def drawn(*series, width=640, height=300, **options):
    chart = Chart(title="A chart", x_title="images shown (kimg)", y_title="loss", series=series, **options)
    return ElementTree.fromstring(svg(chart, width=width, height=height))


def texts(root):
    return {element.text: (float(element.get("x")), float(element.get("y"))) for element in root.iter(f"{SVG}text")}


def circles(root):
    return [(float(circle.get("cx")), float(circle.get("cy"))) for circle in root.iter(f"{SVG}circle")]


def curves(root, kind="curve s0"):
    return [path.get("d") for path in root.iter(f"{SVG}path") if path.get("class") == kind]


def test_a_point_lies_where_the_ticks_beside_it_say():
    root = drawn(Series(name="a", x=X, y=X * 4, marks=True))
    at = texts(root)
    (x0, _), (x10, _) = at["0"], at["10"]  # "0" is written on both axes; the dictionary keeps the last, on the x axis.
    y20, y40 = at["20"][1] - 4, at["40"][1] - 4  # A text hangs 4 pixels below its tick.
    for value, (cx, cy) in zip(X, circles(root), strict=True):
        assert cx == pytest.approx(x0 + (x10 - x0) * value / 10, abs=0.11)  # Pixels are written to a tenth.
        assert cy == pytest.approx(y20 + (y40 - y20) * (value * 4 - 20) / 20, abs=0.21)


def test_on_a_log_axis_a_geometric_mean_lies_halfway():
    root = drawn(Series(name="a", x=[0, 1, 2], y=[1.0, 31.622776601683793, 1000.0], marks=True), log_y=True)
    (_, low), (_, middle), (_, high) = circles(root)
    assert middle == pytest.approx((low + high) / 2, abs=0.11)
    at = texts(root)
    assert at["10"][1] - at["100"][1] == pytest.approx((low - high) / 3, abs=0.11)


def test_a_gap_breaks_the_curve_and_a_lone_point_is_a_dot():
    (path,) = curves(drawn(Series(name="a", x=X, y=[0, 1, 2, np.nan, 4, np.inf, 6, 7, 8, 9, 10])))
    pieces = re.findall(r"M[^M]*", path)
    assert [piece.count("L") for piece in pieces] == [2, 0, 4]
    assert pieces[1].endswith("h0")


def test_what_is_not_positive_is_a_gap_on_a_log_axis():
    (path,) = curves(drawn(Series(name="a", x=[0, 1, 2, 3, 4], y=[1, 10, 0, -5, 100]), log_y=True))
    assert [piece.count("L") for piece in re.findall(r"M[^M]*", path)] == [1, 0]


def test_a_curve_whose_end_a_log_axis_cannot_show_is_named_at_its_last_visible_point():
    root = drawn(Series(name="falling", x=[0, 1, 2], y=[100, 10, -5]), Series(name="b", x=[0, 2], y=[1, 2]), log_y=True)
    at = texts(root)
    assert at["falling"][1] - 4 == pytest.approx(at["10"][1] - 4, abs=0.11)


def test_points_out_of_order_are_drawn_in_order():
    assert curves(drawn(Series(name="a", x=X[::-1], y=X[::-1]))) == curves(drawn(Series(name="a", x=X, y=X)))


def test_an_error_bar_reaches_one_error_up_and_down():
    root = drawn(Series(name="a", x=[0, 1], y=[10, 20], error=[5, np.nan], marks=True))
    (bars,) = [path.get("d") for path in root.iter(f"{SVG}path") if path.get("style")]
    (_, y10), (_, y20) = circles(root)
    top, bottom = (float(re.findall(r"M[\d.]+ ([\d.]+)h6", bars)[index]) for index in (0, 1))
    assert [y10 - top, bottom - y10] == pytest.approx([(y10 - y20) / 2] * 2, abs=0.15)
    assert bars.count("V") == 1  # An unknown error draws no bar.


def test_many_errors_become_one_band_around_the_curve():
    x = np.arange(200.0)
    (band,) = curves(drawn(Series(name="a", x=x, y=x, error=np.full(200, 10.0))), "area s0")
    corners = np.array(re.findall(r"([\d.]+) ([\d.]+)", band), float)
    assert len(corners) == 400
    np.testing.assert_allclose(corners[:200, 0], corners[:199:-1, 0], atol=0.11)
    heights = corners[:199:-1, 1] - corners[:200, 1]
    assert (heights > 0).all()
    assert np.ptp(heights) < 0.3


def test_bands_begin_and_end_at_their_values_and_their_names_do_not_touch():
    starts = [(0, 2, "4"), (2, 4, "8"), (4, 10, "16"), (10, 10.01, "32"), (10.01, 10.02, "64")]
    bands = [Band(start=start, end=end, label=label, hatched=label == "8") for start, end, label in starts]
    root = drawn(Series(name="a", x=X, y=X + 100), bands=bands)
    at = texts(root)
    (shaded, _) = [rect for rect in root.iter(f"{SVG}rect") if rect.get("class") == "band"][:2]
    assert float(shaded.get("x")) == pytest.approx(at["2"][0], abs=0.11)
    assert float(shaded.get("width")) == pytest.approx(at["4"][0] - at["2"][0], abs=0.2)
    assert "64" not in at  # No room beside "32".


def test_names_at_the_ends_of_curves_that_meet_are_moved_apart():
    root = drawn(*(Series(name=f"curve {index}", x=X, y=X + index / 100) for index in range(5)))
    places = sorted(y for text, (_, y) in texts(root).items() if text.startswith("curve"))
    assert (np.diff(places) >= 13.9).all()


def test_spread_names_stay_in_the_frame_and_in_order():
    places = spread([90, 95, 99], distance=14, low=0, high=100)
    assert places == [72, 86, 100]


def test_a_narrow_chart_names_its_curves_below():
    root = drawn(*(Series(name=f"a rather long name {index}", x=X, y=X) for index in range(3)), width=370)
    height = float(root.get("viewBox").split()[3])
    named = {text: place for text, place in texts(root).items() if text.startswith("a rather")}
    assert len(named) == 3
    assert all(300 - 20 < y <= height for _, y in named.values())
    assert all(x + 6.4 * len(text) <= 370 for text, (x, _) in named.items())


def test_a_hundred_thousand_points_become_a_few_and_their_peak_remains():
    y = np.zeros(100_000)
    y[77_777] = 50.0
    chart = Chart(title="", x_title="", y_title="", series=[Series(name="", x=np.arange(1e5), y=y)])
    text = svg(chart)
    assert len(text) < 60_000
    root = ElementTree.fromstring(text)
    (path,) = curves(root)
    heights = np.array(re.findall(r"[ML][\d.]+ ([\d.]+)", path), float)
    at = texts(root)
    assert heights.min() == pytest.approx(at["50"][1] - 4, abs=0.11)


def test_what_the_frame_leaves_out_is_said():
    told = [text for text in texts(drawn(Series(name="a", x=X, y=X * 10), y_range=(5.0, 45.0))) if "frame" in text]
    assert told == ["6 above and 1 below the frame, as far as 100"]


def test_a_running_median_ignores_a_spike_and_follows_a_line():
    x = np.arange(1000.0)
    y = 2 * x
    y[500] = 1e9
    at, medians = running_median(x, y, 21)
    inside = (at >= 10) & (at <= 989)
    np.testing.assert_allclose(medians[inside], 2 * at[inside], atol=2.0)  # One outlier shifts a median by one point.
    assert (at[0], at[-1]) == (0, 999)


def test_the_pointer_is_told_the_values():
    root = drawn(Series(name="real", x=X, y=X**2, error=X / 10), Series(name="fake", x=X, y=-X))
    told = [rect.find(f"{SVG}title").text for rect in root.iter(f"{SVG}rect") if rect.get("class") == "hover"]
    assert told[5] == "images shown (kimg): 5\nreal: 25 ± 0.5\nfake: −5"


@pytest.mark.parametrize("y", [[], [np.nan, np.nan], [3.0], [0.0, 0.0]])
@pytest.mark.parametrize("log", [False, True])
def test_a_chart_of_next_to_nothing_is_still_a_chart(y, log):
    root = drawn(Series(name="a", x=np.arange(float(len(y))), y=y, marks=True), log_y=log)
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")
    drawn()


def test_names_cannot_become_markup_and_every_reference_is_defined():
    evil = "<script>alert('1')</script>&\""
    chart = Chart(
        title=evil,
        x_title=evil,
        y_title=evil,
        series=[Series(name=evil, x=X, y=X)],
        bands=[Band(start=0, end=5, label=evil, hatched=True)],
    )
    text = svg(chart)
    assert "<script" not in text
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == evil
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
    assert len(ids) == len(set(ids))
