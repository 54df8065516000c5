"""The kind of every node: what a figure colours by. Structural rules only, so any network's own classes will do."""

from collections.abc import Mapping, Sequence
from dataclasses import replace

from torch import nn

from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.learnt_products import PRODUCTS, learnt
from ganvas.anatomy.trace.operations import CELLS, RECURRENT, words

ACTIVATIONS = words(
    "relu leaky_relu elu celu selu gelu silu mish tanh sigmoid hardtanh hardswish hardsigmoid relu6 softplus "
    "softsign logsigmoid prelu rrelu threshold glu softmax log_softmax softshrink hardshrink tanhshrink"
)
NORMALISATIONS = words(
    "batch_norm instance_norm layer_norm group_norm rms_norm local_response_norm normalize pixel_norm"
)
MERGES = words("add sub mul div cat stack lerp maximum minimum where addcmul addcdiv matmul einsum")
RESHAPES = words("reshape permute getitem split expand repeat pixel_shuffle pixel_unshuffle roll flip channel_shuffle")
RESIZES = words("interpolate grid_sample repeat_interleave")
ATTENTIONS = words("scaled_dot_product_attention multi_head_attention")


def with_kinds(nodes: Sequence[Node], modules: Mapping[str, nn.Module]) -> tuple[Node, ...]:
    """The nodes with their kinds, from their operations, their modules, and how they meet."""
    normed = {name for name, module in modules.items() if spectral_normed(module)}
    kinds = [_own(node, bool({node.module, node.module.rpartition(".")[0]} & normed)) for node in nodes]
    _mark_gated(nodes, kinds)
    _mark_attention(nodes, kinds)
    return tuple(replace(node, kind=kind) for node, kind in zip(nodes, kinds, strict=True))


def _own(node: Node, normed: bool) -> str:
    op = node.op
    if op.startswith("conv") or op == "linear" or learnt(node):
        if normed:
            return "spectral-normed"
        return _convolution(node) if op.startswith("conv") else "linear"
    if op in ("input", "parameter", "constant"):
        return "input"
    if op in ("addmm", "addbmm", "bilinear") or op in RECURRENT | CELLS:
        return "linear"
    if op in ATTENTIONS:
        return "attention"
    if op == "pad":
        return "other"
    for kind, ops in (
        ("activation", ACTIVATIONS),
        ("normalisation", NORMALISATIONS),
        ("merge", MERGES),
        ("reshape", RESHAPES),
        ("resize", RESIZES),
    ):
        if op in ops:
            # With one operand (x + 1, x * gain) nothing merges.
            return "other" if kind == "merge" and len(node.inputs) < 2 and op not in PRODUCTS else kind
    return "pool" if "pool" in op else "other"


def _convolution(node: Node) -> str:
    if node.op.startswith("conv_transpose"):
        return "transposed"
    if any(d > 1 for d in node.attributes.get("dilation", ())):
        return "dilated"
    groups = node.attributes.get("groups", 1)
    return "depthwise" if groups > 1 and groups == node.attributes.get("in_channels") else "plain"


def spectral_normed(module: nn.Module) -> bool:
    """Whether a module's weight is divided by its spectral norm: torch's two ways, or a class that says it by name."""
    if "spectral" in type(module).__name__.lower() or (hasattr(module, "weight_u") and hasattr(module, "weight_orig")):
        return True
    parametrizations = getattr(module, "parametrizations", None)
    if not isinstance(parametrizations, nn.Module):
        return False
    return any("spectral" in type(part).__name__.lower() for part in parametrizations.modules())


def _mark_gated(nodes: Sequence[Node], kinds: list[str]) -> None:
    """Convolutions of one input (or one split in two) that meet in a product, one through a sigmoid; and ``glu``."""
    for node in nodes:
        if node.op == "glu":
            sources = [_maker(nodes, node.inputs[0])]
        elif node.op == "mul" and len(set(node.inputs)) == 2:
            through = [_through_gate(nodes, source) for source in node.inputs]
            if not any(gate for _, gate in through):
                continue
            sources = [maker for maker, _ in through]
            if len({nodes[maker].inputs[:1] for maker in sources}) != 1:
                continue
        else:
            continue
        for source in sources:
            if nodes[source].op.startswith("conv") or nodes[source].op == "linear":
                kinds[source] = "gated"


def _through_gate(nodes: Sequence[Node], index: int) -> tuple[int, bool]:
    """The layer a value comes from through activations and normalisations, and whether one of them is a sigmoid."""
    gate = False
    while nodes[index].op in ACTIVATIONS | NORMALISATIONS | {"split", "getitem", "dropout"} and nodes[index].inputs:
        gate = gate or nodes[index].op in ("sigmoid", "hardsigmoid")
        index = nodes[index].inputs[0]
    return index, gate


def _maker(nodes: Sequence[Node], index: int) -> int:
    return _through_gate(nodes, index)[0]


def _mark_attention(nodes: Sequence[Node], kinds: list[str]) -> None:
    """A product with the softmax of another product: both, and the softmax."""
    for node in nodes:
        if node.op not in PRODUCTS:
            continue
        for source in node.inputs:
            path = _to_softmax(nodes, source)
            if path is not None:
                kinds[node.index] = "attention"
                for index in path:
                    kinds[index] = "attention"


def _to_softmax(nodes: Sequence[Node], index: int) -> list[int] | None:
    """Back over reshapes to a softmax and from it to the product before it."""
    while nodes[index].op in RESHAPES | {"dropout"} and nodes[index].inputs:
        index = nodes[index].inputs[0]
    if nodes[index].op != "softmax":
        return None
    softmax, index = index, nodes[index].inputs[0]
    while nodes[index].op in RESHAPES | {"mul", "div", "add", "masked_fill"} and nodes[index].inputs:
        index = nodes[index].inputs[0]
    return [softmax, index] if nodes[index].op in PRODUCTS else None
