"""All experiments in one drawing: effect and interval of each, counted in its own smallest effects worth naming."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ganvas.claims.judging.claim import Experiment
from ganvas.claims.judging.family import JudgedExperiment
from ganvas.report.drawing.letters import wrapped
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.primitives import Circle, Drawing, Item, Paint, Rect, Text, line

HEAD, FOOT, EDGE = 26.0, 16.0, 60.0  # The edge has the verdicts.
SIZE, LEADING = 6.5, 7.5  # Of statements, which stand there whole: two of them may differ in their middle alone.
REACH = 6.0  # Smallest effects to either side; what lies beyond stands at the edge with an arrow's sign.
ENDS = {False: ((-1.0, "-1"), (0.0, "none"), (1.0, "1")), True: ((-1.0, "-1"), (0.0, "0"), (1.0, "1"))}
COLOURS = {"holds": OKABE_ITO[2], "fails": OKABE_ITO[3], "undecided": "#777777"}


@dataclass(frozen=True, kw_only=True)
class Layout:
    """Where things stand: statements left of the effects, or above them where the page is narrow."""

    width: float
    left: float  # Of the effects.
    row: float
    above: float = 0.0  # Room for a statement above its effect.

    def x(self, value: float) -> float:
        """Where an effect stands that is counted in smallest effects."""
        share = (max(-REACH, min(REACH, value)) + REACH) / (2 * REACH)
        return self.left + share * (self.width - EDGE - self.left)


WIDE = Layout(width=460.0, left=215.0, row=19.0)
NARROW = Layout(width=230.0, left=12.0, row=40.0, above=24.0)


def forest(rows: Sequence[JudgedExperiment], *, narrow: bool = False) -> Drawing:
    """A row for each; the dashed line is the smallest effect, on the side that the claim says."""
    layout = NARROW if narrow else WIDE
    height = HEAD + layout.row * len(rows) + FOOT
    lines = [_upright(layout, at, height, dashed=at != 0) for at in (-1.0, 0.0, 1.0)]
    items = [item for place, row in enumerate(rows) for item in _row(layout, row, HEAD + layout.row * place)]
    titles = [
        Text(x=8, y=12, text="Experiments: effect by its smallest effect worth naming", size=8, weight="bold"),
        *(Text(x=layout.x(at), y=height - 4, text=text, size=7, anchor="middle") for at, text in ENDS[narrow]),
    ]
    return Drawing(width=layout.width, height=height, items=(*titles, *lines, *items), title="All experiments")


def in_smallest_effects(claim: Experiment, value: float) -> float:
    """An effect by the claim's smallest one; of ratios by logarithms. Above 1 is what "more" and "less" ask for."""
    scaled = math.log(value) / math.log(claim.smallest_effect) if claim.ratio else value / claim.smallest_effect
    return -scaled if claim.says == "less" else scaled


def _row(layout: Layout, row: JudgedExperiment, top: float) -> list[Item]:
    verdict, colour = row.verdict, COLOURS[row.verdict.state]
    assert verdict.low is not None
    assert verdict.high is not None
    low, middle, high = (in_smallest_effects(row.claim, v) for v in (verdict.low, verdict.value, verdict.high))
    beyond = f" {middle:+.0f}" if abs(middle) > REACH else ""
    y = top + (layout.row + layout.above) / 2
    bar = line((layout.x(low), y), (layout.x(high), y), Paint(stroke=colour, stroke_width=1.4))
    return [
        *_statement(layout, row.claim.statement, top),
        bar,
        Circle(x=layout.x(middle), y=y, radius=2.2, paint=Paint(fill=colour)),
        Text(x=layout.width - 4, y=y + 2.5, text=f"{verdict.state}{beyond}", size=7, anchor="end", fill=colour),
    ]


def _statement(layout: Layout, statement: str, top: float) -> list[Item]:
    lines = wrapped(statement, (layout.width if layout.above else layout.left) - 20, SIZE)
    middle = top + (layout.above or layout.row) / 2
    first = middle + 2.5 - LEADING * (len(lines) - 1) / 2
    ground = Rect(x=0, y=top, width=layout.width, height=layout.above, paint=Paint(fill="#ffffff"))
    return [
        *([ground] if layout.above else []),  # The lines of the axis stop at what is written.
        *(Text(x=8, y=first + LEADING * place, text=text, size=SIZE) for place, text in enumerate(lines)),
    ]


def _upright(layout: Layout, at: float, height: float, *, dashed: bool) -> Item:
    paint = Paint(stroke="#999999", stroke_width=0.6, dash=(3.0, 2.0) if dashed else ())
    return line((layout.x(at), HEAD - 4), (layout.x(at), height - FOOT + 2), paint)
