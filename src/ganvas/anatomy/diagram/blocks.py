"""A network's graph reduced to what a figure shows: layers, inputs, and the places where paths meet.

What has no box of its own goes to the block whose output it changes: activations and reshapes vanish, the halves of a
gate are one gated layer, and a module that attends is one block with all that it is made of.

A normalisation is a mark on a layer where it belongs to that layer alone: after it, if nothing reads the layer but
through it, else before the one layer that reads it. Otherwise it is a block of its own, and so it is where it follows a
sum that nothing else reads, as in a post-norm transformer: there it belongs to the sum.
"""

from dataclasses import dataclass, field, replace
from typing import Any, Literal

from ganvas.anatomy.fields.axes import TensorAxes, axes
from ganvas.anatomy.trace.graph import Graph, Node
from ganvas.anatomy.trace.operations import CELLS, RECURRENT

LAYERS = frozenset(
    ["plain", "gated", "spectral-normed", "dilated", "transposed", "depthwise", "linear", "attention", "resize", "pool"]
)
_MARKED = LAYERS - {"pool", "resize"}  # What bears the mark of its normalisation.
_ROOTS = frozenset(["rsqrt", "sqrt", "std", "var", "var_mean", "norm", "linalg_vector_norm", "vector_norm"])
_FEW = 4  # Operations from which on a module without layers is worth a box.


@dataclass(frozen=True, kw_only=True)
class Block:
    """One box, circle or input of the figure.

    Attributes:
        kind: A layer's kind as in ``ganvas.anatomy.trace.graph``; "input", "merge", "normalisation", or "other" for a
            module of own making.
        nodes: The operations of the graph that it stands for.
        layers: How many of them are layers; a module of own making is one.
        text: Kernel, stride and dilation: ``3×3 s2``; of a merge its operation; of another module its class.
        shape: Of what its readers read, with the batch.
        axes: Which of its axes are features and batch.
        inputs: Indices of the blocks it reads, each once.
        normed: Whether a normalisation stands before its input or after its output.
        module: Qualified name.
        macs: Multiply-accumulates of all its nodes.
    """

    kind: str
    nodes: tuple[int, ...]
    text: str
    shape: tuple[int, ...]
    axes: TensorAxes
    inputs: tuple[int, ...]
    normed: frozenset[Literal["before", "after"]] = field(default_factory=frozenset)
    module: str = ""
    macs: int = 0
    layers: int = 1

    @property
    def channels(self) -> int:
        return 1 if self.axes.features is None else self.shape[self.axes.features]

    @property
    def size(self) -> tuple[int, ...]:
        """Positions along each axis that is neither channels nor batch; a vector has none."""
        return self.axes.places(self.shape)


def blocks(graph: Graph) -> tuple[Block, ...]:
    """The blocks in order of execution, those that lead nowhere left out."""
    return _Reduction(graph).run()


class _Reduction:
    """The walk over the nodes: which block carries the value of each."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.found: list[Block] = []
        self.carrier: dict[int, int | None] = {}
        self.axes = axes(graph)
        self.whole = _whole_modules(graph)
        self.made: dict[tuple[str, int], int] = {}
        self.gathered: dict[tuple[Any, tuple[int, ...]], int] = {}

    def run(self) -> tuple[Block, ...]:
        for node in self.graph.nodes:
            self.carrier[node.index] = self._step(node)
        ends = {self.carrier[index] for index in self.graph.output}
        return _pruned(*_marked(self.found, ends))

    def _step(self, node: Node) -> int | None:
        sources = self._sources(node)
        whole = self.whole.get(node.index)
        if whole is not None:
            return self._part(node, whole, sources)
        if node.kind == "input":
            return self._add(node, "input", "", sources) if node.op == "input" else None
        if node.kind in LAYERS or node.op in ("pixel_shuffle", "pixel_unshuffle"):
            return self._add(node, node.kind if node.kind in LAYERS else "resize", layer_text(node), sources)
        if node.op == "embedding":  # A linear map of what would be one-hot.
            return self._add(node, "linear", layer_text(node), sources)
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
            axes=self.axes[node.index],
            inputs=sources,
            module=node.module,
            macs=node.macs,
            layers=int(kind not in ("input", "merge", "normalisation")),
        )
        self.found.append(block)
        return len(self.found) - 1

    def _part(self, node: Node, whole: tuple[str, int, str], sources: tuple[int, ...]) -> int:
        """A node of a module that is one block; the block has the shape of its last node."""
        module, call, kind = whole
        if (module, call) not in self.made:
            index = self._add(node, kind, node.module_type if kind == "other" else "", sources)
            if kind == "attention":  # Its first operation may be a reshape.
                self.found[index] = replace(self.found[index], layers=int(node.kind in LAYERS))
            self.made[module, call] = index
            return index
        index = self.made[module, call]
        block = self.found[index]
        outer = tuple(source for source in sources if source != index)
        self.found[index] = replace(
            block,
            nodes=(*block.nodes, node.index),
            shape=node.shape,
            axes=self.axes[node.index],
            inputs=tuple(dict.fromkeys((*block.inputs, *outer))),
            text=node.module_type if kind == "other" and node.module == module else block.text,
            macs=block.macs + node.macs,
            layers=block.layers + (kind == "attention" and node.kind in LAYERS),
        )
        return index

    def _meet(self, node: Node, sources: tuple[int, ...]) -> int:
        """Two gated layers of one input become one; anything else is a merge."""
        under = [self._under(index) for index in sources]
        first, *others = (self.found[index] for index in under)
        gates = all(block.kind == "gated" and block.inputs == first.inputs for block in (first, *others))
        if not (node.op == "mul" and gates and len(set(under)) == len(under)):
            return self._add(node, "merge", node.op, self._gathered(node, sources))
        normed = {index for index in sources if index not in under}
        keep, *rest = sorted(under)
        every = [self.found[index] for index in (keep, *rest)]
        self.found[keep] = replace(
            every[0],
            nodes=tuple(number for block in every for number in block.nodes),
            shape=node.shape,
            axes=self.axes[node.index],
            normed=frozenset(["after"] if normed else []),
            macs=sum(block.macs for block in every),
            layers=sum(block.layers for block in every),
        )
        for index in (*rest, *normed):
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
        if node.kind == "normalisation" or self._normalises(node, source):
            return self._add(node, "normalisation", "", (source,))
        layer = self.found[self._under(source)]
        gated = node.kind == "merge" and layer.kind == "gated"
        unfolded = node.kind == "reshape" and len(node.shape) > 3 >= len(block.shape) and self._same(block, node)
        if gated or (unfolded and layer.kind in LAYERS):
            for index in {source, self._under(source)}:
                self.found[index] = replace(self.found[index], shape=node.shape, axes=self.axes[node.index])
        return source

    def _same(self, block: Block, node: Node) -> bool:
        """Whether another shape shows a vector as a picture, or words as one of as many channels."""
        features = self.axes[node.index].features
        return not block.size or (features is not None and node.shape[features] == block.channels)

    def _under(self, index: int) -> int:
        """The block whose output a normalisation, if it is one, changes."""
        while self.found[index].kind == "normalisation":
            index = self.found[index].inputs[0]
        return index

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


def layer_text(node: Node) -> str:
    """Kernel, stride and dilation as papers write them; a pool or resize says which.

    >>> from ganvas.anatomy.trace.graph import Node
    >>> layer_text(Node(index=1, op="conv2d", kind="plain", module="", module_type="", inputs=(0,), shape=(1, 8, 4, 4),
    ...                 attributes={"kernel_size": (3, 3), "stride": (2, 2), "dilation": (1, 1)}))
    '3×3 s2'
    """
    if node.op == "linear" or node.kind == "attention":
        return ""
    if node.op in RECURRENT | CELLS:
        return node.op.partition("_")[0].upper()
    if node.op == "embedding":
        return "embed"
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


def _whole_modules(graph: Graph) -> dict[int, tuple[str, int, str]]:
    """For nodes inside a module that is drawn as one block: that module, which call of it, and the block's kind."""
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
    return {index: (module, _call(graph.nodes[index], module, inside), kind) for index, (module, kind) in found.items()}


