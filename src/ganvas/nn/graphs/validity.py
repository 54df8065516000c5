"""Validity of graphs as tensors, without a look at a number: which are connected, trees, within their valences."""

import torch
from jaxtyping import Bool, Int
from torch import Tensor

from ganvas.core.shapes import GraphTables

Marks = Bool[Tensor, " n"]


def are_connected(tables: GraphTables) -> Marks:
    """Graphs of one part; one without nodes is none."""
    there = tables.diagonal(dim1=1, dim2=2) > 0
    reached = ((tables > 0) & there[:, :, None] & there[:, None, :]).float()  # The diagonal joins nodes to themselves.
    for _ in range(max(1, (tables.shape[1] - 1).bit_length())):
        reached = (reached @ reached).clamp_max(1)
    return (reached.sum((1, 2)) == there.sum(1).square()) & there.any(1)


def are_trees(tables: GraphTables) -> Marks:
    """Connected graphs with one node more than edges."""
    nodes = (tables.diagonal(dim1=1, dim2=2) > 0).sum(1)
    edges = torch.count_nonzero(tables.triu(1), (1, 2))
    return are_connected(tables) & (edges == nodes - 1)


def keep_valences(tables: GraphTables, valences: Int[Tensor, " kinds"]) -> Marks:
    """Graphs whose nodes have at most as many bonds as their kind, the number of an edge's kind being its bonds.

    Args:
        valences: Of each kind of node; 0 of the first, which is no node.
    """
    kinds = tables.diagonal(dim1=1, dim2=2)
    return (tables.sum(2) - kinds <= valences[kinds]).all(1)
