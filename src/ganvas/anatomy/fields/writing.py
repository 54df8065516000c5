"""Writes into a tensor in place: at an index, or through another view of its memory.

A place that was written reads the value that was written there, every other place what was there before.
"""

from collections.abc import Sequence
from typing import Any

from ganvas.anatomy.fields.axis_maps import (
    IDENTITY,
    NOTHING,
    All,
    AxisMap,
    Follows,
    Interval,
    Outside,
    Part,
    TransposedWindow,
)
from ganvas.anatomy.fields.dependence import Dependence, Link, Shape, whole
from ganvas.anatomy.trace.graph import Node


def by_index(node: Node, role: str, source: Shape) -> Dependence:
    """``x[index] = y``, where the input of this role is the old value, a new one, or an index that is a tensor."""
    index = node.attributes.get("index", ("other",))
    if role == "index" or ("other" in index and role == "new"):
        return whole(source)
    if role == "new":
        return _new(node.shape, index, source)
    return _old(index, source)


def _old(index: Sequence[Any], source: Shape) -> Link:
    """Itself, but for what is written over; that is said where one axis alone is cut, as it is no box otherwise."""
    kept = [item for item in index if item is not None]
    if "other" in kept:
        return Link(tuple((d, IDENTITY) for d in range(len(source))))
    cut = [d for d, item in enumerate(kept) if item != (0, source[d], 1)]
    if not cut:
        return Link(tuple((d, NOTHING) for d in range(len(source))))
    written = _slice(kept[cut[0]])
    return Link(tuple((d, Outside(*written) if cut == [d] else IDENTITY) for d in range(len(source))))


def _new(shape: Shape, index: Sequence[Any], source: Shape) -> Link:
    """The value's axes follow those of the tensor that the index leaves, counted from the last."""
    only: list[tuple[int, Interval]] = []
    follows: list[tuple[int | None, AxisMap, int]] = []  # Axis of the tensor, how, and how long.
    axis = 0
    for item in index:
        if item is None:
            follows.append((None, All(1), 1))
            continue
        first, stop, step = _slice(item)
        if isinstance(item, int):
            only.append((axis, (item, item)))
        else:
            size = len(range(first, stop, step))
            follows.append((axis, _placed(first, size, step, shape[axis]), size))
            only.append((axis, (first, max(stop - 1, first))))
        axis += 1
    axes: list[Follows] = []
    for number, size in enumerate(source):
        place = number + len(follows) - len(source)
        out, mapped, wide = follows[place] if place >= 0 else (None, All(1), 1)
        axes.append((out, mapped) if size == wide and out is not None else (None, All(size)))
    followed = {out for out, _ in axes}
    return Link(tuple(axes), only=tuple((out, ends) for out, ends in only if out not in followed))


def _slice(item: Any) -> tuple[int, int, int]:
    return (item, item + 1, 1) if isinstance(item, int) else item


def _placed(first: int, size: int, step: int, whole_size: int) -> AxisMap:
    """Where the written elements stand along one axis."""
    if size == whole_size:
        return IDENTITY
    return Part(first, size) if step == 1 else TransposedWindow(1, step, -first)


def patched(node: Node, sources: Sequence[Shape]) -> list[Dependence]:
    """Boxes written into a tensor, at their own places. What was there before is taken as read under them too."""
    return [
        whole(source) if at is None else _box(node.shape, at, source)
        for at, source in zip(node.attributes["starts"], sources, strict=True)
    ]


def _box(shape: Shape, at: Sequence[tuple[int, int | None]], source: Shape) -> Link:
    """Per axis of the tensor: where the box begins, and which of the box's axes lies along it, if any."""
    axes: list[Follows] = [(None, All(size)) for size in source]
    only = []
    for out, (start, axis) in enumerate(at):
        if axis is None:
            only.append((out, (start, start)))
        else:
            axes[axis] = (out, IDENTITY if source[axis] == shape[out] else Part(start, source[axis]))
    return Link(tuple(axes), only=tuple(only))
