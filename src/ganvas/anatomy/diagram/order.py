"""From blocks to one line of them: what stands in the row, what hangs on a skip connection, what repeats.

The longest path from an input to an output is the row. A short side path that leaves the row and comes back to it at a
merge (a projection, a 1 x 1 convolution) is drawn on its skip connection; whatever else stands in the row where it
ran, an input just before the first block that reads it. Stretches that follow one another alike are drawn once, with
how often they run.
"""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ganvas.anatomy.diagram.blocks import Block

LONGEST_BRANCH = 3
LONGEST_PERIOD = 16
ALIKE = 0.1  # Sizes count as one up to this part: convolutions without padding lose a border each.


@dataclass(frozen=True, kw_only=True)
class Skip:
    """An edge that is not from one place in the row to the next. ``branch`` are the blocks on it."""

    source: int
    target: int
    branch: tuple[Block, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Group:
    """``length`` places from ``start`` that run ``times`` times, one after another."""

    start: int
    length: int
    times: int

    @property
    def end(self) -> int:
        """The place behind the last."""
        return self.start + self.length

    def __contains__(self, place: int) -> bool:
        return self.start <= place < self.end


@dataclass(frozen=True, kw_only=True)
class Order:
    """The row: its blocks, which neighbours are joined, the skips, and the groups that repeat."""

    row: tuple[Block, ...]
    joined: frozenset[int]  # Place i and place i + 1.
    skips: tuple[Skip, ...]
    groups: tuple[Group, ...] = ()

    def times(self, place: int) -> int:
        """How often the block at a place runs."""
        return next((group.times for group in self.groups if place in group), 1)

    def layers(self) -> int:
        """Layers of the network that the figure stands for, repeats and side paths counted."""
        held = sum(block.layers * self.times(place) for place, block in enumerate(self.row))
        return held + sum(block.layers * self.times(skip.target) for skip in self.skips for block in skip.branch)


def ordered(found: Sequence[Block], *, fold: bool = True) -> Order:
    """The blocks in a row, folded where that is asked for."""
    if not found:
        return Order(row=(), joined=frozenset(), skips=())
    main = _longest_path(found)
    branches = _branches(found, set(main))
    hanging = {index for chain in branches for index in chain}
    places = {index: place for place, index in enumerate(i for i in _sequence(found) if i not in hanging)}
    row = tuple(found[index] for index in places)
    edges = [(places[s], places[t]) for t in places for s in found[t].inputs if s in places]
    skips = [Skip(source=s, target=t) for s, t in edges if t != s + 1]
    for chain in branches:
        readers = [places[t] for t in places if chain[-1] in found[t].inputs]
        source = places[found[chain[0]].inputs[0]]
        skips.append(Skip(source=source, target=readers[0], branch=tuple(found[index] for index in chain)))
    whole = Order(
        row=row,
        joined=frozenset(s for s, t in edges if t == s + 1),
        skips=tuple(sorted(skips, key=lambda skip: (skip.target, skip.source))),
    )
    return _folded(whole) if fold else whole


def _sequence(found: Sequence[Block]) -> list[int]:
    """As they ran, but each input just before its first reader, or else the lines of one would pass over the others."""
    first: dict[int, int] = {}
    for index, block in enumerate(found):
        for source in block.inputs:
            first.setdefault(source, index)
    at = [first.get(i, i) - 0.5 if block.kind == "input" else i for i, block in enumerate(found)]
    return sorted(range(len(found)), key=at.__getitem__)


def _longest_path(found: Sequence[Block]) -> list[int]:
    """Most layers from an input to the end; among equals the one that computes most."""
    total = sum(block.macs for block in found) + 1
    best: list[tuple[float, int | None]] = []
    for block in found:
        own = {"input": 0.0, "merge": 0.0, "normalisation": 0.1}.get(block.kind, 1.0) + block.macs / total / 2
        before = max(block.inputs, key=lambda index: best[index][0], default=None)
        best.append((own + (best[before][0] if before is not None else 0.0), before))
    path: list[int] = []
    index: int | None = max(range(len(found)), key=lambda i: best[i][0])
    while index is not None:
        path.append(index)
        index = best[index][1]
    return path[::-1]


def _branches(found: Sequence[Block], main: set[int]) -> list[list[int]]:
    readers: dict[int, list[int]] = {index: [] for index in range(len(found))}
    for index, block in enumerate(found):
        for source in block.inputs:
            readers[source].append(index)
    chains = []
    for index, block in enumerate(found):
        if index in main or not (len(block.inputs) == 1 and block.inputs[0] in main):
            continue
        chain = [index]
        while len(readers[chain[-1]]) == 1 and readers[chain[-1]][0] not in main:
            follower = readers[chain[-1]][0]
            if len(found[follower].inputs) != 1:
                break
            chain.append(follower)
        ends = readers[chain[-1]]
        back = len(ends) == 1 and ends[0] in main and found[ends[0]].kind == "merge"
        simple = all(found[i].kind != "merge" and len(readers[i]) == 1 for i in chain)
        if back and simple and len(chain) <= LONGEST_BRANCH:
            chains.append(chain)
    return chains


# Folding


def _folded(order: Order) -> Order:
    groups: list[Group] = []
    _find(order, 0, len(order.row), groups)
    groups.sort(key=lambda group: group.start)
    place: dict[int, int] = {}
    kept: list[int] = []
    for index in range(len(order.row)):
        group = _holding(groups, index)
        if group is None or index in group:
            place[index] = len(kept)
            kept.append(index)
        else:
            place[index] = place[group.start + (index - group.start) % group.length]
    skips = []
    for skip in order.skips:
        if skip.target in kept:
            skips.append(Skip(source=place[skip.source], target=place[skip.target], branch=skip.branch))
    return Order(
        row=tuple(_last(order, groups, index) for index in kept),
        joined=frozenset(place[i] for i in order.joined if place[i + 1] == place[i] + 1),
        skips=tuple(skips),
        groups=tuple(Group(start=place[g.start], length=g.length, times=g.times) for g in groups),
    )


def _holding(groups: Sequence[Group], index: int) -> Group | None:
    return next((g for g in groups if g.start <= index < g.start + g.length * g.times), None)


def _last(order: Order, groups: Sequence[Group], index: int) -> Block:
    """The block of the last repeat: what follows reads its shape."""
    group = _holding(groups, index)
    return order.row[index if group is None else index + group.length * (group.times - 1)]


def _find(order: Order, start: int, stop: int, groups: list[Group]) -> None:
    """The fold that saves most, and then the best on either side of it."""
    marks = [_mark(order, index) for index in range(start, stop)]
    best: Group | None = None
    for group in _repeats(marks, start):
        if _saving(group) > (_saving(best) if best else 0) and _whole(order, group):
            best = group
    if best is None:
        return
    groups.append(best)
    _find(order, start, best.start, groups)
    _find(order, best.start + best.length * best.times, stop, groups)


def _saving(group: Group) -> int:
    return group.length * (group.times - 1)


def _repeats(marks: list[tuple], start: int) -> Iterator[Group]:
    """Every longest stretch of equal neighbours at each period, at each phase that it can be cut at."""
    count = len(marks)
    for period in range(1, min(LONGEST_PERIOD, count // 2) + 1):
        index = 0
        while index + period < count:
            length = 0
            while index + length + period < count and _same(marks[index + length], marks[index + length + period]):
                length += 1
            for phase in range(min(period, length - period + 1)):
                times = (length - phase) // period + 1
                yield Group(start=start + index + phase, length=period, times=times)
            index += max(length, 1)


def _mark(order: Order, index: int) -> tuple:
    """What two places must share to be drawn once: layer, channels (not those that a merge adds up), size, skips."""
    block = order.row[index]
    arriving = tuple(
        (index - skip.source, tuple((b.kind, b.text) for b in skip.branch))
        for skip in order.skips
        if skip.target == index
    )
    channels = 0 if block.kind == "merge" else block.channels
    joined = index - 1 in order.joined
    return (block.kind, block.text, channels, block.normed, joined, arriving), block.size


def _same(a: tuple, b: tuple) -> bool:
    if a[0] != b[0] or len(a[1]) != len(b[1]) or a[0][0] == "input":
        return False
    # A merge's mark says nothing of size 1 to 2; whole numbers of steps in resolution are never alike.
    return all(abs(x - y) <= ALIKE * max(x, y) for x, y in zip(a[1], b[1], strict=True))


def _whole(order: Order, group: Group) -> bool:
    """Whether no skip enters or leaves a repeat but at its ends."""
    stop = group.start + group.length * group.times
    for skip in order.skips:
        if group.start <= skip.target < stop:
            first = skip.target - (skip.target - group.start) % group.length
            if not first - 1 <= skip.source:
                return False
        elif group.start <= skip.source < stop - 1:
            return False
    return True


# Encoder and decoder


def levels(order: Order) -> list[int]:
    """For each place how many halvings below the input it stands, by the steps of its resolution along the row."""
    found, level, before = [], 0, 0.0
    for block in order.row:
        side = _side(block)
        if before and abs(step := math.log2(before / side)) > 0.4:
            level += round(step) or int(math.copysign(1, step))
        before = side
        found.append(level)
    return found


def _side(block: Block) -> float:
    return math.prod(block.size) ** (1 / len(block.size)) if block.size else 1.0


def is_u_shaped(order: Order) -> bool:
    """Down, up again, and at least two skips across, one inside the other, each between equal levels.

    A single place is no level: squeeze and excitation, which scales a map by its means, is no encoder and decoder.
    """
    depth = levels(order)
    below = [level if _side(block) > 1 else -math.inf for level, block in zip(depth, order.row, strict=True)]
    plain = [skip for skip in order.skips if not skip.branch]
    across = [s for s in plain if depth[s.source] == depth[s.target] < max(below[s.source : s.target])]
    apart = all(a.target <= b.source or b.target <= a.source or _nested(a, b) for a in across for b in across)
    return apart and len(across) >= 2 and 2 * len(across) >= len(plain)


def _nested(a: Skip, b: Skip) -> bool:
    return (a.source <= b.source and b.target <= a.target) or (b.source <= a.source and a.target <= b.target)
