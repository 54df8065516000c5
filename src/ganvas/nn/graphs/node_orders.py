"""Orders of the nodes of graphs: breadth first from a random node, and tables whose rows follow an order.

All graphs of a batch at once, without a look at a number: a step takes of each graph the node whose earliest
neighbour that was taken is the earliest.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.shapes import GraphTables

Order = Int[Tensor, "n v"]  # Which node comes at each place.


def breadth_first(tables: GraphTables, priority: Float[Tensor, "n v"]) -> Order:
    """A breadth-first order of each graph; where nodes are even, the one of less priority number comes first.

    Another part of a graph begins when one is through. Places without a node come last.

    Args:
        priority: In [0, 1), for each node.
    """
    n, v, _ = tables.shape
    places = torch.arange(v, device=tables.device)
    joined = (tables > 0) & (places[:, None] != places)
    absent = tables.diagonal(dim1=1, dim2=2) == 0
    earliest = torch.full((n, v), float(v), device=tables.device, dtype=priority.dtype)  # Taken neighbour of each node.
    taken, order = torch.zeros_like(absent), list[Tensor]()
    for place in range(v):
        chosen = (earliest + priority + (v + 1) * absent + 3 * (v + 1) * taken).argmin(1)
        order.append(chosen)
        taken = taken | (places == chosen[:, None])
        beside = joined.gather(1, chosen[:, None, None].expand(n, 1, v)).squeeze(1)
        earliest = torch.where(beside, earliest.clamp_max(place), earliest)
    return torch.stack(order, 1)


def in_order(tables: GraphTables, order: Order) -> GraphTables:
    """The same graphs with their rows, and columns, in an order."""
    v = tables.shape[1]
    rows = tables.gather(1, order[:, :, None].expand(-1, -1, v))
    return rows.gather(2, order[:, None, :].expand(-1, v, -1))
