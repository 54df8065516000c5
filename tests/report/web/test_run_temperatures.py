"""What the page of a run on text says of its place by a temperature curve."""

import math

import pytest

from ganvas.core.curve_scores import CurvePosition, Scored
from ganvas.report.web.run_temperatures import TemperaturePlace, chart_of, told


def place(where, gain, error=0.05):
    return TemperaturePlace(
        model="text/seqgan",
        baseline="runs/mle",
        quality="nats per drawn token",
        n=2000,
        curve=[(1.0, Scored(quality=3.7, coverage=5.2)), (0.5, Scored(quality=1.9, coverage=7.4))],
        own=Scored(quality=3.0, coverage=5.5),
        real=Scored(quality=2.4, coverage=4.9),
        position=CurvePosition(verdict=where, gain=gain, error=error),
    )


@pytest.mark.parametrize(
    ("where", "gain", "said"),
    [
        ("beyond", 0.3, "covers more than the language model, by 0.300 ± 0.050 bits"),
        ("short", -0.3, "the language model covers more, by 0.300 ± 0.050 bits"),
        ("on", -0.02, "it covers −0.020 ± 0.050 bits more"),
        ("outside", math.nan, "at none of these temperatures"),
    ],
)
def test_a_sentence_says_on_which_side_of_the_curve_a_run_lies(where, gain, said):
    text = told(place(where, gain))
    assert said in text
    assert "nan" not in text
    assert "2,000 lines" in text


def test_the_chart_has_the_curve_the_run_and_real_lines():
    shown = chart_of(place("beyond", 0.3))
    assert [curve.name for curve in shown.curves] == ["text/mle by temperature", "text/seqgan", "real lines"]
    assert list(shown.curves[1].x) == [3.0]
