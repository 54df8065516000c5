"""Sizes of graphs as models set them, and what a table of a graph is.

A graph of at most ``v`` nodes is a symmetric table of ``v x v`` small numbers: beside the diagonal the kind of edge
between two nodes, 0 for none; on the diagonal the kind of a node, 0 where there is none. Nodes have no order: every
permutation of rows and columns alike is the same graph.
"""

from dataclasses import dataclass

from ganvas.core.checks import at_least


@dataclass(frozen=True, kw_only=True)
class GraphSize:
    """The size of a graph.

    Attributes:
        nodes: At most.
        node_kinds: Kinds of node that there are, numbered from 1.
        edge_kinds: Kinds of edge that there are, numbered from 1.
    """

    nodes: int
    node_kinds: int
    edge_kinds: int

    def __post_init__(self) -> None:
        at_least(self, 2, "nodes")
        at_least(self, 1, "node_kinds", "edge_kinds")
