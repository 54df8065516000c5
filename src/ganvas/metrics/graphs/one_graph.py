"""Measures of graphs that should be like one graph, whose nodes they share.

::

    edge_overlap     share of the graph's edges that a drawn one has: 1 of a copy
    triangles, clustering, largest_degree, components     as of the graph itself, which stands beside as ``.real``

A copy of the graph has every statistic right. So edge overlap is the axis, and each statistic is worth what it is at an
overlap: the floor is the graph with its edges exchanged at random, which keeps every degree (Maslov and Sneppen 2002,
https://doi.org/10.1126/science.1065103) and whose overlap needs no learning but that of degrees.
"""

import math

import numpy as np
from jaxtyping import Float64

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.data.graphs.graph_tables import AnyRows, GraphRows, GraphTable, adjacency_of, edges_of, reachable
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.graph_statistics import clustering

STATISTICS = ("triangles", "clustering", "largest_degree", "components")
EXCHANGES = 10  # For each edge.


class OneGraphJudge:
    """Holds graphs against the only one of a source."""

    def __init__(self, packed: PackedGraphs, *, seed: int) -> None:
        self.packed, self.seed, self.real = packed, seed, packed.read([0])

    @property
    def metrics(self) -> list[str]:
        """The names of the values that graphs get."""
        return ["edge_overlap", *STATISTICS]

    def judge(self, tables: AnyRows) -> list[Result]:
        """Every value of some graphs."""
        real = statistics_of(self.real)
        found = {"edge_overlap": edge_overlap(tables, self.real[0]), **statistics_of(tables)}
        results = [self._result(name, values) for name, values in found.items()]
        return results + [self._result(f"{name}.real", real[name]) for name in STATISTICS]

    def floor(self, n: int) -> list[Result]:
        """What the graph scores with its edges exchanged, ``n`` times anew."""
        exchanged = all_exchanged(self.real[0], n, seed=derive_seed(self.seed, "exchanged edges"))
        return [one for one in self.judge(exchanged) if not one.metric.endswith(".real")]

    def _result(self, metric: str, values: Float64[np.ndarray, " n"]) -> Result:
        n = len(values)
        error = float(values.std(ddof=1)) / math.sqrt(n) if n > 1 else None
        return Result(
            metric=metric,
            value=float(values.mean()),
            standard_error=error,
            error_method="standard error of the mean over graphs" if error is not None else "",
            n=n,
            seed=self.seed,
            better="neither",
            protocol=f"{metric.partition('.')[0]}:n{n}:{self.packed.fingerprint}",
        )


def edge_overlap(tables: AnyRows, real: GraphTable) -> Float64[np.ndarray, " n"]:
    """The share of the real graph's edges that each graph has."""
    joined = adjacency_of(real[None])
    return (adjacency_of(tables) & joined).sum((1, 2)) / joined.sum()


def statistics_of(tables: AnyRows) -> dict[str, Float64[np.ndarray, " n"]]:
    """Each statistic of every graph."""
    joined = adjacency_of(tables).astype(np.float64)
    parts = 1 / np.maximum(reachable(tables).sum(2), 1)
    there = np.diagonal(tables, axis1=1, axis2=2) > 0
    return {
        "triangles": ((joined @ joined) * joined).sum((1, 2)) / 6,
        "clustering": clustering(tables).sum(1) / np.maximum(there.sum(1), 1),
        "largest_degree": joined.sum(2).max(1),
        "components": (parts * there).sum(1),
    }


def exchange_edges(table: GraphTable, rng: np.random.Generator) -> GraphTable:
    """The graph after random exchanges of the ends of two edges that make no loop and no edge twice."""
    edges, mixed = edges_of(table), table.copy()
    for _ in range(EXCHANGES * len(edges)):
        one, other = rng.choice(len(edges), 2, replace=False) if len(edges) > 1 else (0, 0)
        (a, b), (c, d) = edges[one], edges[other][:: 1 if rng.random() < 0.5 else -1]
        if len({a, b, c, d}) == 4 and not mixed[a, d] and not mixed[c, b]:
            for x, y, kind in ((a, b, 0), (c, d, 0), (a, d, 1), (c, b, 1)):
                mixed[x, y] = mixed[y, x] = kind
            edges[one], edges[other] = (a, d), (c, b)
    return mixed


def all_exchanged(table: GraphTable, n: int, *, seed: int) -> GraphRows:
    """``n`` graphs with the degrees of one."""
    rng = np.random.default_rng(seed)
    return np.stack([exchange_edges(table, rng) for _ in range(n)])
