"""Widths, heights and rows of a diagram: how large each box is, and which places share a row."""

import math
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise

from ganvas.anatomy.diagram.blocks import Block
from ganvas.anatomy.diagram.line_style import look_of
from ganvas.anatomy.diagram.order import Group, Order, Skip, levels
from ganvas.anatomy.diagram.parts import BAR, CIRCLE, PAD, SIZE, Placed, Row
from ganvas.core.errors import UserError
from ganvas.report.drawing.drawing import text_width

GAP = 3.5  # Between boxes.
EDGE = 7.0  # Beside a row, for the lines from the row before and to the next.
WIDEST, WIDER = 1.5, 1.3  # Boxes, and gaps once more, grow by up to these factors to fill the page.
NARROWEST = 0.7  # To this part boxes shrink for a U; what is wider yet does not fit.
THIN, WIDE = 4.0, 0.75  # A box is this wide, and this much more per doubling of its channels.
LOW, HIGH, TALLEST = 7.0, 5.0, 56.0  # The same for its height and resolution, up to the tallest.
FIXED = {"merge": 2 * CIRCLE, "normalisation": BAR}  # Widths of what has no channels to be scaled by.
U_DROP = 15.0  # From level to level of a U.


def rows(order: Order, *, width: float, u_shaped: bool = False) -> list[Row]:
    """The boxes side by side in rows on a page of this width."""
    boxes = _sized(order, u_shaped=u_shaped)
    gaps = [_gap(order, place) for place in range(len(boxes))]
    if u_shaped:
        breaks = [0, len(boxes)]
        boxes, gaps = _scaled(boxes, gaps, _factor(boxes, gaps, breaks, width + EDGE))
    else:
        breaks = _breaks(order, boxes, gaps, width)
        boxes, gaps = _scaled(boxes, gaps, max(1.0, _factor(boxes, gaps, breaks, width)))
    return [_row(order, boxes[a:b], gaps[a:b], a, width) for a, b in pairwise(breaks)]


def fits_u(order: Order, *, width: float) -> bool:
    """Whether a U on this page has boxes that can be told apart."""
    boxes = _sized(order, u_shaped=True)
    gaps = [_gap(order, place) for place in range(len(boxes))]
    return _factor(boxes, gaps, [0, len(boxes)], width + EDGE) >= NARROWEST


def common_label(order: Order) -> str:
    """The label that at least half of those with one share, if there are many: the legend says it once."""
    texts = [block.text for block in order.row if block.kind not in ("input", "merge", "pool", "resize", "other")]
    texts = [text for text in texts if text]
    best = max(set(texts), key=lambda text: (texts.count(text), text), default="")
    return best if texts.count(best) >= 4 and 2 * texts.count(best) >= len(texts) else ""


def _side(block: Block) -> float:
    return math.prod(block.size) ** (1 / len(block.size)) if block.size else 1.0


def _sized(order: Order, *, u_shaped: bool) -> list[Placed]:
    common, depth = common_label(order), levels(order)
    doublings = math.log2(max(max(_side(block) for block in order.row), 2.0))
    unit = min(HIGH, (TALLEST - LOW) / doublings)
    found = []
    for place, block in enumerate(order.row):
        alone = next((g.times for g in order.groups if place in g and g.length == 1), 1)
        merge = block.kind == "merge"
        found.append(
            Placed(
                place=place,
                block=block,
                times=alone,
                label="" if merge or block.text == common else block.text,
                x=0.0,
                y=U_DROP * (depth[place] - min(depth)) if u_shaped else 0.0,
                width=_wide(block),
                height=2 * CIRCLE if merge else LOW + unit * math.log2(max(_side(block), 1.0)),
            )
        )
    return found


def _wide(block: Block) -> float:
    if block.kind in FIXED:
        return FIXED[block.kind]
    return THIN + WIDE * math.log2(max(block.channels, 1))


def _gap(order: Order, place: int) -> float:
    """Room before a place: more where a group begins or ends, and where a skip or what hangs on it must pass."""
    if place == 0:
        return 0.0
    room = GAP + PAD * (starting(order, place) is not None) + PAD * (ending(order, place) is not None)
    room += 1.5 * any(skip.source == place - 1 for skip in order.skips)
    hanging = [skip for skip in order.skips if skip.target == place and skip.branch]
    return room + max((pills_width(skip.branch) + 8 - _span(order, skip) for skip in hanging), default=0.0)


