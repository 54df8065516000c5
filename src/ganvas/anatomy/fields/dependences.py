"""The elements of its inputs that each element of an operation's output reads, axis by axis.

Almost every operation is a product over axes: along each axis of an input it follows one axis of the output by an
:class:`~ganvas.anatomy.fields.axis_maps.AxisMap`, or none. The few that are not (a change of shape, pixel shuffle) have
a form of their own. What is not known here is taken as reading everything, and says so.
"""

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate

from ganvas.anatomy.fields import rearranging, reductions, writing
from ganvas.anatomy.fields.axis_maps import (
    IDENTITY,
    NOTHING,
    Affine,
    All,
    Follows,
    Groups,
    Part,
    Statistics,
    TransposedWindow,
    Upto,
    Window,
    adaptive,
    padded,
    resize,
)
from ganvas.anatomy.fields.dependence import Blocks, Dependence, Link, Reshaped, Shape, Shuffled, whole
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.operations import CELLS, RECURRENT, REDUCING
from ganvas.anatomy.trace.pointwise import VALUELESS, is_pointwise
from ganvas.anatomy.trace.product_equations import EQUATIONS

# Statistics over places are not counted unless asked for: the literature's receptive fields leave them out.
STATISTICS = frozenset({"instance_norm", "group_norm", "layer_norm", "rms_norm"})
STATISTICAL_MODULES = frozenset({"MinibatchStdDev"})  # Their means over places and pictures count as statistics too.
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
    if op in CELLS:
        return [Link(_step(source)) for source in sources]
    if op in _SUMS:
        followed = [_SUMS[op](node, number, source) for number, source in enumerate(sources)]
        known = not node.attributes.get("masked") or bool(node.attributes.get("is_causal"))
        pairs = zip(followed, sources, strict=True)
        return [whole(source) if each is None else Link(each, known) for each, source in pairs]
    if op in ("unfold", "fold") and "dimension" not in node.attributes and len(node.attributes["stride"]) == 2:
        return [Blocks.of(node.attributes, first if op == "unfold" else node.shape, folded=op == "fold")]
    if op == "setitem" and "starts" in node.attributes:
        return writing.patched(node, sources)
    if op == "setitem" and "roles" in node.attributes:
        return [
            writing.by_index(node, role, source) for role, source in zip(node.attributes["roles"], sources, strict=True)
        ]
    if op == "stack":
        axis = node.attributes["dim"]
        return [
            Link(tuple((d + (d >= axis), IDENTITY) for d in range(len(source))), only=((axis, (at, at)),))
            for at, source in zip(_offsets(node, sources), sources, strict=True)
        ]
    if op in STATISTICS and statistics:
        return [Link(_normalised(node, first)), *(_pointwise(node.shape, source) for source in sources[1:])]
    special = _SPECIAL.get(op) or _family(op)
    if special is not None:
        found = special(node, first)
        rest = [whole(source) for source in sources[1:]]
        return [whole(first), *rest] if found is None else [Link(found), *rest]
    if op.startswith("max_unpool"):
        return [Link(rearranging.max_unpool(node, source)) for source in sources]
    if op in REDUCING and node.module_type in STATISTICAL_MODULES and not statistics:
        return [Link(tuple((None, NOTHING) for _ in source)) for source in sources]
    if op in REDUCING:
        return [Link(_reduced(node, first)), *(whole(source) for source in sources[1:])]
    if op in VALUELESS:
        return [Link(tuple((d if s == node.shape else None, NOTHING) for d in range(len(s)))) for s in sources]
    if is_pointwise(op) and all(_broadcasts(source, node.shape) for source in sources):
        return [_pointwise(node.shape, source) for source in sources]
    return [whole(source) for source in sources] if rank else [_everything(source) for source in sources]


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
    axis = node.attributes["dim"]
    return [
        Link(tuple((d, Part(start, size) if d == axis else IDENTITY) for d, size in enumerate(source)))
        for start, source in zip(_offsets(node, sources), sources, strict=True)
    ]


