"""Where a run on text lies by the temperature curve of a language model: a chart, and whether it lies beyond."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from ganvas.core.number_text import number, with_error
from ganvas.report.drawing.palette import INK, OKABE_ITO
from ganvas.report.drawing.panels import Axes, Curve
from ganvas.report.web.chart import Chart
from ganvas.report.web.run_curves import SIZE

Where = Literal["beyond", "on", "short", "outside"]
SAID: Mapping[Where, str] = {
    "beyond": "lies beyond the curve: at its quality it covers more than the language model, by {gain} bits",
    "on": "is not told apart from the curve: at its quality it covers {gain} bits more than the language model",
    "short": "falls short of the curve: at its quality the language model covers more, by {gain} bits",
    "outside": "has a quality that the language model has at none of these temperatures, so that no coverage of it can "
    "be compared",
}


@dataclass(frozen=True, kw_only=True)
class Spot:
    """Quality and coverage of drawn lines, less being better, with their standard errors."""

    quality: float
    coverage: float
    quality_error: float = 0.0
    coverage_error: float = 0.0


@dataclass(frozen=True, kw_only=True)
class TemperaturePlace:
    """A run on text by the curve of a language model."""

    model: str  # Of the run: "text/seqgan".
    baseline: str  # Folder of the language model's run.
    quality: str  # What says how good lines are: "nats per drawn token, by the oracle".
    n: int  # Lines that were drawn of each.
    curve: Sequence[tuple[float, Spot]]  # By temperature.
    own: Spot
    real: Spot
    where: Where
    gain: float  # Of coverage at the run's quality, bits; nan outside.
    error: float


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
    gain = "" if place.where == "outside" else with_error(_shown(place), place.error)
    verdict = SAID[place.where].format(gain=gain)
    degrees = ", ".join(number(one) for one, _ in place.curve)
    return (
        f"{place.model} {verdict}. {place.n:,} lines of each; {place.baseline} at the temperatures {degrees}. A game "
        "of text is worth its cost where it lies beyond: lower temperatures buy quality for coverage without any game."
    )


def _shown(place: TemperaturePlace) -> float:
    """The gain as the sentence says it: that of the language model where the run falls short."""
    return -place.gain if place.where == "short" else place.gain


def _marked(name: str, spots: Sequence[Spot], colour: str) -> Curve:
    return Curve(
        name=name,
        x=[spot.quality for spot in spots],
        y=[spot.coverage for spot in spots],
        error=[spot.coverage_error for spot in spots],
        marks=True,
        colour=colour,
        dash=(),
    )
