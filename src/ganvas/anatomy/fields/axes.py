"""The axes of features and of the batch in every tensor, told by the operations that touch it.

A shape alone does not say: 1 x 50 x 128 is 50 channels of a sound to a ``Conv1d`` and 50 words of 128 features to a
``Linear``. What torch's operations mean by their axes does:

- convolutions, pools, resizes, batch, instance and group normalisation: features on axis 1 behind the batch;
- linear maps, attention, recurrent layers, embeddings, layer normalisation of one axis: features on the last axis;
- attention counts the batch on axis 1, and so do recurrent layers unless ``batch_first``: there the first axis is time.

From there it spreads along the axes that other operations carry through
(:func:`~ganvas.anatomy.fields.dependences.dependences`): to what is made of a tensor first, else back from what reads
it. What neither tells is taken as (batch, features, places), torch's usual order, and ``told`` is then false.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ganvas.anatomy.fields.dependence import Blocks, Link, Reshaped, kept_ends
from ganvas.anatomy.fields.dependences import dependences
from ganvas.anatomy.trace.graph import Graph, Node
from ganvas.anatomy.trace.operations import CELLS, RECURRENT, words

NONE = -1  # In place of an axis: the tensor has no features, as the words that an embedding looks up.
_FIRST = words(
    "batch_norm instance_norm group_norm local_response_norm interpolate grid_sample pixel_shuffle pixel_unshuffle "
    "channel_shuffle"
)
_LAST = words("linear addmm bilinear multi_head_attention scaled_dot_product_attention") | RECURRENT | CELLS
Tell = Callable[[Node, tuple[int, ...]], int | None]
"""The axis that an operation knows of a tensor it reads or makes, by that tensor's shape."""


@dataclass(frozen=True, kw_only=True)
class TensorAxes:
    """Of one tensor.

    Attributes:
        features: The axis of channels or features; None if it has none.
        batch: The axis of the examples.
        told: Whether an operation says where the features are, or it was assumed.
    """

    features: int | None
    batch: int = 0
    told: bool = True

    def places(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The sizes that are neither batch nor features: height and width of pictures, length of sequences."""
        return tuple(size for axis, size in enumerate(shape) if axis not in (self.batch, self.features))

    def example(self, shape: Sequence[int]) -> tuple[int, ...]:
        """The shape of one example, in the tensor's own order."""
        return tuple(size for axis, size in enumerate(shape) if axis != self.batch)


def axes(graph: Graph) -> tuple[TensorAxes, ...]:
    """Of the output of every node, in order."""
    carried = [_carried(node, graph) for node in graph.nodes]
    features = _spread(graph, carried, made=_made_features, read=_read_features)
    batches = _spread(graph, carried, made=_batch, read=_batch)
    return tuple(_of(node, feature, batch) for node, feature, batch in zip(graph.nodes, features, batches, strict=True))


def _of(node: Node, features: int | None, batch: int | None) -> TensorAxes:
    rank = len(node.shape)
    batch = batch if batch is not None and batch < rank else 0
    if features == NONE or rank < 2:
        return TensorAxes(features=None, batch=batch)
    if features is None or features >= rank or features == batch:
        return TensorAxes(features=1 if batch == 0 else rank - 1, batch=batch, told=rank == 2)
    return TensorAxes(features=features, batch=batch)


# What single operations tell


def _made_features(node: Node, shape: tuple[int, ...]) -> int | None:
    if node.op == "embedding":
        return len(shape) - 1
    made = node.attributes.get("acts_on", (None, None))[1]
    return _read_features(node, shape) if made is None else made % len(shape)


def _read_features(node: Node, shape: tuple[int, ...]) -> int | None:
    op, rank = node.op, len(shape)
    if op == "embedding":
        return NONE
    if "acts_on" in node.attributes:
        axis = node.attributes["acts_on"][0]
        return None if axis is None or axis < -rank else axis % rank
    if op in _LAST:
        return rank - 1
    if op in ("layer_norm", "rms_norm"):
        over = node.attributes.get("normalized_shape", ())
        return rank - 1 if isinstance(over, int) or len(over) == 1 else None
    if op in _FIRST or op.startswith("conv") or "pool" in op:
        return min(1, rank - 1)
    return None


def _batch(node: Node, shape: tuple[int, ...]) -> int | None:
    if node.op == "multi_head_attention":
        return 1 if len(shape) == 3 else 0
    if node.op in RECURRENT:
        return 1 if len(shape) == 3 and not node.attributes.get("batch_first") else 0
    if node.op in _FIRST | CELLS or node.op.startswith("conv") or "pool" in node.op:
        return 0
    return None


# How it spreads


def _carried(node: Node, graph: Graph) -> list[tuple[int | None, ...]]:
    """For each input, to which axis of the output each of its axes goes on; None for those that end here."""
    sources = [graph.nodes[index].shape for index in node.inputs]
    return [
        tuple(out for out, _ in each.axes)
        if isinstance(each, Link)
        else _through_reshape(source, node.shape)
        if isinstance(each, Reshaped)
        else (0, 1, *[None] * (len(source) - 2))
        if isinstance(each, Blocks)
        else tuple(range(len(source)))
        for source, each in zip(sources, dependences(node, sources), strict=True)
    ]


def _through_reshape(source: tuple[int, ...], shape: tuple[int, ...]) -> tuple[int | None, ...]:
    front, back = kept_ends(shape, source)
    kept = dict(zip(range(front), range(front), strict=True))
    kept |= {len(source) - 1 - n: len(shape) - 1 - n for n in range(back)}
    return tuple(kept.get(axis) for axis in range(len(source)))


def _spread(graph: Graph, carried: list[list[tuple[int | None, ...]]], *, made: Tell, read: Tell) -> list[int | None]:
    """The axis in every node's output: told by itself, by what it is made of, else by what reads it."""
    wanted: list[int | None] = [None] * len(graph.nodes)
    for node in reversed(graph.nodes):  # Readers first: an earlier reader has the last word.
        own = made(node, node.shape)
        for source, through in zip(node.inputs, carried[node.index], strict=True):
            asked = read(node, graph.nodes[source].shape)
            if asked is None:
                asked = _back(node, through, wanted[node.index] if own is None else own)
            wanted[source] = wanted[source] if asked is None else asked
    found: list[int | None] = []
    for node in graph.nodes:
        axis = made(node, node.shape)
        if axis is None and node.op == "reshape":  # Equal sizes may be chance there; what reads it knows.
            axis = wanted[node.index]
        if axis is None:
            axis = next(filter(lambda a: a is not None, _onward(node, carried[node.index], found)), None)
        found.append(wanted[node.index] if axis is None else axis)
    return found


def _onward(node: Node, carried: list[tuple[int | None, ...]], found: list[int | None]) -> list[int | None]:
    sources = ((found[source], through) for source, through in zip(node.inputs, carried, strict=True))
    return [through[axis] if axis is not None and 0 <= axis < len(through) else None for axis, through in sources]


def _back(node: Node, through: tuple[int | None, ...], axis: int | None) -> int | None:
    """The axis of an input that becomes this one of the output; NONE where the output alone has it."""
    if axis is None:
        return None
    if axis in through:
        return through.index(axis)
    whole = None not in through and node.op in ("reshape", "getitem", "permute")
    if axis == NONE:
        return NONE if whole or node.op == "reshape" else None
    # Whoever adds an axis for the features, as of a waveform that gets its channel, had none.
    return NONE if whole and axis > 0 and node.shape[axis] == 1 else None
