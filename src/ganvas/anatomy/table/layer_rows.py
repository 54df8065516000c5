"""The rows of a network's table: layers with their activations, and what runs between them.

A trace has a node for every operation. A reader wants a row for every layer: its activation beside it, its bias and
its reshaping inside it, a pixel norm as one row and not as a square, a mean, a root and a product.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from ganvas.anatomy.fields.axes import TensorAxes, axes
from ganvas.anatomy.trace.graph import Graph, Node
from ganvas.anatomy.trace.layer_kinds import ACTIVATIONS
from ganvas.anatomy.trace.operations import REDUCING, words
from ganvas.anatomy.trace.pointwise import is_pointwise

WEIGHTED = ("plain", "gated", "spectral-normed", "dilated", "transposed", "depthwise", "linear")
_TRANSPARENT = ("reshape",)
_RECURRENT = ("LSTM", "GRU", "RNN", "LSTM cell", "GRU cell", "RNN cell")  # With activations of their own inside.
_ALONE = ("resize", "pool", "merge")  # Rows of their own, even inside of a layer's module.
_ROOTS = words("rsqrt sqrt std var var_mean norm vector_norm linalg_vector_norm")
NAMES = {
    "linear": "Fully connected",
    "multi_head_attention": "Multi-head attention",
    "scaled_dot_product_attention": "Attention",
    "batch_norm": "Batch norm",
    "instance_norm": "Instance norm",
    "layer_norm": "Layer norm",
    "group_norm": "Group norm",
    "rms_norm": "RMS norm",
    "local_response_norm": "Local response norm",
    "cat": "Concatenate",
    "add": "Add",
    "sub": "Subtract",
    "mul": "Multiply",
    "matmul": "Matrix product",
    "einsum": "Einsum",
    "embedding": "Embedding",
    "parameter": "Learnt constant",
    "constant": "Noise or constant",
    "lstm": "LSTM",
    "gru": "GRU",
    "rnn_tanh": "RNN",
    "rnn_relu": "RNN",
    "lstm_cell": "LSTM cell",
    "gru_cell": "GRU cell",
    "rnn_tanh_cell": "RNN cell",
    "rnn_relu_cell": "RNN cell",
    "addbmm": "Matrix product",
    "grouped_mm": "Grouped product",
    "multi_dot": "Chain of products",
    "inner": "Inner product",
    "vecdot": "Inner product",
    "pixel_shuffle": "Depth to space",
    "pixel_unshuffle": "Space to depth",
}
SHORT = {"leaky_relu": "LReLU", "relu": "ReLU", "tanh": "tanh", "elu": "ELU", "gelu": "GELU", "silu": "SiLU"} | {
    "selu": "SELU",
    "celu": "CELU",
    "relu6": "ReLU6",
    "prelu": "PReLU",
    "glu": "GLU",
    "mish": "Mish",
}


@dataclass(kw_only=True)
class Row:
    """One line of a table.

    Attributes:
        layer: What it is, e.g. "Conv 3×3".
        module: Qualified name.
        activation: What is applied to its output; "" for what is no layer.
        shape: Of its output after its activation, without the batch.
        axes: Which axes of that output, the batch included, are features and batch.
        parameters: Counted here; shared ones count at their first use (``shared`` is then true for the later ones).
        receptive_field: Height and width (or length), None where it is not known.
        reads_all: Whether a unit reads the whole input, through a mean or an attention: the figure then says nothing.
        nodes: Indices of the operations it stands for.
    """

    layer: str
    module: str
    kind: str
    activation: str
    shape: tuple[int, ...]
    axes: TensorAxes
    parameters: int
    macs: int
    macs_backward: int
    kernel: tuple[int, ...] = ()
    stride: tuple[int, ...] = ()
    dilation: tuple[int, ...] = ()
    groups: int = 1
    receptive_field: tuple[int, ...] | None = None
    reads_all: bool = False
    shared: bool = False
    note: str = ""
    nodes: list[int] = field(default_factory=list)

    @property
    def last(self) -> int:
        """The operation whose output is the row's."""
        return self.nodes[-1]


def rows(
    graph: Graph,
    *,
    fields: Mapping[int, tuple[int, ...] | None] | None = None,
    unbounded: frozenset[int] = frozenset(),
) -> list[Row]:
    """The table's rows in order of execution; the parameters of all of them are those the network used.

    Args:
        fields: The receptive field of every operation.
        unbounded: The operations that read the whole input.
    """
    found: list[Row] = []
    row_of: dict[int, Row] = {}
    layouts = axes(graph)
    readers = graph.readers()
    leaves = _leaves(graph.nodes)
    for group in _groups(graph.nodes, leaves, set(graph.output)):
        row = _host(group, graph.nodes, row_of, readers)
        if row is None:
            row = _row(group, layouts)
            if row.layer.startswith("Input") and _is_sequence(row):
                row.layer = "Input sequence"
            if row.layer == "Input vector" and any(word in graph.model for word in ("generator", "decoder")):
                row.layer = "Latent vector"
            found.append(row)
        else:
            _fold(row, group, layouts)
        for node in group:
            row_of[node.index] = row
    shown = [row for row in found if row.parameters or row.macs or not _mere_reshape(row, graph.nodes)]
    for row in shown:
        _finish(row, graph, readers, fields or {})
        row.reads_all = _seen(row, graph) in unbounded
    return shown


