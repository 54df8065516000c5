"""A network's graph reduced to what a figure shows: layers, inputs, and the places where paths meet.

What has no box of its own goes to the block whose output it changes: activations and reshapes vanish, a normalisation
is a mark, the halves of a gate are one gated layer, and a module that attends is one block with all that it is made of.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ganvas.anatomy.graph import Graph, Node

LAYERS = frozenset(
    ["plain", "gated", "spectral-normed", "dilated", "transposed", "depthwise", "linear", "attention", "resize", "pool"]
)
_ROOTS = frozenset(["rsqrt", "sqrt", "std", "var", "var_mean", "norm", "linalg_vector_norm", "vector_norm"])
_FEW = 4  # Operations from which on a module without layers is worth a box.


@dataclass(frozen=True, kw_only=True)
class Block:
    """One box, circle or input of the figure.

    Attributes:
        kind: A layer's kind as in ``ganvas.anatomy.graph``; "input", "merge", or "other" for a module of own making.
        nodes: The layers of the graph that it stands for; for inputs and merges, their own node.
        text: Kernel, stride and dilation: ``3×3 s2``; of a merge its operation; of another module its class.
        shape: Of what its readers read, with the batch.
        inputs: Indices of the blocks it reads, each once.
        normed: Whether a normalisation stands before its input or after its output.
        module: Qualified name.
        macs: Multiply-accumulates of all its nodes.
    """

    kind: str
    nodes: tuple[int, ...]
    text: str
    shape: tuple[int, ...]
    inputs: tuple[int, ...]
    normed: frozenset[Literal["before", "after"]] = field(default_factory=frozenset)
    module: str = ""
    macs: int = 0

    @property
    def channels(self) -> int:
        return self.shape[1] if len(self.shape) > 1 else 1

    @property
    def size(self) -> tuple[int, ...]:
        """Positions along each axis behind the channels; a vector has none."""
        return self.shape[2:]


def blocks(graph: Graph) -> tuple[Block, ...]:
    """The blocks in order of execution, those that lead nowhere left out."""
    return _Reduction(graph).run()


class _Reduction:
    """The walk over the nodes: which block carries the value of each."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.found: list[Block] = []
        self.carrier: dict[int, int | None] = {}
        self.pending: set[int] = set()  # Nodes normalised before any layer: the mark goes to their readers.
        self.whole = _whole_modules(graph)
        self.made: dict[str, int] = {}
        self.gathered: dict[tuple[Any, tuple[int, ...]], int] = {}

    def run(self) -> tuple[Block, ...]:
        for node in self.graph.nodes:
            self.carrier[node.index] = self._step(node)
        return _pruned(self.found, {self.carrier[index] for index in self.graph.output})

    def _step(self, node: Node) -> int | None:
        sources = self._sources(node)
        whole = self.whole.get(node.index)
        if whole is not None:
            return self._part(node, whole, sources)
        if node.kind == "input":
            return self._add(node, "input", "", sources) if node.op == "input" else None
        if node.kind in LAYERS or node.op in ("pixel_shuffle", "pixel_unshuffle"):
            return self._layer(node, sources)
        if len(sources) > 1:
            return self._meet(node, sources)
        return self._pass(node, *sources) if sources else None

    def _sources(self, node: Node) -> tuple[int, ...]:
        found = (self.carrier.get(index) for index in node.inputs)
        return tuple(dict.fromkeys(index for index in found if index is not None))

    def _add(self, node: Node, kind: str, text: str, sources: tuple[int, ...]) -> int:
        block = Block(
            kind=kind,
            nodes=(node.index,),
            text=text,
            shape=node.shape,
            inputs=sources,
            module=node.module,
            macs=node.macs,
        )
        self.found.append(block)
        return len(self.found) - 1

    def _layer(self, node: Node, sources: tuple[int, ...]) -> int:
        kind = node.kind if node.kind in LAYERS else "resize"
        index = self._add(node, kind, layer_text(node), sources)
        if any(source in self.pending for source in node.inputs):
            self._mark(index, "before")
        return index

    def _part(self, node: Node, whole: tuple[str, str], sources: tuple[int, ...]) -> int:
        """A node of a module that is one block; the block has the shape of its last node."""
        module, kind = whole
        if module not in self.made:
            self.made[module] = self._add(node, kind, node.module_type if kind == "other" else "", sources)
            return self.made[module]
        index = self.made[module]
        block = self.found[index]
        outer = tuple(source for source in sources if source != index)
        self.found[index] = replace(
            block,
            nodes=(*block.nodes, node.index),
            shape=node.shape,
            inputs=tuple(dict.fromkeys((*block.inputs, *outer))),
            text=node.module_type if kind == "other" and node.module == module else block.text,
            macs=block.macs + node.macs,
        )
        return index

    def _meet(self, node: Node, sources: tuple[int, ...]) -> int:
        """Two gated layers of one input become one; anything else is a merge."""
        first, *others = (self.found[index] for index in sources)
        gates = all(block.kind == "gated" and block.inputs == first.inputs for block in (first, *others))
        if not (node.op == "mul" and gates):
            return self._add(node, "merge", node.op, self._gathered(node, sources))
        keep, *rest = sorted(sources)
        every = [self.found[index] for index in (keep, *rest)]
        self.found[keep] = replace(
            every[0],
            nodes=tuple(number for block in every for number in block.nodes),
            shape=node.shape,
            normed=frozenset().union(*(block.normed for block in every)),
            macs=sum(block.macs for block in every),
        )
        for index in rest:
            self.found[index] = replace(self.found[index], nodes=())  # Nobody reads it any more.
        return keep

    def _gathered(self, node: Node, sources: tuple[int, ...]) -> tuple[int, ...]:
        """What a concatenation reads once its first parts stand for an earlier one: ``[a, b, c]`` is ``[[a, b], c]``.

        Dense blocks that keep a list of all features would otherwise have a skip from every layer to every later one.
        """
        if node.op != "cat" or len(node.inputs) != len(sources):
            return sources
        axis = node.attributes.get("dim")
        parts = next((n for n in range(len(sources) - 1, 1, -1) if (axis, sources[:n]) in self.gathered), 0)
        self.gathered.setdefault((axis, sources), len(self.found))
        return (self.gathered[axis, sources[:parts]], *sources[parts:]) if parts else sources

    def _pass(self, node: Node, source: int) -> int:
        """A step that changes one block's output without a box of its own."""
        block = self.found[source]
        if any(index in self.pending for index in node.inputs):
            self.pending.add(node.index)
        if node.kind == "normalisation" or self._normalises(node, source):
            if block.kind in LAYERS - {"pool", "resize"}:
                self._mark(source, "after")
            else:
                self.pending.add(node.index)
        gated = node.kind == "merge" and block.kind == "gated"
        unfolded = node.kind == "reshape" and len(node.shape) > 3 >= len(block.shape)
        if gated or (unfolded and block.kind in LAYERS):
            self.found[source] = replace(self.found[source], shape=node.shape)
        return source

    def _normalises(self, node: Node, source: int) -> bool:
        """A product of a value with something that a root of its own statistics went into: pixel norm and its like."""
        if node.op not in ("mul", "div") or len(node.inputs) < 2:
            return False
        stack, seen = list(node.inputs), set[int]()
        for _ in range(12):
            if not stack:
                return False
            index = stack.pop()
            inner = self.graph.nodes[index]
            if inner.op in _ROOTS:
                return True
            if index not in seen and inner.kind not in LAYERS and self.carrier.get(index) == source:
                seen.add(index)
                stack.extend(inner.inputs if inner.kind == "other" else ())
        return False

    def _mark(self, index: int, where: Literal["before", "after"]) -> None:
        self.found[index] = replace(self.found[index], normed=self.found[index].normed | {where})


