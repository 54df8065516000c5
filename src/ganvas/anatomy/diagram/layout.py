"""The layout of a diagram: rows under one another, groups' grounds, resolutions, lines from box to box.

Skips run in the gaps between boxes and above them, lower ones inside higher ones. A row that must break does so where
the fewest skips are open; a skip that passes from row to row bears a letter at its open ends.
"""

from itertools import pairwise

from ganvas.anatomy.diagram.columns import common_label, rows
from ganvas.anatomy.diagram.order import Order
from ganvas.anatomy.diagram.parts import PAD, Bracket, Frame, Layout, Placed, Row
from ganvas.anatomy.diagram.skip_arrows import add_skips
from ganvas.report.drawing.drawing import Point

BETWEEN, TOP = 7.0, 2.0  # From row to row, and above the first.
STUB = 5.5  # Length of the line that goes on in the next row.
Line = tuple[Point, ...]


def laid_out(order: Order, *, width: float, u_shaped: bool = False) -> Layout:
    """Places everything on a page of this width in points; the height is what it takes."""
    found = rows(order, width=width, u_shaped=u_shaped)
    add_skips(order, found)
    y, placed = TOP, list[Row]()
    for row in found:
        if u_shaped:  # Each resolution stands under its own boxes, on the ground of their group.
            row.brackets = _brackets(row, u_shaped=True)
        row.frames = _frames(order, row)
        if not u_shaped:
            row.brackets = _brackets(row, u_shaped=False)
        placed.append(row.shifted(y - row.top))
        y = placed[-1].bottom + BETWEEN
    joined = order.joined
    stubs = [(row.boxes[-1], row.boxes[0]) for row in placed]
    breaks = [place for place, (a, b) in enumerate(pairwise(stubs)) if a[0].place in joined]
    leaving = [_stub(stubs[place][0], right=True) for place in breaks]
    arriving = [_stub(stubs[place + 1][1], right=False) for place in breaks]
    inner = [_joint(a, b) for row in placed for a, b in pairwise(row.boxes) if a.place in joined]
    return Layout(
        width=width,
        height=y - BETWEEN + TOP,
        boxes=tuple(box for row in placed for box in row.boxes),
        rails=tuple(rail for row in placed for rail in row.rails),
        frames=tuple(frame for row in placed for frame in row.frames),
        brackets=tuple(bracket for row in placed for bracket in row.brackets),
        joints=(*inner, *leaving, *arriving),
        leaving=tuple(leaving),
        layers=order.layers(),
        common=common_label(order),
    )


def _joint(a: Placed, b: Placed) -> Line:
    """From box to box; in a U with a step in the gap."""
    middle = (a.right + b.left) / 2
    bend = ((middle, a.y), (middle, b.y)) if a.y != b.y else ()
    return (a.right, a.y), *bend, (b.left, b.y)


def _stub(box: Placed, *, right: bool) -> Line:
    return ((box.right, box.y), (box.right + STUB, box.y)) if right else ((box.left - STUB, box.y), (box.left, box.y))


def _frames(order: Order, row: Row) -> list[Frame]:
    """Grounds around the boxes, labels and skips of every group that repeats as a whole."""
    found = []
    for group in order.groups:
        inside = [box for box in row.boxes if box.place in group]
        if group.length == 1 or not inside:
            continue
        tops = [box.top for box in inside] + [rail.top for rail in row.rails if rail.skip.target in group]
        left, right = inside[0].left - PAD, inside[-1].right + PAD
        bottoms = [box.bottom for box in inside]
        bottoms += [bracket.bottom for bracket in row.brackets if bracket.left < right and bracket.right > left]
        box = (left, min(tops) - 2.5, right, max(bottoms) + 2.5)
        whole = inside[-1].place == group.end - 1
        found.append(Frame(box=box, group=group, times=group.times if whole else 1))
    return found


def _brackets(row: Row, *, u_shaped: bool) -> list[Bracket]:
    """One under every run of boxes of one resolution; at one height, in a U each under its own boxes."""
    runs: list[list[Placed]] = []
    for box in row.boxes:
        if runs and runs[-1][-1].block.size == box.block.size and runs[-1][-1].y == box.y:
            runs[-1].append(box)
        else:
            runs.append([box])
    found = []
    for run in runs:
        if run[0].block.size:
            y = (max(box.bottom for box in run) if u_shaped else row.floor) + 3.0
            found.append(Bracket(left=run[0].left, right=run[-1].right, y=y, text=size_text(run[0].block.size)))
    return found


def size_text(size: tuple[int, ...]) -> str:
    """``32²`` for a square, ``32³`` for a cube, otherwise the sides.

    >>> size_text((32, 32)), size_text((24, 32)), size_text((16000,))
    ('32²', '24×32', '16000')
    """
    if len(set(size)) == 1 and len(size) in (2, 3):
        return f"{size[0]}{'²' if len(size) == 2 else '³'}"
    return "×".join(map(str, size))