def _offsets(node: Node, sources: Sequence[Shape]) -> tuple[int, ...]:
    """Where each input begins along the axis of a concatenation, or stands in a stack: parameters are no inputs."""
    if "offsets" in node.attributes:
        return node.attributes["offsets"]
    sizes = [1 if node.op == "stack" else source[node.attributes["dim"]] for source in sources]
    return tuple(accumulate(sizes[:-1], initial=0))


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
    if at.get("antialias") and at["align_corners"]:
        return None
    mode = _RESIZE_AXES.get(at["mode"], "linear")
    scale = at.get("scale_factor")
    axes: list[Follows] = [(0, IDENTITY), (1, IDENTITY)]
    for number, size in enumerate(source[2:]):
        factor = scale[number] if isinstance(scale, tuple) else scale
        mapped = resize(
            size,
            node.shape[number + 2],
            mode=mode,
            align_corners=at["align_corners"],
            scale=factor,
            antialias=bool(at.get("antialias")),
        )
        axes.append((number + 2, mapped))
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
    dims = {"fliplr": 1, "flipud": 0}.get(node.op, node.attributes.get("dims"))
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


def _running(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """Sums and maxima so far: along one axis, all up to the place."""
    dim = node.attributes.get("dim")
    if not isinstance(dim, int):
        return None
    return tuple((d, Upto(size) if d == dim else IDENTITY) for d, size in enumerate(source))


def _recurrent(node: Node, source: Shape) -> tuple[Follows, ...] | None:
    """Every step of its example up to its own; with two directions, all of them."""
    if len(source) != 3:
        return None
    batch = 0 if node.attributes.get("batch_first") else 1
    steps: Follows = (1 - batch, Upto(source[1 - batch]))
    if node.attributes.get("bidirectional"):
        steps = None, All(source[1 - batch])
    features: Follows = (None, All(source[2]))
    return ((batch, IDENTITY), steps, features) if batch == 0 else (steps, (batch, IDENTITY), features)


def _step(source: Shape) -> tuple[Follows, ...]:
    """A cell of a recurrent layer: all features of its example, of its input as of its states."""
    return (*((d, IDENTITY) for d in range(len(source) - 1)), (None, All(source[-1])))


_SUMS: Mapping[str, Callable[[Node, int, Shape], tuple[Follows, ...] | None]] = {
    "matmul": reductions.matrices,
    **dict.fromkeys(EQUATIONS | {"einsum"}, reductions.einsum),
    "grouped_mm": reductions.matrices,
    **dict.fromkeys(("addmm", "addbmm"), reductions.add_product),
    "scaled_dot_product_attention": reductions.attention,
    "multi_head_attention": reductions.multi_head,
}


_SPECIAL: Mapping[str, Callable[[Node, Shape], tuple[Follows, ...] | None]] = {
    "interpolate": _interpolate,
    "pad": _pad,
    "permute": _permute,
    "getitem": _getitem,
    "split": _getitem,
    **dict.fromkeys(("flip", "fliplr", "flipud"), _flip),
    "softmax": _along_one,
    "log_softmax": _along_one,
    "softmin": _along_one,
    **dict.fromkeys(("cumsum", "cumprod", "cummax", "cummin", "logcumsumexp"), _running),
    "normalize": _along_one,
    "linear": _last,
    "local_response_norm": _neighbour_channels,
    "glu": rearranging.glu,
    "roll": rearranging.roll,
    "repeat": rearranging.repeat,
    "repeat_interleave": rearranging.repeat_interleave,
    "channel_shuffle": rearranging.channel_shuffle,
    "unfold": rearranging.windows,
    "embedding": _same_place,
    **dict.fromkeys(RECURRENT, _recurrent),
}


def _family(op: str) -> Callable[[Node, Shape], tuple[Follows, ...] | None] | None:
    if op in ("conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "conv_transpose3d"):
        return _convolution
    if op.startswith("adaptive_") and "pool" in op:
        return _adaptive_pool
    if op in {f"{kind}_pool{n}d" for kind in ("max", "avg", "lp") for n in (1, 2, 3)}:
        return _pool
    return None