def layer_text(node: Node) -> str:
    """Kernel, stride and dilation as papers write them; a pool or resize says which.

    >>> from ganvas.anatomy.graph import Node
    >>> layer_text(Node(index=1, op="conv2d", kind="plain", module="", module_type="", inputs=(0,), shape=(1, 8, 4, 4),
    ...                 attributes={"kernel_size": (3, 3), "stride": (2, 2), "dilation": (1, 1)}))
    '3×3 s2'
    """
    if node.op == "linear" or node.kind == "attention":
        return ""
    if node.kind == "resize" or node.op in ("pixel_shuffle", "pixel_unshuffle"):
        return {"pixel_shuffle": "shuffle", "pixel_unshuffle": "unshuffle"}.get(
            node.op, str(node.attributes.get("mode") or "")
        )
    if node.kind == "pool":
        words = ["max" if "max" in node.op else "avg" if "avg" in node.op else "pool"]
        if set(_each(node, "kernel_size")) == {1}:  # Every n-th pixel is taken, whatever the pool is called.
            return "s" + _once(_each(node, "stride"))
        if "adaptive" in node.op or not node.attributes.get("kernel_size"):
            return words[0]
    else:
        words = []
    kernel, stride = _each(node, "kernel_size"), _each(node, "stride")
    if kernel:
        words.append("×".join(map(str, kernel)))
    if any(step > 1 for step in stride):
        words.append("s" + _once(stride))
    if any(step > 1 for step in _each(node, "dilation")):
        words.append("d" + _once(_each(node, "dilation")))
    groups = node.attributes.get("groups", 1)
    if groups > 1 and node.kind != "depthwise":
        words.append(f"g{groups}")
    return " ".join(words)


def _each(node: Node, name: str) -> tuple[int, ...]:
    value = node.attributes.get(name, ())
    if isinstance(value, int):
        return (value,) * max(len(node.shape) - 2, 1)
    return tuple(value or ())


def _once(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else "×".join(map(str, values))


def _whole_modules(graph: Graph) -> dict[int, tuple[str, str]]:
    """For nodes inside a module that is drawn as one block: that module, and the block's kind."""
    found: dict[int, tuple[str, str]] = {}
    inside: dict[str, list[Node]] = {}
    for node in graph.nodes:
        parts = node.module.split(".") if node.module else []
        for depth in range(1, len(parts) + 1):
            inside.setdefault(".".join(parts[:depth]), []).append(node)
    attending = {node.module for node in graph.nodes if node.kind == "attention" and node.module}
    for module in sorted(attending, key=len, reverse=True):
        found.update({node.index: (module, "attention") for node in inside[module]})
    for module, inner in inside.items():
        if sum(node.module == module for node in inner) < _FEW:
            continue
        if any(node.kind in LAYERS or node.index in found for node in inner):
            continue
        if any(node.op == "cat" for node in inner) and not any("norm" in node.module_type.lower() for node in inner):
            found.update({node.index: (module, "other") for node in inner})
    return found


def _pruned(found: list[Block], ends: set[int | None]) -> tuple[Block, ...]:
    """Without blocks that no output depends on, renumbered; when nothing is returned, all stay."""
    used, stack = set[int](), [index for index in ends if index is not None] or list(range(len(found)))
    while stack:
        index = stack.pop()
        if index not in used:
            used.add(index)
            stack.extend(found[index].inputs)
    kept = [index for index in sorted(used) if found[index].nodes]
    number = {index: place for place, index in enumerate(kept)}
    return tuple(
        replace(found[index], inputs=tuple(number[source] for source in found[index].inputs if source in number))
        for index in kept
    )
