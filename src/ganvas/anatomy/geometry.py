"""Which elements of its inputs each element of an operation's output reads, axis by axis.

Almost every operation is a product over axes: along each axis of an input it follows one axis of the output by an
:class:`~ganvas.anatomy.axis_maps.AxisMap`, or none. The few that are not (a change of shape, pixel shuffle) have a form
of their own. What is not known here is taken as reading everything, and says so.
"""

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ganvas.anatomy.axis_maps import (
    IDENTITY,
    NOTHING,
    Affine,
    All,
    AxisMap,
    Groups,
    Part,
    Statistics,
    TransposedWindow,
    Window,
    adaptive,
    padded,
    resize,
)
from ganvas.anatomy.graph import Node
from ganvas.anatomy.operations import REDUCING
from ganvas.anatomy.pointwise import VALUELESS, is_pointwise

Shape = tuple[int, ...]
Follows = tuple[int | None, AxisMap]  # The axis of the output, and how; None where no axis of the output says.


@dataclass(frozen=True)
class Link:
    """Per axis of an input, what it follows."""

    axes: tuple[Follows, ...]
    known: bool = True


@dataclass(frozen=True)
class Reshaped:
    """The same elements in the same order under another shape."""


@dataclass(frozen=True)
class Shuffled:
    """Pixel shuffle (``up``) or unshuffle by a factor: channels for places."""

    factor: int
    up: bool


Dependence = Link | Reshaped | Shuffled

# Statistics over places are not counted unless asked for: the literature's receptive fields leave them out.
STATISTICS = frozenset({"instance_norm", "group_norm", "layer_norm", "rms_norm"})
STATISTICAL_MODULES = frozenset({"MinibatchStdDev"})  # Their means over places and pictures count as statistics too.
_RECURRENT = ("lstm", "gru", "rnn_tanh", "rnn_relu")
_RESIZE_AXES = {"nearest": "nearest", "nearest-exact": "nearest-exact", "area": "area", "bicubic": "cubic"}


def dependences(node: Node, sources: Sequence[Shape], *, statistics: bool = False) -> list[Dependence]:
    """For each of the node's inputs, in order, which of its elements an element of the output reads.

    Args:
        sources: The inputs' shapes, with the batch.
        statistics: Whether an instance, group or layer normalisation reads what its mean and deviation are taken of.
    """
    op, rank = node.op, len(node.shape)
    if not sources:
        return []
    first = sources[0]
    if op in ("reshape", "flatten"):
        shapes = (Link(tuple((None, NOTHING) for _ in source)) for source in sources[1:])  # ``x.view_as(y)``.
        return [Reshaped(), *shapes]
    if op in ("pixel_shuffle", "pixel_unshuffle") and len(first) == 4:
        up = op == "pixel_shuffle"
        return [Shuffled(int(node.attributes["upscale_factor" if up else "downscale_factor"]), up=up)]
    if op == "cat":
        return _cat(node, sources)
    if op == "multi_head_attention":
        return _multi_head(sources)
    if op == "stack":
        axis = node.attributes["dim"]
        return [Link(tuple((d + (d >= axis), IDENTITY) for d in range(len(s)))) for s in sources]
    if op in STATISTICS and statistics:
        return [Link(_normalised(node, first)), *(_pointwise(node.shape, source) for source in sources[1:])]
    special = _SPECIAL.get(op) or _family(op)
    if special is not None:
        found = special(node, first)
        rest = [_whole(source) for source in sources[1:]]
        known = op not in _RECURRENT or bool(node.attributes.get("bidirectional"))
        return [_whole(first), *rest] if found is None else [Link(found, known), *rest]
    if op in ("matmul", "scaled_dot_product_attention"):
        return _products(node, sources)
    if op in REDUCING and node.module_type in STATISTICAL_MODULES and not statistics:
        return [Link(tuple((None, NOTHING) for _ in source)) for source in sources]
    if op in REDUCING:
        return [Link(_reduced(node, first)), *(_whole(source) for source in sources[1:])]
    if op in VALUELESS:
        return [Link(tuple((d if d < rank else None, NOTHING) for d in range(len(source)))) for source in sources]
    if is_pointwise(op) and all(_broadcasts(source, node.shape) for source in sources):
        return [_pointwise(node.shape, source) for source in sources]
    return [_whole(source) for source in sources] if rank else [_everything(source) for source in sources]


