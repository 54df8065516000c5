"""Statistics of graphs that distributions of graphs are compared by: degrees, clustering, and orbits of four nodes.

Orbits are the fifteen places that a node can have in a connected graph of two to four nodes (Przulj 2007,
https://doi.org/10.1093/bioinformatics/btl301), in her numbering; every induced subgraph is looked up, with nothing
sampled.
"""

from functools import cache
from itertools import combinations

import numpy as np
from jaxtyping import Float64, Int64

from ganvas.data.graphs.graph_tables import AnyRows, adjacency_of, node_kinds_of

ORBITS = 15
BINS = 100  # Of clustering coefficients in [0, 1].
BLOCK = 1 << 21  # Subgraphs of a block.
# Of connected graphs of 2, 3 and 4 nodes by the sorted degrees: the orbit of a node of each degree.
ORBIT_OF_DEGREE: dict[tuple[int, ...], dict[int, int]] = {
    (1, 1): {1: 0},
    (1, 1, 2): {1: 1, 2: 2},
    (2, 2, 2): {2: 3},
    (1, 1, 2, 2): {1: 4, 2: 5},
    (1, 1, 1, 3): {1: 6, 3: 7},
    (2, 2, 2, 2): {2: 8},
    (1, 2, 2, 3): {1: 9, 2: 10, 3: 11},
    (2, 2, 3, 3): {2: 12, 3: 13},
    (3, 3, 3, 3): {3: 14},
}

Histograms = Float64[np.ndarray, "n bins"]


def degree_histograms(tables: AnyRows) -> Histograms:
    """The share of each graph's nodes that have 0, 1, 2, ... edges."""
    degrees, there = adjacency_of(tables).sum(2), node_kinds_of(tables) > 0
    return _shares([row[kept] for row, kept in zip(degrees, there, strict=True)], np.arange(tables.shape[1] + 1) - 0.5)


def clustering_histograms(tables: AnyRows) -> Histograms:
    """The share of each graph's nodes by their clustering coefficient, in 100 bins."""
    found, there = clustering(tables), node_kinds_of(tables) > 0
    return _shares([row[kept] for row, kept in zip(found, there, strict=True)], np.linspace(0, 1, BINS + 1))


def clustering(tables: AnyRows) -> Float64[np.ndarray, "n v"]:
    """The share of pairs of a node's neighbours that are joined (Watts and Strogatz 1998); 0 where there is none."""
    joined = adjacency_of(tables).astype(np.float64)
    degree = joined.sum(2)
    pairs = degree * (degree - 1)
    triangles = ((joined @ joined) * joined).sum(2)
    return np.divide(triangles, pairs, out=np.zeros_like(pairs), where=pairs > 0)


def orbit_counts(tables: AnyRows) -> Int64[np.ndarray, "n v orbits"]:
    """How often each node has each of the fifteen places."""
    n, v, _ = tables.shape
    counts = np.zeros((n, v, ORBITS), np.int64)
    joined = adjacency_of(tables)
    for size in range(2, min(v, 4) + 1):
        nodes = np.array(list(combinations(range(v), size)))
        rows = max(1, BLOCK // len(nodes))
        for start in range(0, n, rows):
            _count(joined[start : start + rows], nodes, counts[start : start + rows])
    return counts


def mean_orbits(tables: AnyRows) -> Float64[np.ndarray, "n orbits"]:
    """The mean over each graph's nodes."""
    return orbit_counts(tables).sum(1) / np.maximum((node_kinds_of(tables) > 0).sum(1), 1)[:, None]


def _count(joined: np.ndarray, nodes: Int64[np.ndarray, "subsets size"], counts: np.ndarray) -> None:
    """Adds the places of the nodes of all induced subgraphs of one size."""
    size, v = nodes.shape[1], joined.shape[1]
    pairs = list(combinations(range(size), 2))
    code = sum(joined[:, nodes[:, a], nodes[:, b]].astype(np.int64) << bit for bit, (a, b) in enumerate(pairs))
    places = _orbits_of_codes(size)[code]
    graph = np.arange(len(joined))[:, None]
    for place in range(size):
        orbit = places[:, :, place]
        cell = (graph * v + nodes[:, place]) * ORBITS + orbit
        found = np.bincount(cell[orbit >= 0], minlength=counts.size)
        counts += found.reshape(counts.shape)


@cache
def _orbits_of_codes(size: int) -> Int64[np.ndarray, "codes size"]:
    """The orbit of each node of the graph of some nodes whose edges are the bits of a code; -1 where unconnected."""
    pairs = list(combinations(range(size), 2))
    table = np.full((1 << len(pairs), size), -1, np.int64)
    for code in range(len(table)):
        edges = [pair for bit, pair in enumerate(pairs) if code >> bit & 1]
        degrees = [sum(node in edge for edge in edges) for node in range(size)]
        orbits = ORBIT_OF_DEGREE.get(tuple(sorted(degrees)))
        if orbits is not None:  # Unconnected graphs are not among them: they have a degree of 0, or 1, 1, 1 and 1.
            table[code] = [orbits[degree] for degree in degrees]
    return table


def _shares(values: list[np.ndarray], edges: np.ndarray) -> Histograms:
    counts = np.stack([np.histogram(row, bins=edges)[0] for row in values]).astype(np.float64)
    return counts / np.maximum(counts.sum(1, keepdims=True), 1)
