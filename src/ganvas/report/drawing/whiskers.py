"""A number beside the number it is held against, each with its error, small enough for the cell of a table."""

import math
from dataclasses import dataclass

from ganvas.report.drawing.axis import Scale
from ganvas.report.drawing.palette import BLUE, INK, RULE, SOFT
from ganvas.report.drawing.primitives import Circle, Drawing, Item, Paint, line

WIDTH, HEIGHT, MIDDLE = 190.0, 24.0, 12.0


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value with its standard error."""

    value: float
    error: float | None = None


def whiskers(value: Measured, floor: Measured | None, *, scale: Scale) -> Drawing:
    """A filled dot for the value, a ring for the floor, bars of two standard errors on either side."""
    rule = Paint(stroke=RULE, stroke_width=1.0)
    items: list[Item] = [line((scale.start, MIDDLE), (scale.end, MIDDLE), rule)]
    if floor is not None and _drawable(floor.value, scale):
        items += _bar(floor, scale, Paint(stroke=SOFT, stroke_width=1.0))
        items.append(Circle(x=scale(floor.value), y=MIDDLE, radius=4, paint=Paint(stroke=INK, stroke_width=1.4)))
    if _drawable(value.value, scale):
        items += _bar(value, scale, Paint(stroke=BLUE, stroke_width=1.6))
        items.append(Circle(x=scale(value.value), y=MIDDLE, radius=3.6, paint=Paint(fill=BLUE)))
    described = f"{value.value:.4g}" + (f", floor {floor.value:.4g}" if floor else "")
    return Drawing(width=WIDTH, height=HEIGHT, items=tuple(items), title=described, background=None)


def shared_scale(shown: list[Measured]) -> Scale:
    """One scale for the cells of a table: logarithmic when all values are positive and differ by more than 5 times."""
    finite = [one for one in shown if math.isfinite(one.value)]
    ends = [one.value + sign * 2 * (one.error or 0) for one in finite for sign in (-1, 1)] or [0.0, 1.0]
    least = min((one.value for one in finite), default=0.0)
    if least > 0 and max(ends) / least > 5:
        low, high = max(min(ends), least / 2), max(ends)
        return Scale(low=low / 1.1, high=high * 1.1, start=8, end=WIDTH - 8, log=True)
    margin = (max(ends) - min(ends)) * 0.05 or abs(max(ends)) * 0.05 or 1.0
    return Scale(low=min(ends) - margin, high=max(ends) + margin, start=8, end=WIDTH - 8)


def _bar(one: Measured, scale: Scale, paint: Paint) -> list[Item]:
    error = 2 * (one.error or 0)
    left, right = scale(max(one.value - error, scale.low)), scale(min(one.value + error, scale.high))
    if right - left < 1:
        return []
    ends = [line((x, MIDDLE - 4), (x, MIDDLE + 4), paint) for x in (left, right)]
    return [line((left, MIDDLE), (right, MIDDLE), paint), *ends]


def _drawable(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and (value > 0 or not scale.log)
