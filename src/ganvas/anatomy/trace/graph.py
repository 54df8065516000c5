"""A network laid open: what ran, in order, who reads whom, and what each step holds and costs.

A ``Graph`` is plain values, no tensor and no module: it can be kept, compared, drawn and written after
the model is gone. Everything of this floor that speaks of a network (tables, diagrams, receptive fields) reads it.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

KINDS = (
    "input",
    "plain",
    "gated",
    "spectral-normed",
    "dilated",
    "transposed",
    "depthwise",
    "linear",
    "attention",
    "normalisation",
    "activation",
    "resize",
    "pool",
    "merge",
    "reshape",
    "other",
)


@dataclass(frozen=True, kw_only=True)
class Node:
    """One operation that ran.

    Attributes:
        index: Its place in the order of execution; inputs of the network come first.
        op: Canonical name, the same whether a module or a function did it (see ``operations``): "conv2d", "cat",
            "add", "reshape"; "input" is an input of the network, "parameter" a learnt constant that layers read,
            "constant" what forward made by itself for a layer to read: noise, coordinates, a buffer.
        kind: One of ``KINDS``: what colours a diagram.
        module: Qualified name of the innermost module in whose forward it ran; "" is the whole network.
        module_type: That module's class.
        inputs: Nodes whose outputs it reads, in the order of its arguments; one that is read twice is there twice.
        shape: Of its output, with the batch. Empty for a scalar.
        attributes: What its meaning depends on, see ``arguments``: kernel_size, stride, padding, groups, dim, ...
        parameters: Qualified name and count of the parameters that no earlier node has used.
        shared: Qualified names of the parameters it uses that an earlier node has used, and counted, already.
        macs: Multiply-accumulates of the forward pass; ``macs.CONVENTION``.
        macs_backward: Of both gradients (input and weight).
        note: What a reader should know besides, e.g. "weights shared with conv1".
        function: The network's own plain function in which it ran, e.g. "pixel_norm"; "" if directly in a forward.
        call: Which call of ``module``, and which of ``function`` (-1 for none): what of one call belongs together.
    """

    index: int
    op: str
    kind: str
    module: str
    module_type: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    attributes: Mapping[str, Any] = field(default_factory=lambda: MappingProxyType({}))
    parameters: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    shared: tuple[str, ...] = ()
    macs: int = 0
    macs_backward: int = 0
    note: str = ""
    function: str = ""
    call: tuple[int, int] = (0, -1)

    @property
    def label(self) -> str:
        """What a person would call it: the module's qualified name, else the operation's."""
        return self.module or self.op


@dataclass(frozen=True, kw_only=True)
class Graph:
    """All operations of one forward pass.

    Attributes:
        nodes: In order of execution; ``nodes[i].index == i``.
        output: Nodes whose outputs the network returned, in order.
        model: A name for titles.
        input_shapes: With the batch.
        parameters: All parameters of the network, each counted once, used or not.
        unused: Qualified name and count of parameters that no node has used.
        failed: When forward raised: the layer, and why; ``nodes`` then end before it.
    """

    nodes: tuple[Node, ...]
    output: tuple[int, ...]
    model: str
    input_shapes: tuple[tuple[int, ...], ...]
    parameters: int
    unused: Mapping[str, int] = field(default_factory=lambda: MappingProxyType({}))
    failed: str | None = None

    @property
    def macs(self) -> int:
        """Multiply-accumulates of one forward pass."""
        return sum(node.macs for node in self.nodes)

    @property
    def macs_backward(self) -> int:
        """Multiply-accumulates of both gradients."""
        return sum(node.macs_backward for node in self.nodes)

    def readers(self) -> dict[int, list[int]]:
        """For each node, the nodes that read its output, in order of execution."""
        found: dict[int, list[int]] = {node.index: [] for node in self.nodes}
        for node in self.nodes:
            for source in dict.fromkeys(node.inputs):
                found[source].append(node.index)
        return found
