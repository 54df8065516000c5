"""Receptive fields of any network: the textbook's interval, the exact set, and what a unit's gradient says.

Three answers to one question, because they differ:

- the *interval* from the first to the last pixel on a plane without borders, which papers print (70 of PatchGAN, 483 of
  ResNet-50): :func:`cumulative`, :func:`field`;
- the *set* of pixels of this input that a unit truly reads, with the holes of dilated layers and cut at the borders:
  :func:`field`, by :mod:`ganvas.anatomy.support`;
- the *effective* field: how strongly each pixel moves the unit (Luo et al. 2016, https://arxiv.org/abs/1701.04128):
  :mod:`ganvas.anatomy.effective_field`.

Through strides, dilation, transposed convolutions (whose field depends on the phase of the unit), resizes and branches.
Statistics of instance, group and layer normalisation reach over the whole map and are left out, as papers do, unless
asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from ganvas.anatomy.axes import Axes, axes
from ganvas.anatomy.axis_maps import Interval
from ganvas.anatomy.geometry import Dependence, Link, Reshaped, Shape, dependences, kept_ends
from ganvas.anatomy.graph import Graph, Node
from ganvas.anatomy.support import support
from ganvas.core.errors import UserError, did_you_mean

Box = tuple[Interval, ...]  # Per axis of a tensor, with the batch.
ROWS = frozenset(
    {"plain", "gated", "spectral-normed", "dilated", "transposed", "depthwise", "linear", "pool", "resize"}
)


@dataclass(frozen=True, kw_only=True)
class Field:
    """The receptive field of one unit. Everything per spatial axis of the network's first input."""

    layer: str
    op: str
    unit: tuple[int, ...]  # Its place in its layer.
    input_size: tuple[int, ...]
    size: tuple[int, ...]  # From the first to the last pixel on a plane without borders.
    first: tuple[int, ...]  # May lie before the first pixel that there is.
    last: tuple[int, ...]
    stride: tuple[
        float, ...
    ]  # Pixels of the input from a unit to the next: 8 after three halvings, 1/2 after a doubling.
    pixels: Bool[np.ndarray, "..."]  # Those of the input that are read, all channels together.
    guessed: tuple[str, ...]  # Operations that were taken as reading everything, since they are not known.

    @property
    def read(self) -> int:
        """Pixels that are read."""
        return int(self.pixels.sum())

    @property
    def inside(self) -> tuple[tuple[int, int], ...]:
        """First and last pixel read, per axis, within the borders."""
        found = []
        for axis in range(self.pixels.ndim):
            others = tuple(a for a in range(self.pixels.ndim) if a != axis)
            places = np.flatnonzero(self.pixels.any(axis=others))
            found.append((int(places[0]), int(places[-1])) if len(places) else (0, -1))
        return tuple(found)

    @property
    def holes(self) -> int:
        """Pixels within the borders of the set that are not read."""
        around = int(np.prod([last - first + 1 for first, last in self.inside]))
        return around - self.read


def find(graph: Graph, layer: str) -> Node:
    """A node by the name of its module (the last operation within it), by "#index", or the output by "output".

    Raises:
        UserError: no such layer; the nearest names are said.
    """
    if layer in ("output", ""):
        if not graph.output:
            raise UserError(f"{graph.model} returned nothing that it computed. {graph.failed or ''}".strip())
        return graph.nodes[graph.output[0]]
    if layer.startswith("#") and layer[1:].isdigit():
        if int(layer[1:]) < len(graph.nodes):
            return graph.nodes[int(layer[1:])]
        raise UserError(f"There is no operation {layer}: there are {len(graph.nodes)}, from #0.")
    within = [node for node in graph.nodes if node.module == layer or node.module.startswith(layer + ".")]
    if within:
        return within[-1]
    known = list(dict.fromkeys(node.module for node in graph.nodes if node.module))
    raise UserError(
        f"There is no layer '{layer}' in {graph.model}.{did_you_mean(layer, known)} Layers: {_few(known)}. "
        "`ganvas table` lists them."
    )


