"""Lines of skips: up in the gap behind their source, over all that lies between, down to where they arrive."""

import math
from collections.abc import Sequence

from ganvas.anatomy.diagram.blocks import Block
from ganvas.anatomy.diagram.columns import ending, pill_width, starting
from ganvas.anatomy.diagram.order import Order, Skip
from ganvas.anatomy.diagram.parts import CIRCLE, PAD, PILL, Placed, Rail, Row
from ganvas.report.drawing.drawing import Box, Point

STEP = 6.0  # Between skips one over the other.
LETTERS = "abcdefghijklmnopqrstuvwxyz"


def add_skips(order: Order, rows: list[Row]) -> None:
    """Lays every skip over the rows that it passes, short ones first, so that long ones run above them."""
    short_first = sorted(order.skips, key=lambda skip: (skip.target - skip.source, skip.source))
    for number, skip in enumerate(short_first):
        _add(order, skip, rows, above=short_first[number + 1 :])


def _add(order: Order, skip: Skip, rows: list[Row], *, above: Sequence[Skip]) -> None:
    """One skip; those that are to run above it come down past what hangs on it."""
    first = next(i for i, row in enumerate(rows) if row.start <= skip.source < row.stop)
    last = next(i for i, row in enumerate(rows) if row.start <= skip.target < row.stop)
    if last > first and skip.source == rows[first].stop - 1:  # It leaves where the next row begins.
        first += 1
    marked = len({rail.mark for row in rows for rail in row.rails if rail.mark})
    mark = LETTERS[marked % len(LETTERS)] if last > first else ""
    for index in range(first, last + 1):
        row, opens, closes = rows[index], index > first, index < last
        # Outside of the boxes, and of a group's ground, with room left for the letter.
        before, after = (PAD if there else 2.5 for there in (starting(order, row.start), ending(order, row.stop)))
        start = (row.boxes[0].left - before, math.nan) if opens else _departure(order, skip, row)
        end = (row.boxes[-1].right + after, math.nan) if closes else _arrival(row.of(skip.target))
        passing = [x for other in above for x in _uprights(order, other, row)]
        row.rails.append(_rail(skip, row, start, end, passing, mark=mark, opens=opens, closes=closes))


def _uprights(order: Order, skip: Skip, row: Row) -> list[float]:
    """Where a skip goes up and comes down in a row."""
    found = [_departure(order, skip, row)[0]] if row.start <= skip.source < row.stop else []
    return found + ([_arrival(row.of(skip.target))[0]] if row.start <= skip.target < row.stop else [])


def _departure(order: Order, skip: Skip, row: Row) -> Point:
    """In the gap behind the source; on the ground of the group that the skip belongs to, if any."""
    if skip.source < row.start:
        return row.boxes[0].left - 2.5, row.boxes[0].y
    box, after = row.of(skip.source), skip.source + 1
    begins, ends = starting(order, after), ending(order, after)
    if begins is not None and skip.target in begins and after < row.stop:
        return row.of(after).left - 2.2, box.y
    if ends is not None and skip.target not in ends:
        return box.right + PAD + 1.2, box.y
    return box.right + 2.2, box.y


def _arrival(target: Placed) -> Point:
    if target.block.kind == "merge":
        return target.x, target.y - CIRCLE
    return target.left - 1.8, target.y


def _rail(
    skip: Skip,
    row: Row,
    start: Point,
    end: Point,
    passing: Sequence[float],
    *,
    mark: str,
    opens: bool,
    closes: bool,
) -> Rail:
    """As low as what it passes over allows: boxes with their labels, and the skips already there."""
    left, right = start[0], end[0]
    here = skip.branch if not closes else ()
    over = [box.top - 2.5 for box in row.boxes if box.right > left and box.left < right]
    over += [rail.top - STEP for rail in row.rails if _meet(rail, left, right)]
    if not over:  # From the row before straight into the first box of this one.
        over = [row.boxes[0].top - 2.5]
    y = min(over) - (PILL / 2 if here else 0.0) - 0.5
    points = [(left, y), (right, y)]
    points = ([] if opens else [start]) + points + ([] if closes else [end])
    if not closes and right < row.of(skip.target).left:  # Into a box from the side.
        points.append((row.of(skip.target).left, end[1]))
    pills = _pills(here, left, right, y, passing)
    return Rail(skip=skip, points=tuple(points), pills=pills, mark=mark, opens=opens, closes=closes)


def _meet(rail: Rail, left: float, right: float) -> bool:
    xs = [x for x, _ in rail.points]
    return min(xs) < right - 0.1 and max(xs) > left + 0.1


def _pills(
    branch: Sequence[Block], left: float, right: float, y: float, passing: Sequence[float]
) -> tuple[tuple[Box, Block], ...]:
    """The boxes on a skip, in the middle of it, or where no line runs through their words."""
    widths = [pill_width(block) for block in branch]
    places = _side_by_side(widths, left, right, passing) or _one_by_one(widths, left, right, passing)
    if places is None:
        places = _from((left + right - sum(widths) - 3 * (len(widths) - 1)) / 2, widths)
    boxes = [(x, y - PILL / 2, x + wide, y + PILL / 2) for x, wide in zip(places, widths, strict=True)]
    return tuple(zip(boxes, branch, strict=True))


def _side_by_side(widths: Sequence[float], left: float, right: float, passing: Sequence[float]) -> list[float] | None:
    """Where the boxes begin when they stay together, nearest to the middle."""
    wide = sum(widths) + 3 * (len(widths) - 1)
    middle = (left + right - wide) / 2
    free = [middle, *(x + 2 for x in passing), *(x - wide - 2 for x in passing)]
    free = [x for x in free if (x == middle or left + 3 <= x <= right - wide - 3) and _clear(x, wide, passing)]
    return _from(min(free, key=lambda x: abs(x - middle)), widths) if free else None


def _one_by_one(widths: Sequence[float], left: float, right: float, passing: Sequence[float]) -> list[float] | None:
    """Where they begin when each takes the first gap that holds it."""
    found, least = [], left + 3
    for wide in widths:
        free = [x for x in (least, *(line + 2 for line in passing)) if least <= x and _clear(x, wide, passing)]
        if not free or min(free) + wide > right - 3:
            return None
        found.append(min(free))
        least = found[-1] + wide + 3
    return found


def _from(x: float, widths: Sequence[float]) -> list[float]:
    return [x + sum(widths[:n]) + 3 * n for n in range(len(widths))]


def _clear(x: float, wide: float, passing: Sequence[float]) -> bool:
    return not any(x - 1 < line < x + wide + 1 for line in passing)
