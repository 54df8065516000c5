"""The stacks of dilated convolutions in a network, and whether each looks at every pixel.

A stack is a chain of convolutions of stride 1, each reading the one before through operations that keep the place
(normalisation, activation, sums). Skip connections add what they add: so beside the rates' own verdict stands that of
the graph, from the last layer of the stack to the map that its first layer reads.
"""

from dataclasses import dataclass

import numpy as np

from ganvas.anatomy.fields.exact_set import support
from ganvas.anatomy.fields.gridding import Gridding, gridding
from ganvas.anatomy.trace.graph import Graph, Node


@dataclass(frozen=True, kw_only=True)
class Stack:
    """One chain, first layer first."""

    layers: tuple[str, ...]
    gridding: Gridding  # Of the rates alone, along the axis with the larger ones.
    reads: str  # The layer whose map the chain reads.
    # Pixels of that map that the middle unit does not read, between those that it does, skips included; None where the
    # map is smaller than the field, whose borders would hide holes.
    holes: int | None

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
    return Stack(layers=tuple(node.label for node in nodes), gridding=verdict, reads=source.label, holes=holes)


def _between(pixels: np.ndarray) -> int:
    """Pixels that are not read in the box of those that are."""
    places = np.nonzero(pixels)
    box = tuple(slice(int(at.min()), int(at.max()) + 1) for at in places)
    return int((~pixels[box]).sum())