def _is_sequence(row: Row) -> bool:
    """Steps and then features, or the words that an embedding looks up."""
    words = row.axes.features is None and len(row.shape) == 1
    return words or (row.axes.told and row.axes.features == len(row.shape) == 2)


def _groups(nodes: Sequence[Node], leaves: frozenset[str], outputs: set[int]) -> list[list[Node]]:
    """Consecutive operations of one call that make one thing: of a plain function, or of a module without parts."""
    groups: list[list[Node]] = []
    start = 0
    while start < len(nodes):
        gate = _gate(nodes, start)
        if gate is not None:
            groups.append(list(nodes[start:gate]))
            start = gate
            continue
        end = start + 1
        first = nodes[start]
        while end < len(nodes) and _together(first, nodes[end], leaves):
            end += 1
        group = list(nodes[start:end])
        weighted = any(node.parameters or node.shared for node in group) and not _normalises(group)
        whole = len(group) > 1 and not weighted and not any(node.macs for node in group) and _one_output(group, nodes)
        groups += [group] if whole and sum(n.kind not in _TRANSPARENT for n in group) > 1 else [[n] for n in group]
        start = end
    return groups


def _normalises(group: Sequence[Node]) -> bool:
    """Whether a module written out by hand divides by a root of its own mean and scales by a weight, as an RMS norm."""
    ops = {node.op for node in group}
    return bool(ops & _ROOTS) and bool(ops & REDUCING) and all(is_pointwise(op) or op in REDUCING for op in ops)


def _gate(nodes: Sequence[Node], start: int) -> int | None:
    """Where a convolution ends that is split in two, of which one gates the other; None if none starts here."""
    if nodes[start].kind != "gated" or not nodes[start].macs:
        return None
    inside = {start}
    for node in nodes[start + 1 :]:
        if not inside.issuperset(node.inputs) or not (node.op in ACTIVATIONS or node.op in ("split", "mul")):
            return None
        inside.add(node.index)
        if node.op in ("mul", "glu"):
            return node.index + 1 if _one_output(nodes[start : node.index + 1], nodes) else None
    return None


def _together(first: Node, node: Node, leaves: frozenset[str]) -> bool:
    if first.function and first.function == node.function and first.call == node.call:
        return True
    return first.call[0] == node.call[0] and first.module == node.module and first.module in leaves


def _one_output(group: Sequence[Node], nodes: Sequence[Node]) -> bool:
    """Whether nothing but the last of a group is read outside of it."""
    inside = {node.index for node in group}
    return not any(
        source in inside and source != group[-1].index
        for node in nodes
        if node.index not in inside
        for source in node.inputs
    )


def _leaves(nodes: Sequence[Node]) -> frozenset[str]:
    """Modules in which no other module ran."""
    names = {node.module for node in nodes} - {""}
    above = {name.rsplit(".", depth)[0] for name in names for depth in range(1, name.count(".") + 1)}
    return frozenset(names - above)


def _host(
    group: list[Node], nodes: Sequence[Node], row_of: Mapping[int, Row], readers: Mapping[int, Sequence[int]]
) -> Row | None:
    """The row that a group disappears in: a layer's bias, reshaping or activation belongs to the layer."""
    node = group[0]
    if len(group) > 1 or len(set(node.inputs)) != 1:
        return None
    row = row_of.get(node.inputs[0])
    if row is None or row.last != node.inputs[0] or row.kind == "input":
        return None
    if node.kind in _TRANSPARENT and not node.parameters and node.op not in ("pixel_shuffle", "pixel_unshuffle"):
        only = len(readers[node.inputs[0]]) == 1
        return row if only and row.kind != "merge" else None
    if node.op in ACTIVATIONS and node.op not in ("softmax", "log_softmax") and not node.parameters:
        alone = len(readers[node.inputs[0]]) == 1 and row.kind != "activation"
        return row if alone and not row.activation else None
    of_same = node.module == row.module and row.kind in WEIGHTED and not row.activation
    return row if node.op in ("add", "mul") and (node.parameters or node.shared) and of_same else None


def _fold(row: Row, group: list[Node], layouts: Sequence[TensorAxes]) -> None:
    for node in group:
        row.nodes.append(node.index)
        row.parameters += sum(node.parameters.values())
        # A vector as a picture is what a dense layer makes; another view of a sequence or of heads says nothing new.
        if len(row.shape) == 1 and len(node.shape) > 2:
            row.shape, row.axes = layouts[node.index].example(node.shape), layouts[node.index]
        if node.op in ACTIVATIONS:
            row.activation = activation_name(node)