def kept_ends(shape: Shape, source: Shape) -> tuple[int, int]:
    """How many axes at the front and at the back a change of shape leaves as they are, as far as sizes can tell."""
    front = 0
    while front < min(len(shape), len(source)) and shape[front] == source[front]:
        front += 1
    back = 0
    while back < min(len(shape), len(source)) - front and shape[-1 - back] == source[-1 - back]:
        back += 1
    return front, back


def blocks(shape: Shape, source: Shape) -> Iterator[tuple[list[int], list[int]]]:
    """A change of shape in its parts: the least runs of axes of ``shape`` and of ``source`` that hold as many elements.

    >>> list(blocks((2, 3, 8), (6, 2, 4)))
    [([0, 1], [0]), ([2], [1, 2])]
    """
    outs: list[int] = []
    ins: list[int] = []
    out = 0
    for axis, size in enumerate(source):
        if not ins and out < len(shape) and shape[out] == size:
            yield [out], [axis]
            out += 1
            continue
        ins.append(axis)
        product = math.prod(source[a] for a in ins)
        while out < len(shape) and math.prod(shape[b] for b in outs) < product:
            outs.append(out)
            out += 1
        if math.prod(shape[b] for b in outs) == product:
            yield outs, ins
            outs, ins = [], []


def _whole(source: Shape) -> Link:
    """Every element but those of other pictures, as far as that can be known."""
    return Link((((0, IDENTITY)), *((None, All(size)) for size in source[1:])) if source else (), known=False)


def _everything(source: Shape) -> Link:
    return Link(tuple((None, All(size)) for size in source), known=False)


def _broadcasts(source: Shape, shape: Shape) -> bool:
    pairs = zip(reversed(source), reversed(shape), strict=False)
    return len(source) <= len(shape) and all(a in (b, 1) for a, b in pairs)


def _pointwise(shape: Shape, source: Shape) -> Link:
    """The same place; an axis of length 1 is the same for all."""
    shift = len(shape) - len(source)
    return Link(
        tuple(
            (axis + shift, IDENTITY) if size == shape[axis + shift] else (None, All(1))
            for axis, size in enumerate(source)
        )
    )


def _cat(node: Node, sources: Sequence[Shape]) -> list[Dependence]:
    axis, start, found = node.attributes["dim"], 0, []
    for source in sources:
        part = Part(start, source[axis])
        found.append(Link(tuple((d, part if d == axis else IDENTITY) for d in range(len(source)))))
        start += source[axis]
    return found


def _products(node: Node, sources: Sequence[Shape]) -> list[Dependence]:
    """``a @ b`` reads a row of the one and a column of the other; attention a query and all keys and values."""
    rank, found = len(node.shape), []
    for number, source in enumerate(sources):
        axes: list[Follows] = []
        for axis, size in enumerate(source):
            place = axis + rank - len(source)
            last, before = axis == len(source) - 1, axis == len(source) - 2
            if node.op == "matmul":
                right = number > 0 or node.attributes.get("weight") == 0
                mixed = before if right and len(source) > 1 else last
            else:
                mixed = last if number == 0 else before if number == 2 else last or before
            free = place < 0 or size not in (node.shape[place], 1)
            axes.append((None, All(size)) if mixed or free or size == 1 else (place, IDENTITY))
        found.append(Link(tuple(axes)))
    return found


