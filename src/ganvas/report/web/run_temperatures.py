"""The place of a run on text by the temperature curve of a language model: a chart, and a sentence."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ganvas.core.curve_scores import CurvePosition, Scored
from ganvas.core.number_text import number, with_error
from ganvas.report.drawing.palette import INK, OKABE_ITO
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.run_curves import SIZE

SAID: Mapping[str, str] = {  # By the verdict.
    "beyond": "lies beyond the curve: at its quality it covers more than the language model, by {gain} bits",
    "on": "is not told apart from the curve: at its quality it covers {gain} bits more than the language model",
    "short": "falls short of the curve: at its quality the language model covers more, by {gain} bits",
    "outside": "has a quality that the language model has at none of these temperatures, so that no coverage of it can "
    "be compared",
}


@dataclass(frozen=True, kw_only=True)
class TemperaturePlace:
    """A run on text by the curve of a language model."""

    model: str  # Of the run: "text/seqgan".
    baseline: str  # Folder of the language model's run.
    quality: str  # What says how good lines are: "nats per drawn token, by the oracle".
    n: int  # Lines that were drawn of each.
    curve: Sequence[tuple[float, Scored]]  # By temperature.
    own: Scored
    real: Scored
    position: CurvePosition  # Its gain is of coverage at the run's quality, bits.


def chart_of(place: TemperaturePlace) -> Chart:
    """Coverage over quality: the curve, the run and real lines."""
    spots = [spot for _, spot in place.curve]
    curves = [
        _marked("text/mle by temperature", spots, OKABE_ITO[0]),
        _marked(place.model, [place.own], OKABE_ITO[1]),
        _marked("real lines", [place.real], INK),
    ]
    axes = Axes(
        x_title=f"{place.quality} (less is better)", y_title="bits per held-out token, less is better", size=SIZE
    )
    return Chart(title="Coverage over quality", curves=curves, axes=axes)


def told(place: TemperaturePlace) -> str:
    """Whether the run lies beyond the curve, in a sentence."""
    found = place.position
    shown = -found.gain if found.verdict == "short" else found.gain  # Then it is the language model that gains.
    verdict = SAID[found.verdict].format(gain=with_error(shown, found.error))
    degrees = ", ".join(number(one) for one, _ in place.curve)
    return (
        f"{place.model} {verdict}. {place.n:,} lines of each; {place.baseline} at the temperatures {degrees}. A game "
        "of text is worth its cost where it lies beyond: lower temperatures buy quality for coverage without any game."
    )


def _marked(name: str, spots: Sequence[Scored], colour: str) -> Curve:
    return Curve(
        name=name,
        x=[spot.quality for spot in spots],
        y=[spot.coverage for spot in spots],
        error=[spot.coverage_error for spot in spots],
        marks=True,
        colour=colour,
        dash=(),
    )
