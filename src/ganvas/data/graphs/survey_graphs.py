"""Surveys of graphs: how many, of how many nodes, of which kinds. Every graph is read."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.data.graphs.graph_source import BadGraph, GraphSource
from ganvas.data.graphs.graph_tables import GraphTable


@dataclass(frozen=True, kw_only=True)
class GraphSurvey:
    """Counts of what a source of graphs holds."""

    kind: str  # "law", "edges", "molecules", "packed"
    count: int
    sizes: Counter[int]  # Nodes of a graph: how many graphs have so many.
    edges: Counter[int]  # Edges of a graph, likewise.
    nodes: Counter[str]  # Kind of node: how often.
    bonds: Counter[str]  # Kind of edge: how often, up to the last that occurs; the number of a bond is its order.
    left_out: Counter[str]  # Why a graph is left out: how many are.
    law: str | None

    @property
    def largest(self) -> int:
        """Nodes of the largest graph."""
        return max(self.sizes)


def survey_of(source: GraphSource, *, broken: str) -> GraphSurvey:
    """Reads a source of graphs to its end.

    Raises:
        UserError: a graph cannot be had and none is to be left out, or there are fewer than two nodes to learn from.
    """
    sizes, edges, left = Counter[int](), Counter[int](), Counter[str]()
    nodes, bonds = np.zeros(256, np.int64), np.zeros(256, np.int64)
    for table in kept_graphs(source, broken=broken, left_out=left):
        joined = np.triu(table, 1)
        sizes[len(table)] += 1
        edges[int(np.count_nonzero(joined))] += 1
        nodes += np.bincount(np.diagonal(table), minlength=256)
        bonds += np.bincount(joined[joined > 0], minlength=256)
    if not sizes:
        some = f", and {sum(left.values()):,} are left out" if left else ""
        raise UserError(f"{source.location} holds no graph{some}. Name a source of one graph or more.")
    if max(sizes) < 2:
        raise UserError(f"{source.location} holds graphs of one node alone. Name graphs with edges.")
    return GraphSurvey(
        kind=source.kind,
        count=sum(sizes.values()),
        sizes=sizes,
        edges=edges,
        nodes=_named(nodes, source.node_names),
        bonds=Counter(dict(zip(source.edge_names[: _last(bonds)], bonds[1:].tolist(), strict=False))),
        left_out=left,
        law=source.law,
    )


def kept_graphs(
    source: GraphSource, *, broken: str, left_out: Counter[str], nodes: int | None = None
) -> Iterator[GraphTable]:
    """The graphs that are learnt from.

    Args:
        broken: "refuse" or "skip" what cannot be had.
        left_out: Gets a count of every reason for which one is left out.
        nodes: Larger ones are left out; None for none.

    Raises:
        UserError: a graph cannot be had, and is to be refused.
    """
    for graph in source.graphs():
        if isinstance(graph, BadGraph):
            if broken == "refuse" and not graph.lenient:
                raise graph.refusal()
            left_out["charged" if graph.lenient else "broken"] += 1
        elif nodes is not None and len(graph) > nodes:
            left_out["larger"] += 1
        else:
            yield graph


def size_of(found: GraphSurvey, *, nodes: int | None = None) -> GraphSize:
    """The size that holds the graphs of a survey, or those of at most ``nodes``."""
    largest = found.largest if nodes is None else min(nodes, found.largest)
    return GraphSize(nodes=largest, node_kinds=len(found.nodes), edge_kinds=max(1, len(found.bonds)))


def _last(counts: np.ndarray) -> int:
    """The largest number that occurs."""
    return max(np.flatnonzero(counts).tolist(), default=0)


def _named(counts: np.ndarray, names: tuple[str, ...]) -> Counter[str]:
    return Counter({name: int(counts[number]) for number, name in enumerate(names, 1) if counts[number]})
