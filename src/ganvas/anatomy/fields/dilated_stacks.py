"""The stacks of dilated convolutions in a network, and whether each looks at every pixel.

A stack is a chain of convolutions of stride 1, each reading the one before through operations that keep the place
(normalisation, activation, sums). Skip connections add what they add: so beside the rates' own verdict stands that of
the graph, from the last layer of the stack to the map that its first layer reads.

A tap that reaches past the map from wherever the kernel stands reads zeros alone: it is dead, and so are its
parameters. A layer of 3 x 3 whose dilation is the side of its map is a convolution of 1 x 1.
"""

import math
from dataclasses import dataclass

import numpy as np

from ganvas.anatomy.fields.exact_set import support
from ganvas.anatomy.fields.gridding import Gridding, gridding
from ganvas.anatomy.trace.graph import Graph, Node


@dataclass(frozen=True, kw_only=True)
class Taps:
    """Of the kernel of one layer, on the map that it reads."""

    layer: str
    all: int
    live: int  # Those that reach a pixel of the map from some place of the kernel.
    dead_parameters: int  # Weights of the others.


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One chain, first layer first."""

    layers: tuple[str, ...]
    gridding: Gridding  # Of the rates alone, along the axis with the larger ones.
    reads: str  # The layer whose map the chain reads.
    # Pixels of that map that the middle unit does not read, between those that it does, skips included; None where the
    # map is smaller than the field, whose borders would hide holes.
    holes: int | None
    taps: tuple[Taps, ...]  # Of each layer.

    @property
    def covers(self) -> bool:
        """Whether no pixel is left out, with what the graph adds to the chain; by the rates alone on a small map."""
        return self.gridding.covers if self.holes is None else self.holes == 0


def dilated_stacks(graph: Graph) -> list[Stack]:
    """Every longest chain with a dilated convolution in it, in the order of the network."""
    chains = _chains(graph)
    longest = [chain for chain in chains.values() if any(max(_rates(graph.nodes[index])) > 1 for index in chain)]
    followed = {index for chain in longest for index in chain[:-1]}
    return [_stack(graph, chain) for chain in longest if chain[-1] not in followed]


def _chains(graph: Graph) -> dict[int, tuple[int, ...]]:
    """For each convolution of stride 1, the longest chain that ends with it."""
    before: dict[int, tuple[int, ...]] = {}  # For each node, the longest chain that its place depends on.
    found: dict[int, tuple[int, ...]] = {}
    for node in graph.nodes:
        sources = [s for s in node.inputs if graph.nodes[s].shape[2:] == node.shape[2:] and len(node.shape) > 2]
        chain = max((before.get(source, ()) for source in sources), key=len, default=())
        if _in_stack(node):
            chain = (*chain, node.index)
            found[node.index] = chain
        elif node.kind in ("pool", "resize", "transposed") or (node.op.startswith("conv") and _strided(node)):
            chain = ()
        before[node.index] = chain
    return found


def _in_stack(node: Node) -> bool:
    return node.op in ("conv1d", "conv2d", "conv3d") and not _strided(node) and max(node.attributes["kernel_size"]) > 1


def _strided(node: Node) -> bool:
    return max(node.attributes.get("stride", (1,))) > 1


def _rates(node: Node) -> tuple[int, ...]:
    """Dilation along the axes whose kernel is wider than 1."""
    pairs = zip(node.attributes["dilation"], node.attributes["kernel_size"], strict=True)
    return tuple(rate if kernel > 1 else 1 for rate, kernel in pairs)


def _stack(graph: Graph, chain: tuple[int, ...]) -> Stack:
    nodes = [graph.nodes[index] for index in chain]
    axis = int(np.argmax(np.sum([_rates(node) for node in nodes], axis=0)))
    along = [node for node in nodes if node.attributes["kernel_size"][axis] > 1]
    verdict = gridding(
        [node.attributes["dilation"][axis] for node in along],
        kernel=[node.attributes["kernel_size"][axis] for node in along],
    )
    source = graph.nodes[nodes[0].inputs[0]]
    last = nodes[-1]
    holes = None
    if verdict.field <= source.shape[2 + axis]:
        middle = tuple((size - 1) // 2 for size in last.shape[2:])
        read = support(graph, last.index, (0, slice(None), *middle)).sets[source.index]
        holes = _between(np.broadcast_to(read, source.shape)[0].any(axis=0))
    return Stack(
        layers=tuple(node.label for node in nodes),
        gridding=verdict,
        reads=source.label,
        holes=holes,
        taps=tuple(_taps(graph, node) for node in nodes),
    )


def _taps(graph: Graph, node: Node) -> Taps:
    source, kernel = graph.nodes[node.inputs[0]], node.attributes["kernel_size"]
    live = math.prod(
        sum(_reaches(tap * rate - before, read, made) for tap in range(side))
        for side, rate, before, read, made in zip(
            kernel, node.attributes["dilation"], _before(node), source.shape[2:], node.shape[2:], strict=True
        )
    )
    every = math.prod(kernel)
    per_tap = node.shape[1] * source.shape[1] // node.attributes.get("groups", 1)
    return Taps(layer=node.label, all=every, live=live, dead_parameters=(every - live) * per_tap)


def _reaches(offset: int, read: int, made: int) -> bool:
    """Whether any of the outputs 0 to ``made`` of an axis lies so far from a pixel of 0 to ``read``."""
    return offset < read and offset + made > 0


def _before(node: Node) -> list[int]:
    """Zeros before the first pixel of each axis."""
    padding = node.attributes.get("padding", (0,) * len(node.attributes["kernel_size"]))
    return [one if isinstance(one, int) else one[0] for one in padding]


def _between(pixels: np.ndarray) -> int:
    """Pixels that are not read in the box of those that are."""
    places = np.nonzero(pixels)
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in places)
    return int((~pixels[box]).sum())