def _multi_head(sources: Sequence[Shape]) -> list[Dependence]:
    """(length, batch, features): a query, and all keys and values of its example."""
    found: list[Dependence] = []
    for number, source in enumerate(sources):
        length, _, features = source if len(source) == 3 else (0, 0, 0)
        place: Follows = (0, IDENTITY) if number == 0 else (None, All(length))
        known = number < 3 and features > 0
        found.append(Link((place, (1, IDENTITY), (None, All(features)))) if known else _whole(source))
    return found


def _convolution(node: Node, source: Shape) -> tuple[Follows, ...]:
    at, spatial = node.attributes, len(source) - (len(node.attributes["kernel_size"]) + 1)
    window = TransposedWindow if "transpose" in node.op else Window
    channels = Groups(source[spatial], node.shape[spatial], at.get("groups", 1))
    axes: list[Follows] = [*((d, IDENTITY) for d in range(spatial)), (spatial, channels)]
    for number, (kernel, stride, padding, dilation) in enumerate(
        zip(at["kernel_size"], at["stride"], at["padding"], at["dilation"], strict=True)
    ):
        before = padding[0] if isinstance(padding, tuple) else padding
        axes.append((spatial + 1 + number, window(kernel, stride, before, dilation)))
    return tuple(axes)


def _pool(node: Node, source: Shape) -> tuple[Follows, ...]:
    at, axes = node.attributes, int(node.op[-2])
    lead: list[Follows] = [(d, IDENTITY) for d in range(len(source) - axes)]
    dilations = at.get("dilation", (1,) * axes)
    dilations = dilations if isinstance(dilations, tuple) else (dilations,) * axes
    paddings = at.get("padding", (0,) * axes)
    for number in range(axes):
        window = Window(at["kernel_size"][number], at["stride"][number], paddings[number], dilations[number])
        lead.append((len(source) - axes + number, window))
    return tuple(lead)


def _adaptive_pool(node: Node, source: Shape) -> tuple[Follows, ...]:
    axes = int(node.op[-2])
    lead = [(d, IDENTITY) for d in range(len(source) - axes)]
    rest = range(len(source) - axes, len(source))
    return (*lead, *((d, adaptive(source[d], node.shape[d])) for d in rest))


