"""Receptive fields of any network: the textbook's interval, the exact set, and what a unit's gradient says.

Three answers to one question, because they differ:

- the *interval* from the first to the last pixel on a plane without borders, which papers print (70 of PatchGAN, 483 of
  ResNet-50): :func:`cumulative`, :func:`field`;
- the *set* of pixels of this input that a unit truly reads, with the holes of dilated layers and cut at the borders:
  :func:`field`, by :mod:`ganvas.anatomy.fields.exact_set`;
- the *effective* field: how strongly each pixel moves the unit (Luo et al. 2016, https://arxiv.org/abs/1701.04128):
  :mod:`ganvas.anatomy.fields.effective_field`.

Through strides, dilation, transposed convolutions (whose field depends on the phase of the unit), resizes and branches.
Statistics of instance, group and layer normalisation reach over the whole map and are left out, as papers do, unless
asked for.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool

from ganvas.anatomy.fields import strides
from ganvas.anatomy.fields.axes import TensorAxes, axes
from ganvas.anatomy.fields.boxes import Box, interval, through, union
from ganvas.anatomy.fields.dependence import Dependence, Link, Shape
from ganvas.anatomy.fields.dependences import dependences
from ganvas.anatomy.fields.everywhere import everywhere
from ganvas.anatomy.fields.exact_set import support
from ganvas.anatomy.fields.strides import Stride
from ganvas.anatomy.trace.graph import Graph, Node
from ganvas.core.errors import UserError, did_you_mean

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
    stride: tuple[Stride, ...]  # From a unit's field to the next one's: 8 after three halvings, 1/2 after a doubling.
    everywhere: bool  # Through a mean or an attention over all places, which has no size on a plane without borders.
    pixels: Bool[np.ndarray, "..."]  # Those of the input that are read, all channels together.
    guessed: tuple[str, ...]  # Operations that were taken as reading everything, since they are not known.
    index: tuple[int | slice, ...]  # Of the unit in its layer's output: one place, all features.
    read_as: tuple[str, ...]  # What of the input's and the layer's axes was taken for what, where it is not plain.

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
        UserError: the layer is not there, the unit is outside it, or the input has no places (a latent) or no batch.

    Places of a sequence are its steps (:mod:`ganvas.anatomy.fields.axes`), of a picture its rows and columns.
    """
    _check_batch(graph)
    layouts = axes(graph)
    source = _input(graph, layouts)
    node = find(graph, layer)
    there, shape = layouts[source], graph.nodes[source].shape
    here = layouts[node.index]
    sizes = here.places(node.shape)
    place = tuple(unit) if unit is not None else tuple((size - 1) // 2 for size in sizes)
    if len(place) != len(sizes) or any(not 0 <= at < size for at, size in zip(place, sizes, strict=False)):
        said = " x ".join(map(str, sizes)) or "no places"
        raise UserError(f"{node.label} has {said}, so there is no unit {place}. Give one index per axis, from 0.")
    box = _unit(node.shape, place, here)
    index = tuple(low if low == high else slice(None) for low, high in map(interval, box))
    reach = _back(graph, node, box, source, statistics=statistics)
    found = support(graph, node.index, index, statistics=statistics)
    along = [axis for axis in range(len(shape)) if axis not in (there.batch, there.features)]
    reached = tuple(map(interval, reach.boxes.get(source, tuple((0, -1) for _ in shape))))
    moves = _moves(graph, node, here, reach.edges)
    return Field(
        layer=node.label,
        op=node.op,
        unit=place,
        input_size=there.places(shape),
        size=tuple(reached[a][1] - reached[a][0] + 1 for a in along),
        first=tuple(reached[a][0] for a in along),
        last=tuple(reached[a][1] for a in along),
        stride=strides.strides(moves[source], along, stacked=reach.stacked) if source in moves else (),
        everywhere=node.index in everywhere(graph, layouts, _links(graph), source) and _covers(reached, shape, there),
        pixels=_pixels(found.sets.get(source), shape, there),
        guessed=found.guessed,
        index=index,
        read_as=_read_as(graph, source, node, layouts),
    )


def _pixels(found: np.ndarray | None, shape: Shape, there: TensorAxes) -> np.ndarray:
    """The places of the first example that are read, by any of their features."""
    if found is None:
        return np.zeros(there.places(shape), dtype=bool)
    one = np.take(np.broadcast_to(found, shape), 0, axis=there.batch)
    if there.features is None:
        return one
    return np.asarray(one.any(axis=there.features - (there.features > there.batch)))


def _read_as(graph: Graph, source: int, node: Node, layouts: Sequence[TensorAxes]) -> tuple[str, ...]:
    """What the axes of input and layer were taken for, where a reader could take them for something else."""
    notes = []
    for name, one in {"the input": graph.nodes[source], f"layer {node.label}": node}.items():
        here, shape = layouts[one.index], "x".join(map(str, one.shape))
        if len(one.shape) < 3:
            continue
        if not here.told:
            if len(one.shape) == 3:
                notes.append(f"{name} ({shape}) is taken as batch, channels, places, since no layer tells")
        elif here.features != 1 or here.batch != 0:
            order = ["places"] * len(one.shape)
            order[here.batch] = "batch"
            if here.features is not None:
                order[here.features] = "features"
            notes.append(f"{name} ({shape}) is {', '.join(order)}")
    others = [node.index for node in graph.nodes if node.op == "input" and node.index != source]
    if others and any(layouts[other].places(graph.nodes[other].shape) for other in others):
        notes.append(f"the field is in input {source + 1} of {len(others) + 1}")
    return tuple(notes)


def cumulative(graph: Graph) -> dict[int, tuple[int, ...] | None]:
    """For every operation, the side of its middle unit's field on a plane without borders, per axis of the first input.

    Places of sequences are their steps, wherever the operations have them (:mod:`ganvas.anatomy.fields.axes`). None
    where the network's first input has no places, or the operation does not read it.
    """
    layouts = axes(graph)
    if not graph.nodes or not layouts[0].places(graph.nodes[0].shape):
        return {node.index: None for node in graph.nodes}
    source = 0
    links = _links(graph)
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
        box = _back(graph, node, _unit(node.shape, place, here), source, links=links).boxes.get(source)
        sides = None if box is None else tuple(last - first + 1 for first, last in map(interval, box))
        found[node.index] = None if sides is None else layouts[source].places(sides)
    return found


def unbounded(graph: Graph) -> frozenset[int]:
    """The operations whose middle unit reads all of the first input through a mean or an attention over all places."""
    layouts = axes(graph)
    if not graph.nodes or not layouts[0].places(graph.nodes[0].shape):
        return frozenset()
    links = _links(graph)
    found = set()
    for index in everywhere(graph, layouts, links, 0):
        node, here = graph.nodes[index], layouts[index]
        place = tuple((size - 1) // 2 for size in here.places(node.shape))
        box = _back(graph, node, _unit(node.shape, place, here), 0, links=links).boxes.get(0)
        if box is not None and _covers(box, graph.nodes[0].shape, layouts[0]):
            found.add(index)
    return frozenset(found)


def _covers(box: Box, shape: Shape, here: TensorAxes) -> bool:
    """Whether a box reaches from the first place to the last."""
    along = [axis for axis in range(len(shape)) if axis not in (here.batch, here.features)]
    return all(interval(box[axis])[0] <= 0 and interval(box[axis])[1] >= shape[axis] - 1 for axis in along)


def _links(graph: Graph) -> list[list[Dependence]]:
    return [dependences(node, [graph.nodes[i].shape for i in node.inputs]) for node in graph.nodes]


def _unit(shape: Shape, place: Sequence[int], here: TensorAxes) -> Box:
    """One place of the first example with all its features."""
    at = iter(place)
    return tuple(
        (0, 0) if axis == here.batch else (0, size - 1) if axis == here.features else (middle := next(at), middle)
        for axis, size in enumerate(shape)
    )


@dataclass(frozen=True, kw_only=True)
class _Reach:
    boxes: dict[int, Box]  # By node; none where it reaches nothing.
    edges: list[tuple[Node, int, Dependence]]  # Those that carried a box, from the unit on: node, its source, and how.

    @property
    def stacked(self) -> bool:
        """Whether the input that is read is chosen by the unit's place, as of a stack of steps."""
        return any(isinstance(each, Link) and each.only for _, _, each in self.edges)


def _back(
    graph: Graph,
    node: Node,
    unit: Box,
    source: int,
    *,
    statistics: bool = False,
    links: Sequence[list[Dependence]] | None = None,
) -> _Reach:
    """The boxes of earlier nodes, back to the input, that a box of a node's output reaches."""
    boxes: dict[int, Box] = {node.index: unit}
    edges: list[tuple[Node, int, Dependence]] = []
    for index in range(node.index, source, -1):
        if index not in boxes:
            continue
        here = graph.nodes[index]
        shapes = [graph.nodes[i].shape for i in here.inputs]
        dependence = links[index] if links is not None else dependences(here, shapes, statistics=statistics)
        for i, shape, each in zip(here.inputs, shapes, dependence, strict=True):
            box = through(boxes[index], here.shape, shape, each)
            if box is not None:
                boxes[i] = union(boxes[i], box) if i in boxes else box
                edges.append((here, i, each))
    return _Reach(boxes=boxes, edges=edges)


def _moves(
    graph: Graph, node: Node, here: TensorAxes, edges: Sequence[tuple[Node, int, Dependence]]
) -> dict[int, strides.Moves]:
    """How the boxes move when the unit does."""
    places = [axis for axis in range(len(node.shape)) if axis not in (here.batch, here.features)]
    found = {node.index: strides.start(node.shape, places)}
    for reader, i, dependence in edges:
        moved = strides.through(found[reader.index], reader.shape, graph.nodes[i].shape, dependence)
        found[i] = strides.union(found[i], moved) if i in found else moved
    return found


def _input(graph: Graph, layouts: Sequence[TensorAxes]) -> int:
    """The first input with places."""
    for node in graph.nodes:
        if node.op == "input" and layouts[node.index].places(node.shape):
            return node.index
    shapes = ", ".join("x".join(map(str, shape)) for shape in graph.input_shapes)
    raise UserError(
        f"The input of {graph.model} ({shapes}) has no places that a layer tells of: every unit reads all of it. "
        "Receptive fields are of networks that read pictures, sounds, sequences or maps."
    )


def _check_batch(graph: Graph) -> None:
    """A convolution takes an input without a batch too, whose channels would then be counted as pictures."""
    for node in graph.nodes:
        if node.op in ("conv1d", "conv2d", "conv3d") and len(node.shape) == int(node.op[-2]) + 1:
            shape = graph.input_shapes[0]
            raise UserError(
                f"The input {'x'.join(map(str, shape))} has no batch: {node.label} takes it for one example. "
                f"Give the shape with a batch in front, such as {','.join(map(str, (1, *shape)))}."
            )


def _few(names: Sequence[str], most: int = 8) -> str:
    return ", ".join(names) if len(names) <= most else f"{', '.join(names[:most])}, ... ({len(names)} in all)"