def _call(node: Node, module: str, inside: dict[str, list[Node]]) -> int:
    """The call of a module in which a node ran: calls are counted as they begin, so the last that began before it."""
    return max((n.call[0] for n in inside[module] if n.module == module and n.call[0] <= node.call[0]), default=0)


def _marked(found: list[Block], ends: set[int | None]) -> tuple[list[Block], set[int | None]]:
    """Normalisations as marks where one layer alone is normalised; whoever read such a one reads what it read."""
    found = list(found)
    reads = _readers(found, ends)
    stands = list(range(len(found)))  # The block that carries each one's value now.
    for index, block in enumerate(found):
        if block.kind != "normalisation":
            continue
        source = stands[block.inputs[0]]
        if found[source].kind in _MARKED and reads[block.inputs[0]] == [index] and block.inputs[0] not in ends:
            found[source] = replace(found[source], normed=found[source].normed | {"after"})
            stands[index] = source
            continue
        alone = reads[block.inputs[0]] == [index] and found[source].text not in ("cat", "stack")
        if found[source].kind == "merge" and alone:
            continue
        reader = reads[index][0] if len(reads[index]) == 1 and index not in ends else None
        if reader is not None and found[reader].kind in _MARKED and found[reader].inputs == (index,):
            found[reader] = replace(found[reader], normed=found[reader].normed | {"before"})
            stands[index] = source
    moved = [
        replace(block, nodes=() if stands[index] != index else block.nodes, inputs=_moved(block.inputs, stands))
        for index, block in enumerate(found)
    ]
    return moved, {None if index is None else stands[index] for index in ends}


def _moved(inputs: tuple[int, ...], stands: list[int]) -> tuple[int, ...]:
    return tuple(dict.fromkeys(stands[index] for index in inputs))


def _readers(found: list[Block], ends: set[int | None]) -> list[list[int]]:
    """Who reads each block, of those that an output depends on."""
    live = _used(found, ends)
    reads: list[list[int]] = [[] for _ in found]
    for index, block in enumerate(found):
        for source in block.inputs if index in live and block.nodes else ():
            reads[source].append(index)
    return reads


def _pruned(found: list[Block], ends: set[int | None]) -> tuple[Block, ...]:
    """Without blocks that no output depends on, renumbered; when nothing is returned, all stay."""
    kept = [index for index in sorted(_used(found, ends)) if found[index].nodes]
    number = {index: place for place, index in enumerate(kept)}
    return tuple(
        replace(found[index], inputs=tuple(number[source] for source in found[index].inputs if source in number))
        for index in kept
    )


def _used(found: list[Block], ends: set[int | None]) -> set[int]:
    """The blocks that an output depends on; all when nothing is returned."""
    used, stack = set[int](), [index for index in ends if index is not None] or list(range(len(found)))
    while stack:
        index = stack.pop()
        if index not in used:
            used.add(index)
            stack.extend(found[index].inputs)
    return used
