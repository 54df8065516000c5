"""One figure for every claim: errors of cases against the bound, or paired differences against the smallest effect."""

import textwrap

import numpy as np

from ganvas.claims.judging.claim import Claim, Experiment, Identity
from ganvas.claims.judging.judge import effects_of
from ganvas.claims.judging.running import Outcome
from ganvas.report.drawing.letters import fitted
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.panels import Axes, Curve, chart
from ganvas.report.drawing.plot_frame import Place
from ganvas.report.drawing.primitives import Drawing, Item, Text

WIDTH, HEIGHT, MARGIN, HEAD = 340.0, 230.0, 8.0, 42.0
LETTERS = 95  # Of the sentence in a line.
FLOOR = 1e-17  # Errors of exactly 0 stand here on a logarithmic axis.


def figure(claim: Claim, outcome: Outcome) -> Drawing:
    """The outcome of a claim as a drawing."""
    place = (MARGIN, HEAD, WIDTH - 2 * MARGIN, HEIGHT - HEAD - MARGIN)
    drawn = _drawn(claim, outcome, place)
    room = WIDTH - 2 * MARGIN
    told = textwrap.wrap(outcome.verdict.sentence, LETTERS)[:2]
    head = [Text(x=MARGIN, y=12, text=fitted(claim.statement, room, 8, weight="bold"), size=8, weight="bold")]
    head += [Text(x=MARGIN, y=23 + 9 * row, text=fitted(line, room, 7), size=7) for row, line in enumerate(told)]
    return Drawing(width=WIDTH, height=HEIGHT, items=(*head, *drawn), title=outcome.verdict.sentence)


def _drawn(claim: Claim, outcome: Outcome, place: Place) -> tuple[Item, ...]:
    if isinstance(claim, Identity):
        return _cases(claim, outcome, place)
    return _levels(claim, outcome, place) if claim.doses else _differences(claim, outcome, place)


def _levels(claim: Experiment, outcome: Outcome, place: Place) -> tuple[Item, ...]:
    """Every seed over the doses, and their mean: what the rise is taken of."""
    values = np.array(outcome.values)
    middle = np.exp(np.log(values).mean(1)) if claim.ratio else values.mean(1)
    doses = np.array(claim.doses)
    names = ["seeds", *[""] * (values.shape[1] - 1)]
    curves = [
        Curve(name=name, x=doses, y=one, dash=(), colour=OKABE_ITO[0], stroke_width=0.5)
        for name, one in zip(names, values.T, strict=True)
    ]
    curves.append(Curve(name="mean", x=doses, y=middle, dash=(), marks=True, colour=OKABE_ITO[3], stroke_width=1.6))
    axes = Axes(x_title="dose", y_title=claim.unit, log_y=claim.ratio)
    return chart(curves, place, axes=axes)


def _cases(claim: Identity, outcome: Outcome, place: Place) -> tuple[Item, ...]:
    errors = np.array([max(case.error, FLOOR) for case in outcome.cases])
    inside = np.array([case.inside for case in outcome.cases])
    places = np.arange(1, len(errors) + 1)
    curves = [Curve(name="cases", x=places[inside], y=errors[inside], joined=False, marks=True, colour=OKABE_ITO[0])]
    if not inside.all():
        out = ~inside
        curves.append(
            Curve(
                name="where the condition is not met",
                x=places[out],
                y=errors[out],
                joined=False,
                marks=True,
                colour=OKABE_ITO[1],
            )
        )
    ends = [0.5, len(errors) + 0.5]
    bound = max(claim.smallest_effect, FLOOR)
    curves.append(Curve(name="counts as none below", x=ends, y=[bound, bound], dash=(4.0, 1.5), colour="#555555"))
    axes = Axes(x_title="case", y_title=claim.unit, log_y=True, whole=True)
    return chart(curves, place, axes=axes)


def _differences(claim: Experiment, outcome: Outcome, place: Place) -> tuple[Item, ...]:
    verdict = outcome.verdict
    assert verdict.low is not None
    assert verdict.high is not None
    plain = effects_of(claim, *outcome.values)
    effects = np.exp(plain) if claim.ratio else plain
    n = len(effects)
    ends = [0.5, n + 1.5]
    seeds = Curve(name="seeds", x=np.arange(1, n + 1), y=effects, joined=False, marks=True, colour=OKABE_ITO[0])
    mean = Curve(name="mean", x=[n + 1], y=[verdict.value], joined=False, marks=True, colour=OKABE_ITO[3])
    interval = Curve(
        name="interval", x=[n + 1, n + 1], y=[verdict.low, verdict.high], colour=OKABE_ITO[3], dash=(), stroke_width=1.6
    )
    nothing = 1.0 if claim.ratio else 0.0
    none = Curve(name="none", x=ends, y=[nothing, nothing], dash=(), colour="#999999", stroke_width=0.6)
    bounds = [
        Curve(name="" if place else "smallest effect", x=ends, y=[at, at], dash=(4.0, 1.5), colour="#555555")
        for place, at in enumerate(_bounds(claim))
    ]
    curves = [seeds, mean, interval, none, *bounds]
    what = "by" if claim.ratio else "minus"
    axes = Axes(x_title="seed", y_title=f"{claim.arms[0]} {what} {claim.arms[1]}", log_y=claim.ratio)
    return chart(curves, place, axes=axes)


def _bounds(claim: Experiment) -> list[float]:
    """The smallest effect on the side that is claimed; of what is said to be the same, on both."""
    least = claim.smallest_effect
    below = 1 / least if claim.ratio else -least
    return {"more": [least], "less": [below], "same": [least, below]}[claim.says]
