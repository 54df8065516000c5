"""Tables of graphs as arrays: how they are made of edges, and what is read off them.

What a table is stands in :mod:`ganvas.core.sample_sizes.graph_size`.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from jaxtyping import Bool, Int, Shaped, UInt8

GraphRows = UInt8[np.ndarray, "n v v"]
GraphTable = UInt8[np.ndarray, "v v"]
AnyRows = Shaped[np.ndarray, "n v v"]  # Whole numbers of any width.
Edge = tuple[int, int]


def table_of(nodes: int, edges: Iterable[Edge], *, most: int | None = None) -> GraphTable:
    """A graph of one kind of node and of edge, in a table of ``most`` rows.

    >>> table_of(2, [(0, 1)], most=3).tolist()
    [[1, 1, 0], [1, 1, 0], [0, 0, 0]]
    """
    table = np.zeros((most or nodes,) * 2, np.uint8)
    table[range(nodes), range(nodes)] = 1
    for one, other in edges:
        table[one, other] = table[other, one] = 1
    return table


def padded(tables: AnyRows, nodes: int) -> UInt8[np.ndarray, "n w w"]:
    """The same graphs in tables of ``nodes`` rows."""
    more = nodes - tables.shape[1]
    return np.pad(tables, ((0, 0), (0, more), (0, more))).astype(np.uint8)


def node_kinds_of(tables: AnyRows) -> Int[np.ndarray, "n v"]:
    """The kind of each node, 0 where there is none."""
    return np.diagonal(tables, axis1=1, axis2=2).astype(np.int64)


def sizes_of(tables: AnyRows) -> Int[np.ndarray, " n"]:
    """How many nodes each graph has."""
    return (node_kinds_of(tables) > 0).sum(1)


def adjacency_of(tables: AnyRows) -> Bool[np.ndarray, "n v v"]:
    """Which nodes are joined by an edge of any kind."""
    return (tables > 0) & ~np.eye(tables.shape[1], dtype=bool)


def edges_of(table: Shaped[np.ndarray, "v v"]) -> list[Edge]:
    """The edges of one graph, each once, the smaller node first."""
    first, second = np.nonzero(np.triu(table, 1))
    return list(zip(first.tolist(), second.tolist(), strict=True))


def reachable(tables: AnyRows) -> Bool[np.ndarray, "n v v"]:
    """Which nodes are joined by a path, every node with itself."""
    joined = adjacency_of(tables) | (np.eye(tables.shape[1], dtype=bool) & (tables > 0))
    steps = 1
    while steps < tables.shape[1]:
        joined = np.matmul(joined.astype(np.float32), joined.astype(np.float32)) > 0
        steps *= 2
    return joined


def connected(tables: AnyRows) -> Bool[np.ndarray, " n"]:
    """Which graphs have nodes, all of them joined by paths."""
    there = node_kinds_of(tables) > 0
    return (reachable(tables).sum((1, 2)) == there.sum(1) ** 2) & there.any(1)


def component_labels(table: Shaped[np.ndarray, "v v"]) -> Sequence[int]:
    """The first node that each node of one graph is joined with; -1 where there is no node."""
    joined = reachable(table[None])[0]
    return [int(row.argmax()) if row.any() else -1 for row in joined]


def is_tree(tables: AnyRows) -> Bool[np.ndarray, " n"]:
    """Which graphs are connected without a cycle."""
    return connected(tables) & (adjacency_of(tables).sum((1, 2)) == 2 * (sizes_of(tables) - 1))
