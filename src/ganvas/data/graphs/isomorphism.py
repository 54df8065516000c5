"""Keys of graphs up to isomorphism: numbers that do not depend on the order of nodes.

Colours are refined from the kinds of nodes, edges and neighbours (Weisfeiler and Leman 1968), once for every node with
that node marked, and what comes out is added up. All 1,252 graphs of one to seven nodes get keys of their own (a test
counts them), as do trees. Strongly regular graphs of the same parameters, such as the rook's graph on a board of 4 x 4
and Shrikhande's, of 16 nodes, share one. Two colours share a number of 64 bits hardly ever.
"""

from collections.abc import Callable

import numpy as np
from jaxtyping import UInt64

from ganvas.core.hashes.splitmix import mix
from ganvas.data.graphs.graph_tables import AnyRows, adjacency_of, node_kinds_of

ROUNDS = 10  # Of refinement: a cycle or path of 20 nodes needs as many.
BLOCK = 1 << 22  # Numbers of a block.
ONE, TWO, THREE = (np.uint64(number) for number in (0x9E3779B97F4A7C15, 0xC2B2AE3D27D4EB4F, 0x165667B19E3779F9))

Keys = UInt64[np.ndarray, " n"]


def isomorphism_keys(tables: AnyRows) -> Keys:
    """One number for each graph, the same for isomorphic ones; rows without a node change nothing."""
    return _in_blocks(_marked_keys, tables, tables.shape[1] ** 3)


def coarse_keys(tables: AnyRows) -> Keys:
    """The same without a mark, as many times quicker as a graph has nodes: regular graphs of one degree share one."""
    return _in_blocks(_unmarked_keys, tables, tables.shape[1] ** 2)


def _in_blocks(keys_of: Callable[[AnyRows], Keys], tables: AnyRows, numbers: int) -> Keys:
    rows = max(1, BLOCK // numbers)
    blocks = [keys_of(tables[start : start + rows]) for start in range(0, len(tables), rows)]
    return np.concatenate(blocks) if blocks else np.zeros(0, np.uint64)


def _marked_keys(tables: AnyRows) -> Keys:
    n, v, _ = tables.shape
    marked = np.broadcast_to(np.eye(v, dtype=np.uint64), (n, v, v)).reshape(-1, v)
    ends = _refined(np.repeat(tables, v, axis=0), marked).reshape(n, v)
    return mix(np.where(node_kinds_of(tables) > 0, mix(ends), np.uint64(0)).sum(1, dtype=np.uint64))


def _unmarked_keys(tables: AnyRows) -> Keys:
    return _refined(tables, np.zeros(tables.shape[:2], np.uint64))


def _refined(tables: AnyRows, marks: UInt64[np.ndarray, "n v"]) -> Keys:
    """The sum of the colours of nodes that are marked as given, after the rounds."""
    kinds, joined, edges = node_kinds_of(tables), adjacency_of(tables), tables.astype(np.uint64) * THREE
    colours = mix(kinds.astype(np.uint64) * ONE + marks * TWO + np.uint64(1))
    for _ in range(ROUNDS):
        told = np.where(joined, mix(colours[:, None, :] + edges), np.uint64(0)).sum(2, dtype=np.uint64)
        colours = mix(colours * ONE + told)
    return np.where(kinds > 0, colours, np.uint64(0)).sum(1, dtype=np.uint64)