def _interpolate(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    at = node.attributes
    if at.get("antialias"):
        return None
    mode = _RESIZE_AXES.get(at["mode"], "linear")
    scale = at.get("scale_factor")
    axes: list[Follows] = [(0, IDENTITY), (1, IDENTITY)]
    for number, size in enumerate(source[2:]):
        factor = scale[number] if isinstance(scale, tuple) else scale
        axes.append(
            (
                number + 2,
                resize(size, node.shape[number + 2], mode=mode, align_corners=at["align_corners"], scale=factor),
            )
        )
    return tuple(axes)


def _pad(node: Node, source: Shape) -> tuple[Follows, ...]:
    sides = node.attributes["pad"]
    axes: list[Follows] = [(d, IDENTITY) for d in range(len(source))]
    for number in range(len(sides) // 2):
        axis = len(source) - 1 - number
        before, after = sides[2 * number : 2 * number + 2]
        axes[axis] = (axis, padded(source[axis], before, after, mode=node.attributes.get("mode", "constant")))
    return tuple(axes)


def _permute(node: Node, source: Shape) -> tuple[Follows, ...]:
    dims = node.attributes["dims"]
    return tuple((dims.index(d), IDENTITY) for d in range(len(source)))


def _getitem(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    index = node.attributes.get("index", ("other",))
    if "other" in index:
        return None
    axes: list[Follows] = []
    out = 0
    for item in index:
        if item is None:
            out += 1
        elif isinstance(item, int):
            axes.append((None, Affine(start=item)))
        else:
            start, _, step = item
            axes.append((out, Affine(step=step, start=start)))
            out += 1
    return tuple(axes)


def _flip(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    dims = node.attributes.get("dims")
    if dims is None:
        return None
    flipped = {d % len(source) for d in (dims if isinstance(dims, tuple) else (dims,))}
    return tuple((d, Affine(-1, size - 1) if d in flipped else IDENTITY) for d, size in enumerate(source))


def _along_one(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """Softmax and the like: the whole of one axis, the same place on the others."""
    dim = node.attributes.get("dim")
    if not isinstance(dim, int):
        return None
    return tuple((None, All(size)) if d == dim % len(source) else (d, IDENTITY) for d, size in enumerate(source))


def _last(node: Node, source: Shape) -> tuple[Follows, ...]:
    """A linear map: the whole of the last axis."""
    return (*((d, IDENTITY) for d in range(len(source) - 1)), (None, All(source[-1])))


def _neighbour_channels(node: Node, source: Shape) -> tuple[Follows, ...]:
    size = node.attributes["size"]
    return tuple((d, Window(size, 1, size // 2) if d == 1 else IDENTITY) for d in range(len(source)))


def _glu(node: Node, source: Shape) -> tuple[Follows, ...]:
    """``a * sigmoid(b)`` of the halves of an axis: taken as the whole axis."""
    dim = node.attributes.get("dim", -1) % len(source)
    return tuple((None, All(size)) if d == dim else (d, IDENTITY) for d, size in enumerate(source))


def _normalised(node: Node, source: Shape) -> tuple[Follows, ...]:
    if node.op == "instance_norm":
        return ((0, IDENTITY), (1, IDENTITY), *((d, Statistics(source[d])) for d in range(2, len(source))))
    if node.op == "group_norm":
        channels = Groups(source[1], source[1], node.attributes.get("num_groups", 1))
        return ((0, IDENTITY), (1, channels), *((d, Statistics(source[d])) for d in range(2, len(source))))
    shape = node.attributes.get("normalized_shape", (0,))
    over = len(shape) if isinstance(shape, tuple) else 1
    kept = len(source) - over
    return tuple((d, IDENTITY if d < kept else Statistics(size)) for d, size in enumerate(source))


def _reduced(node: Node, source: Shape) -> tuple[Follows, ...]:
    dims = node.attributes.get("dim", tuple(range(len(source))))
    dims = dims if isinstance(dims, tuple) else (dims,)
    keep = bool(node.attributes.get("keepdim"))
    axes: list[Follows] = []
    out = 0
    for axis, size in enumerate(source):
        if axis in dims:
            axes.append((None, All(size)))
            out += keep
        else:
            axes.append((out, IDENTITY))
            out += 1
    return tuple(axes)


def _same_place(node: Node, source: Shape) -> tuple[Follows, ...]:
    """An embedding: the features of a word at its place."""
    return tuple((d, IDENTITY) for d in range(len(source)))


def _all_steps(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """A recurrent layer of two directions: every step of its example. One of one direction reads no later step."""
    if len(source) != 3:
        return None
    batch = 0 if node.attributes.get("batch_first") else 1
    return tuple((d, IDENTITY) if d == batch else (None, All(size)) for d, size in enumerate(source))


_SPECIAL: Mapping[str, Callable[[Node, Shape], tuple[Follows, ...] | None]] = {
    "interpolate": _interpolate,
    "pad": _pad,
    "permute": _permute,
    "getitem": _getitem,
    "split": _getitem,
    "flip": _flip,
    "softmax": _along_one,
    "log_softmax": _along_one,
    "softmin": _along_one,
    "cumsum": _along_one,
    "normalize": _along_one,
    "linear": _last,
    "addmm": _last,
    "local_response_norm": _neighbour_channels,
    "glu": _glu,
    "embedding": _same_place,
    **dict.fromkeys(_RECURRENT, _all_steps),
}


def _family(op: str) -> Callable[[Node, Shape], tuple[Follows, ...] | None] | None:
    if op in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        return _convolution
    if op.startswith("adaptive_") and "pool" in op:
        return _adaptive_pool
    if op in {f"{kind}_pool{n}d" for kind in ("max", "avg") for n in (1, 2, 3)}:
        return _pool
    return None