def field(graph: Graph, layer: str = "output", *, unit: Sequence[int] | None = None, statistics: bool = False) -> Field:
    """The receptive field of a unit of a layer, as an interval and as a set.

    Args:
        layer: See :func:`find`.
        unit: Its place (y, x); the middle one where left out.
        statistics: Whether normalisation over places reads them.

    Raises:
        UserError: the layer is not there, the unit is outside it, or the network's input has no places (a latent).
    """
    source = _input(graph)
    node = find(graph, layer)
    here = node.shape[2:] if len(node.shape) > 2 else ()
    place = tuple(unit) if unit is not None else tuple((size - 1) // 2 for size in here)
    if len(place) != len(here) or any(not 0 <= at < size for at, size in zip(place, here, strict=False)):
        shape = " x ".join(map(str, here)) or "no places"
        raise UserError(f"{node.label} has {shape}, so there is no unit {place}. Give one index per axis, from 0.")
    box = _back(graph, node, _unit(node.shape, place, Axes(features=1)), source, statistics=statistics)
    found = support(graph, node.index, (0, slice(None), *place) if len(node.shape) > 1 else (0,), statistics=statistics)
    shape = graph.nodes[source].shape
    pixels = (
        np.broadcast_to(found.sets[source], shape)[0].any(axis=0) if source in found.sets else np.zeros(shape[2:], bool)
    )
    axes = range(2, len(shape))
    reached = box if box is not None else tuple((0, -1) for _ in shape)
    return Field(
        layer=node.label,
        op=node.op,
        unit=place,
        input_size=shape[2:],
        size=tuple(reached[a][1] - reached[a][0] + 1 for a in axes),
        first=tuple(reached[a][0] for a in axes),
        last=tuple(reached[a][1] for a in axes),
        stride=tuple(shape[2 + axis] / size for axis, size in enumerate(here[: len(shape) - 2])),
        pixels=pixels,
        guessed=found.guessed,
    )


def cumulative(graph: Graph) -> dict[int, tuple[int, ...] | None]:
    """For every operation, the side of its middle unit's field on a plane without borders, per axis of the first input.

    Places of sequences are their steps, wherever the operations have them (:mod:`ganvas.anatomy.axes`). None where the
    network's first input has no places, or the operation does not read it.
    """
    layouts = axes(graph)
    if not graph.nodes or not layouts[0].places(graph.nodes[0].shape):
        return {node.index: None for node in graph.nodes}
    source = 0
    links = [dependences(node, [graph.nodes[i].shape for i in node.inputs]) for node in graph.nodes]
    found: dict[int, tuple[int, ...] | None] = {}
    for node in graph.nodes:
        straight = len(node.inputs) == 1 and node.kind not in ROWS
        if (
            straight
            and node.op not in ("getitem", "split", "reshape")
            and node.shape == graph.nodes[node.inputs[0]].shape
        ):
            found[node.index] = found[node.inputs[0]]  # An activation reads what its input reads.
            continue
        here = layouts[node.index]
        place = tuple((size - 1) // 2 for size in here.places(node.shape))
        box = _back(graph, node, _unit(node.shape, place, here), source, statistics=False, links=links)
        sides = None if box is None else tuple(last - first + 1 for first, last in box)
        found[node.index] = None if sides is None else layouts[source].places(sides)
    return found


def _unit(shape: Shape, place: Sequence[int], here: Axes) -> Box:
    """One place of the first example with all its features."""
    at = iter(place)
    return tuple(
        (0, 0) if axis == here.batch else (0, size - 1) if axis == here.features else (middle := next(at), middle)
        for axis, size in enumerate(shape)
    )


def _back(
    graph: Graph,
    node: Node,
    unit: Box,
    source: int,
    *,
    statistics: bool,
    links: Sequence[list[Dependence]] | None = None,
) -> Box | None:
    """The box of the input that a box of a node's output reaches; None when it reaches nothing."""
    boxes: dict[int, Box] = {node.index: unit}
    for index in range(node.index, source, -1):
        if index not in boxes:
            continue
        here = graph.nodes[index]
        shapes = [graph.nodes[i].shape for i in here.inputs]
        dependence = links[index] if links is not None else dependences(here, shapes, statistics=statistics)
        for i, shape, each in zip(here.inputs, shapes, dependence, strict=True):
            box = _through(boxes[index], here.shape, shape, each)
            if box is not None:
                boxes[i] = _union(boxes[i], box) if i in boxes else box
    return boxes.get(source)


def _through(box: Box, shape: Shape, source: Shape, dependence: Dependence) -> Box | None:
    if isinstance(dependence, Link):
        found = []
        for out, mapped in dependence.axes:
            reached = mapped.reach((0, 0) if out is None else box[out])
            if reached is None:
                return None
            found.append(reached)
        return tuple(found)
    if isinstance(dependence, Reshaped):
        return _reshaped(box, shape, source)
    factor = dependence.factor
    scale = (lambda at: at // factor) if dependence.up else (lambda at: at * factor)
    places = [(scale(low), scale(high) + (0 if dependence.up else factor - 1)) for low, high in box[2:]]
    return (box[0], (0, source[1] - 1), *places)


def _reshaped(box: Box, shape: Shape, source: Shape) -> Box:
    """Axes that stay, at the front and at the back, keep their interval; what is between is read whole.

    Only one place there is one place still, as a word of a picture cut into words is one patch.
    """
    front, back = kept_ends(shape, source)
    sizes, inner = source[front : len(source) - back], shape[front : len(shape) - back]
    places = [low for low, high in box[front : len(box) - back] if low == high]
    middle = tuple((0, size - 1) for size in sizes)
    if sizes and len(places) == len(inner) > 0 and all(0 <= at < n for at, n in zip(places, inner, strict=True)):
        one = np.unravel_index(np.ravel_multi_index(tuple(places), inner), sizes)
        middle = tuple((int(at), int(at)) for at in one)
    return (*box[:front], *middle, *box[len(box) - back :])


def _union(a: Box, b: Box) -> Box:
    return tuple((min(x[0], y[0]), max(x[1], y[1])) for x, y in zip(a, b, strict=True))


def _input(graph: Graph) -> int:
    """The first input with places."""
    for node in graph.nodes:
        if node.op == "input" and len(node.shape) > 2:
            return node.index
    shapes = ", ".join("x".join(map(str, shape)) for shape in graph.input_shapes)
    raise UserError(
        f"The input of {graph.model} ({shapes}) has no places: every unit reads all of it. "
        "Receptive fields are of networks that read pictures, sounds or maps."
    )


def _few(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])}, ... ({len(names)} in all)"
