"""The exact receptive field: which elements of the input one unit reads, holes included, through any graph.

A set is a boolean array over a tensor's elements. An axis along which it is everywhere the same is kept with length 1,
so that the 512 channels of a feature map cost what one does. Sets go back from the unit, operation by operation, by
the boolean matrices of :mod:`ganvas.anatomy.fields.axis_maps`; where branches meet, the set is their union.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from ganvas.anatomy.fields.axis_maps import IDENTITY, All, AxisMap, Groups
from ganvas.anatomy.fields.dependence import Blocks, Dependence, Link, Reshaped, Shape, Shuffled
from ganvas.anatomy.fields.dependences import dependences
from ganvas.anatomy.trace.graph import Graph

Set = np.ndarray  # Of bool; broadcasts to the tensor's shape.


@dataclass(frozen=True, kw_only=True)
class Support:
    """What one unit reads of every node before it."""

    sets: Mapping[int, Set]  # By node.
    guessed: tuple[str, ...] = field(default=())  # Operations taken as reading everything.


def support(graph: Graph, node: int, unit: tuple[int | slice, ...], *, statistics: bool = False) -> Support:
    """All elements that ``unit`` of the node's output reads, exactly.

    Args:
        unit: An index into the node's output, with the batch: ``(0, slice(None), y, x)`` is every channel at a place.
        statistics: See :func:`ganvas.anatomy.fields.dependences.dependences`.
    """
    start = np.zeros(graph.nodes[node].shape, dtype=bool)
    start[unit] = True
    sets: dict[int, Set] = {node: start}
    guessed: dict[str, None] = {}
    for index in range(node, -1, -1):
        if index not in sets:
            continue
        here = graph.nodes[index]
        shapes = [graph.nodes[source].shape for source in here.inputs]
        for source, dependence in zip(here.inputs, dependences(here, shapes, statistics=statistics), strict=True):
            if isinstance(dependence, Link) and not dependence.known:
                guessed[f"{here.label} ({here.op})"] = None
            found = _back(sets[index], here.shape, graph.nodes[source].shape, dependence)
            sets[source] = sets[source] | found if source in sets else found
    return Support(sets=sets, guessed=tuple(guessed))


def _back(reading: Set, shape: Shape, source: Shape, dependence: Dependence) -> Set:
    if isinstance(dependence, Reshaped):
        return np.broadcast_to(reading, shape).reshape(source)
    if isinstance(dependence, Shuffled):
        return _shuffled(np.broadcast_to(reading, shape), source, dependence)
    if isinstance(dependence, Blocks):
        return _blocks(np.broadcast_to(reading, shape), source, dependence)
    reading = _only(reading, dependence)
    followed = {out for out, _ in dependence.axes if out is not None}
    free = tuple(axis for axis in range(len(shape)) if axis not in followed)
    kept: Set = np.asarray(np.any(reading, axis=free, keepdims=True))  # Of a single number NumPy makes no array.
    # The followed axes of the output in the order of the input's, then an axis of 1 for each that follows none.
    order = [out for out, _ in dependence.axes if out is not None]
    kept = np.transpose(kept, (*order, *free)).reshape([kept.shape[out] for out in order])
    for axis, (out, _) in enumerate(dependence.axes):
        if out is None:
            kept = np.expand_dims(kept, axis)
    for axis, (out, mapped) in enumerate(dependence.axes):
        outputs = 1 if out is None else shape[out]
        kept = _along(kept, axis, mapped, outputs=outputs, inputs=source[axis])
    return kept


def _only(reading: Set, link: Link) -> Set:
    """What is read at the indices where the output reads this input at all; a length of 1 stands for all of them."""
    for axis, (first, last) in link.only:
        if reading.shape[axis] > 1:
            kept = np.zeros(reading.shape[axis], dtype=bool)
            kept[first : last + 1] = True
            reading = reading & kept.reshape([-1 if a == axis else 1 for a in range(reading.ndim)])
    return reading


def _along(reading: Set, axis: int, mapped: AxisMap, *, outputs: int, inputs: int) -> Set:
    """The union, over the outputs that read, of what each reads along one axis."""
    if mapped == IDENTITY and outputs == inputs:
        return reading
    if isinstance(mapped, All) or (isinstance(mapped, Groups) and mapped.groups == 1):
        return np.asarray(reading.any(axis=axis, keepdims=True))
    moved = np.moveaxis(reading, axis, -1)
    same = moved.shape[-1] == 1
    others = tuple(range(moved.ndim - 1))
    places = np.arange(outputs) if same else np.flatnonzero(moved.any(axis=others))
    reads = mapped.reads(places, inputs)
    if same:
        union = reads.any(axis=0)
        found = moved & (np.ones(1, dtype=bool) if union.all() else union)
    else:
        found = (moved[..., places].astype(np.float32) @ reads.astype(np.float32)) > 0
    return np.moveaxis(found, -1, axis)


def _shuffled(reading: Set, source: Shape, shuffle: Shuffled) -> Set:
    """Back through ``(c r r, h, w) -> (c, h r, w r)`` or its inverse."""
    n, channels, height, width = source
    r = shuffle.factor
    if shuffle.up:
        apart = reading.reshape(n, channels // r**2, height, r, width, r)
        return apart.transpose(0, 1, 3, 5, 2, 4).reshape(source)
    apart = reading.reshape(n, channels, r, r, height // r, width // r)
    return apart.transpose(0, 1, 4, 2, 5, 3).reshape(source)


def _blocks(reading: Set, source: Shape, blocks: Blocks) -> Set:
    """Element by element of the windows: where each lies in the picture, its padding around it."""
    picture = reading.shape if blocks.folded else source
    inside = tuple(slice(p, p + size) for p, size in zip(blocks.padding, picture[2:], strict=True))
    sides = [size + 2 * p for p, size in zip(blocks.padding, picture[2:], strict=True)]
    padded = np.zeros((*picture[:2], *sides), dtype=bool)
    laid = np.zeros((*picture[:2], *blocks.kernel, *blocks.places), dtype=bool)
    if blocks.folded:
        padded[(..., *inside)] = reading
    else:
        laid = reading.reshape(laid.shape)
    for tap in np.ndindex(*blocks.kernel):
        each = zip(tap, blocks.dilation, blocks.stride, blocks.places, strict=True)
        at = tuple(slice(k * d, k * d + s * (count - 1) + 1, s) for k, d, s, count in each)
        if blocks.folded:
            laid[(slice(None), slice(None), *tap)] = padded[(..., *at)]
        else:
            padded[(..., *at)] |= laid[(slice(None), slice(None), *tap)]
    return laid.reshape(source) if blocks.folded else padded[(..., *inside)]