def _row(group: list[Node], layouts: Sequence[TensorAxes]) -> Row:
    node = group[0] if group[0].kind == "gated" else group[-1]
    single = len(group) == 1 or node is group[0]
    weighted = single and node.kind in WEIGHTED
    attributes = node.attributes
    shown = weighted or (single and node.kind == "pool")
    return Row(
        layer=layer_name(node) if single else _composite(node),
        module=node.module,
        kind=node.kind if single else ("normalisation" if "norm" in _composite(node).lower() else "other"),
        activation="",
        shape=layouts[group[-1].index].example(group[-1].shape),
        axes=layouts[group[-1].index],
        parameters=sum(sum(n.parameters.values()) for n in group),
        macs=sum(n.macs for n in group),
        macs_backward=sum(n.macs_backward for n in group),
        kernel=tuple(attributes.get("kernel_size", ())) if shown else (),
        stride=tuple(attributes.get("stride", ())) if shown else (),
        dilation=tuple(attributes.get("dilation", ())) if weighted else (),
        groups=attributes.get("groups", 1) if weighted else 1,
        shared=any(n.shared for n in group),
        note="; ".join(dict.fromkeys(n.note for n in group if n.note)),
        nodes=[n.index for n in group],
    )


def _finish(
    row: Row, graph: Graph, readers: Mapping[int, Sequence[int]], fields: Mapping[int, tuple[int, ...] | None]
) -> None:
    """What is known only when all rows are: a layer that nothing follows is linear, as the papers say."""
    if row.kind in WEIGHTED and not row.activation and row.macs:
        following = [graph.nodes[reader].kind for reader in readers[row.last]]
        usual = "" if "normalisation" in following or row.layer in _RECURRENT else "linear"
        row.activation = "gated" if row.kind == "gated" else usual
    row.receptive_field = fields.get(_seen(row, graph))


def _seen(row: Row, graph: Graph) -> int:
    """The operation whose field is meant: a unit of a flattened picture is still a unit of the picture."""
    return ([index for index in row.nodes if graph.nodes[index].kind != "reshape"] or row.nodes)[-1]


def _mere_reshape(row: Row, nodes: Sequence[Node]) -> bool:
    return all(nodes[index].kind == "reshape" and "pixel" not in nodes[index].op for index in row.nodes)


def layer_name(node: Node) -> str:
    """What a paper would call it."""
    kernel = node.attributes.get("kernel_size")
    size = " " + times(kernel) if kernel else ""
    if node.op == "input":
        return "Input image" if len(node.shape) == 4 else "Input vector" if len(node.shape) == 2 else "Input"
    if node.op.startswith("conv_transpose"):
        return f"Transposed conv{size}"
    if node.op.startswith("conv"):
        return ("Depthwise conv" if node.kind == "depthwise" else "Conv") + size
    if node.op == "interpolate":
        before, after = node.attributes["input_size"], node.attributes["output_size"]
        return "Upsample" if after > before else "Downsample" if after < before else "Resize"
    if "pool" in node.op:
        if set(node.attributes.get("output_size", ())) == {1}:
            return "Global average pool" if "avg" in node.op else "Global max pool"
        words = node.op.rstrip("123d").replace("_", " ").replace("avg", "average").strip()
        return words.capitalize() + size
    if node.op in ACTIVATIONS:
        return activation_name(node)
    return NAMES.get(node.op, node.op.replace("_", " ").capitalize())


def _composite(node: Node) -> str:
    """Of a function its name (pixel_norm: Pixel norm), of a module its class (MinibatchStdDev: Minibatch stddev)."""
    if node.function:
        return node.function.strip("_").replace("_", " ").capitalize()
    known = {"MinibatchStdDev": "Minibatch stddev"}
    lower = node.module_type.lower()
    if "norm" in lower and ("rms" in lower or "layer" in lower):  # LlamaRMSNorm, T5LayerNorm.
        return "RMS norm" if "rms" in lower else "Layer norm"
    return known.get(node.module_type, _spaced(node.module_type))


def _spaced(name: str) -> str:
    """``MinibatchDiscrimination`` as "Minibatch discrimination"; ``LayerNorm2d`` as "Layer norm"."""
    text = "".join(
        f" {c.lower()}" if c.isupper() and i and not name[i - 1].isupper() else c for i, c in enumerate(name)
    )
    return text.removesuffix("1d").removesuffix("2d").removesuffix("3d")


def activation_name(node: Node) -> str:
    """The short form that papers use."""
    if node.op == "hardtanh" and (node.attributes.get("min_val"), node.attributes.get("max_val")) == (0.0, 6.0):
        return "ReLU6"
    return SHORT.get(node.op, node.op.replace("_", " "))


def times(sizes: Sequence[int]) -> str:
    """``(3, 3)`` as 3×3; one size of a line alone."""
    return "×".join(map(str, sizes))
