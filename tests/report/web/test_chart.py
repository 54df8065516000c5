"""Charts of a page: the drawing as SVG, and what the pointer is told."""

import re
from xml.etree import ElementTree

import numpy as np
import pytest

from ganvas.report.drawing.palette import BLACK, INK, OKABE_ITO, RULE, SOFT
from ganvas.report.drawing.panels import Axes, Band, Curve
from ganvas.report.web.chart import DARK_STYLE, Chart, svg

SVG = "{http://www.w3.org/2000/svg}"
X = np.arange(0.0, 11.0)


def drawn(*curves, width=640, height=300, **options):
    axes = Axes(x_title="images shown (kimg)", y_title="loss", size=11.0, names_at_ends=True, **options)
    return ElementTree.fromstring(svg(Chart(title="A chart", curves=curves, axes=axes), width=width, height=height))


def texts(root):
    return {element.text: (float(element.get("x")), float(element.get("y"))) for element in root.iter(f"{SVG}text")}


def test_the_pointer_is_told_the_values():
    root = drawn(Curve(name="real", x=X, y=X**2, error=X / 10), Curve(name="fake", x=X, y=-X))
    told = [rect.find(f"{SVG}title").text for rect in root.iter(f"{SVG}rect") if rect.get("class") == "hover"]
    assert told[5] == "images shown (kimg): 5\nreal: 25 ± 0.5\nfake: −5"


def test_a_hundred_thousand_points_become_a_few_and_their_peak_remains():
    y = np.zeros(100_000)
    y[77_777] = 50.0
    text = svg(Chart(title="", curves=[Curve(x=np.arange(1e5), y=y)], axes=Axes()), width=640, height=300)
    assert len(text) < 60_000
    root = ElementTree.fromstring(text)
    (path,) = [path.get("d") for path in root.iter(f"{SVG}path") if path.get("stroke") == OKABE_ITO[0]]
    heights = np.array(re.findall(r"[ML][\d.]+,([\d.]+)", path), float)
    at = texts(root)  # A text hangs 0.359 of its size, 7, below its tick.
    assert heights.min() == pytest.approx(at["50"][1] - 0.359 * 7, abs=0.01)


@pytest.mark.parametrize("y", [[], [np.nan, np.nan], [3.0], [0.0, 0.0]])
@pytest.mark.parametrize("log", [False, True])
def test_a_chart_of_next_to_nothing_is_still_a_chart(y, log):
    root = drawn(Curve(name="a", x=np.arange(float(len(y))), y=y, marks=True), log_y=log)
    assert "nan" not in ElementTree.tostring(root, encoding="unicode")
    drawn()


def test_names_cannot_become_markup_and_every_reference_is_defined():
    evil = "<script>alert('1')</script>&\""
    axes = Axes(x_title=evil, y_title=evil, note=evil, bands=[Band(start=0, end=5, label=evil, hatched=True)])
    text = svg(Chart(title=evil, curves=[Curve(name=evil, x=X, y=X)], axes=axes), width=640, height=300)
    assert "<script" not in text
    root = ElementTree.fromstring(text)
    assert root.get("aria-label") == evil
    ids = [element.get("id") for element in root.iter() if element.get("id")]
    assert set(re.findall(r"url\(#([^)]+)\)", text)) == set(ids)
    assert len(ids) == len(set(ids))


def test_two_charts_of_one_page_have_no_id_in_common():
    charts = [Chart(title=name, curves=[Curve(x=X, y=X)], axes=Axes()) for name in ("one", "two")]
    first, second = (set(re.findall(r'id="([^"]+)"', svg(chart, width=640, height=300))) for chart in charts)
    assert first
    assert not first & second


def test_ink_and_lines_have_another_colour_on_a_dark_ground_and_the_curves_keep_theirs():
    exchanged = set(re.findall(r'\[fill="(#[0-9a-f]{6})"\]', DARK_STYLE))
    assert exchanged == set(re.findall(r'\[stroke="(#[0-9a-f]{6})"\]', DARK_STYLE)) == {INK, SOFT, RULE, BLACK}
    text = svg(Chart(title="", curves=[Curve(x=X, y=X)], axes=Axes(x_title="x")), width=640, height=300)
    assert set(re.findall(r'(?:fill|stroke)="(#[0-9a-f]{6})"', text)) <= exchanged | set(OKABE_ITO)
