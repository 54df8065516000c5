"""All experiments in one drawing: effect and interval of each, counted in its own smallest effects worth naming."""

import math
from collections.abc import Sequence

from ganvas.claims.judging.claim import Experiment
from ganvas.claims.judging.family import JudgedExperiment
from ganvas.report.drawing.letters import wrapped
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.primitives import Circle, Drawing, Item, Paint, Text, line

WIDTH, ROW, HEAD, FOOT, LEFT = 460.0, 19.0, 26.0, 16.0, 215.0
SIZE, LEADING = 6.5, 7.5  # Of statements, which stand there whole: two of them may differ in their middle alone.
REACH = 6.0  # Smallest effects to either side; what lies beyond stands at the edge with an arrow's sign.
COLOURS = {"holds": OKABE_ITO[2], "fails": OKABE_ITO[3], "undecided": "#777777"}


def forest(rows: Sequence[JudgedExperiment]) -> Drawing:
    """A row for each; the dashed line is the smallest effect, on the side that the claim says."""
    height = HEAD + ROW * len(rows) + FOOT
    lines = [_upright(at, height, dashed=at != 0) for at in (-1.0, 0.0, 1.0)]
    items = [item for place, row in enumerate(rows) for item in _row(row, HEAD + ROW * (place + 0.5))]
    titles = [
        Text(x=8, y=12, text="Experiments: effect by its smallest effect worth naming", size=8, weight="bold"),
        Text(x=_x(-1), y=height - 4, text="-1", size=7, anchor="middle"),
        Text(x=_x(0), y=height - 4, text="none", size=7, anchor="middle"),
        Text(x=_x(1), y=height - 4, text="1", size=7, anchor="middle"),
    ]
    return Drawing(width=WIDTH, height=height, items=(*titles, *lines, *items), title="All experiments")


def in_smallest_effects(claim: Experiment, value: float) -> float:
    """An effect by the claim's smallest one; of ratios by logarithms. Above 1 is what "more" and "less" ask for."""
    scaled = math.log(value) / math.log(claim.smallest_effect) if claim.ratio else value / claim.smallest_effect
    return -scaled if claim.says == "less" else scaled


def _row(row: JudgedExperiment, y: float) -> list[Item]:
    verdict, colour = row.verdict, COLOURS[row.verdict.state]
    assert verdict.low is not None
    assert verdict.high is not None
    low, middle, high = (in_smallest_effects(row.claim, v) for v in (verdict.low, verdict.value, verdict.high))
    beyond = f" {middle:+.0f}" if abs(middle) > REACH else ""
    bar = line((_x(low), y), (_x(high), y), Paint(stroke=colour, stroke_width=1.4))
    lines = wrapped(row.claim.statement, LEFT - 20, SIZE)
    top = y + 2.5 - LEADING * (len(lines) - 1) / 2
    return [
        *(Text(x=8, y=top + LEADING * place, text=text, size=SIZE) for place, text in enumerate(lines)),
        bar,
        Circle(x=_x(middle), y=y, radius=2.2, paint=Paint(fill=colour)),
        Text(x=WIDTH - 4, y=y + 2.5, text=f"{verdict.state}{beyond}", size=7, anchor="end", fill=colour),
    ]


def _x(value: float) -> float:
    share = (max(-REACH, min(REACH, value)) + REACH) / (2 * REACH)
    return LEFT + share * (WIDTH - 60 - LEFT)


def _upright(at: float, height: float, *, dashed: bool) -> Item:
    paint = Paint(stroke="#999999", stroke_width=0.6, dash=(3.0, 2.0) if dashed else ())
    return line((_x(at), HEAD - 4), (_x(at), height - FOOT + 2), paint)