def _span(order: Order, skip: Skip) -> float:
    """At least how wide the row is between a skip's ends; never more than what hangs on it needs."""
    between = order.row[skip.source + 1 : skip.target]
    return min(sum(_wide(block) + GAP for block in between) + CIRCLE, pills_width(skip.branch) + 8)


def pills_width(branch: Sequence[Block]) -> float:
    """Of the boxes on a skip, side by side."""
    return sum(pill_width(block) + 3 for block in branch)


def pill_width(block: Block) -> float:
    """Of one box on a skip."""
    return text_width(pill_text(block), SIZE) + 4


def pill_text(block: Block) -> str:
    """What stands in a box on a skip: its kind's letter, and kernel and stride."""
    if block.kind == "normalisation":
        return "norm"
    return " ".join(part for part in (look_of(block.kind).letter, block.text) if part)


def starting(order: Order, place: int) -> Group | None:
    """The group of several places that begins here."""
    return next((g for g in order.groups if g.start == place and g.length > 1), None)


def ending(order: Order, place: int) -> Group | None:
    """The group of several places that ends before here."""
    return next((g for g in order.groups if g.end == place and g.length > 1), None)


def _factor(boxes: list[Placed], gaps: list[float], breaks: list[int], width: float) -> float:
    """By what boxes and gaps may grow, or must shrink, for the fullest row to fill the page; circles stay."""
    found = [WIDEST]
    for a, b in pairwise(breaks):
        fixed = sum(box.width for box in boxes[a:b] if box.block.kind in FIXED) + 2 * EDGE + 2 * PAD
        free = sum(box.width for box in boxes[a:b] if box.block.kind not in FIXED) + sum(gaps[a + 1 : b])
        found.append((width - fixed) / max(free, 1.0))
    return min(found)


def _scaled(boxes: list[Placed], gaps: list[float], part: float) -> tuple[list[Placed], list[float]]:
    boxes = [box if box.block.kind in FIXED else replace(box, width=box.width * part) for box in boxes]
    return boxes, [gap * part for gap in gaps]


def _breaks(order: Order, boxes: list[Placed], gaps: list[float], width: float) -> list[int]:
    """Where rows begin: few and even, their ends where few skips are open and no group is cut."""
    count, room = len(boxes), width - 2 * EDGE
    best: list[tuple[float, int]] = [(0.0, 0)] + [(math.inf, 0)] * count
    for stop in range(1, count + 1):
        filled, at_end = 0.0, _price(order, stop)
        for start in range(stop - 1, -1, -1):
            filled += boxes[start].width + (gaps[start + 1] if start + 1 < stop else 0.0)
            edges = PAD * (starting(order, start) is not None) + PAD * (ending(order, stop) is not None)
            if filled + edges > room:
                if start == stop - 1:
                    raise UserError(f"A page {width / 72:g} inches wide does not hold one box. Give it more width.")
                break
            price = best[start][0] + 1.0 + ((room - filled) / room) ** 2 + at_end
            if price < best[stop][0]:
                best[stop] = (price, start)
    found = [count]
    while found[-1] > 0:
        found.append(best[found[-1]][1])
    return found[::-1]


def _price(order: Order, place: int) -> float:
    """Of a row that ends before this place."""
    open_skips = sum(skip.source < place - 1 and skip.target >= place for skip in order.skips)
    return 3.0 * open_skips + 6.0 * any(g.start < place < g.end for g in order.groups)


def _row(order: Order, boxes: list[Placed], gaps: list[float], start: int, width: float) -> Row:
    """The boxes side by side, in the middle of the page."""
    edges = PAD * (starting(order, start) is not None), PAD * (ending(order, start + len(boxes)) is not None)
    filled, free = sum(box.width for box in boxes) + sum(edges), sum(gaps[1:])
    wider = min(WIDER, max(1.0, (width - 2 * EDGE - filled) / free)) if free else 1.0
    x = (width - filled - free * wider) / 2 + edges[0]
    placed = []
    for index, box in enumerate(boxes):
        x += gaps[index] * wider if index else 0.0
        placed.append(replace(box, x=x + box.width / 2))
        x += box.width
    return Row(start=start, stop=start + len(boxes), boxes=placed)
