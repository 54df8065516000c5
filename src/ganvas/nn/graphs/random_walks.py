"""Random walks on graphs, and graphs put together from how often walks went from node to node.

All walks and graphs at once, without a look at a number.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.shapes import GraphTables, Tokens
from ganvas.nn.soft_choice import gumbel

Counts = Float[Tensor, "n v v"]  # Symmetric.


def random_walks(tables: GraphTables, uniform: Float[Tensor, "n l"]) -> Tokens:
    """The nodes of one walk on each graph: from any node, every neighbour equally likely; one without any stays.

    Args:
        uniform: In [0, 1), of which every step is drawn.
    """
    v = tables.shape[1]
    itself = torch.eye(v, dtype=torch.bool, device=tables.device)
    there = tables.diagonal(dim1=1, dim2=2) > 0
    joined = (tables > 0) & ~itself
    joined = (joined | (itself & ~joined.any(2, keepdim=True))).to(uniform.dtype)
    walk = [_chosen(there.to(uniform.dtype), uniform[:, 0])]
    for place in range(1, uniform.shape[1]):
        rows = joined.gather(1, walk[-1][:, None, None].expand(-1, 1, v)).squeeze(1)
        walk.append(_chosen(rows, uniform[:, place]))
    return torch.stack(walk, 1)


def steps_counted(walks: Tokens, nodes: int) -> Float[Tensor, "v v"]:
    """How often any of the walks went between two nodes, in either direction; steps from a node to itself are none."""
    pairs = (walks[:, :-1] * nodes + walks[:, 1:]).flatten()
    counts = pairs.new_zeros(nodes * nodes).scatter_add_(0, pairs, torch.ones_like(pairs)).view(nodes, nodes)
    counts = (counts + counts.T).float()
    return counts * (1 - torch.eye(nodes, device=walks.device))


def graphs_of_counts(counts: Counts, edges: int, uniform: Float[Tensor, "n v v"]) -> GraphTables:
    """Graphs of ``edges`` edges: first one for every node, then any others, as likely as their counts, each once.

    Drawing without replacement in proportion to weights takes the largest of ``ln w + g``, g Gumbel noise (Vieira
    2014), so that one order serves both.

    Args:
        uniform: In [0, 1); above the diagonal it is used.
    """
    n, v, _ = counts.shape
    upper = torch.ones(v, v, dtype=torch.bool, device=counts.device).triu(1)
    keys = torch.where(upper, counts.log() + gumbel(uniform.to(counts)), float("-inf"))
    keys = torch.maximum(keys, keys.mT)
    best = torch.nn.functional.one_hot(keys.argmax(2), v).bool() & keys.isfinite()
    first = (best | best.mT).triu(1)
    ranked = torch.where(first, float("inf"), keys.triu(1).masked_fill(~upper, float("-inf"))).flatten(1)
    places = ranked.argsort(1, descending=True).argsort(1)
    wanted = torch.maximum(first.flatten(1).sum(1, keepdim=True), torch.full((n, 1), edges, device=counts.device))
    chosen = ((places < wanted) & (ranked > float("-inf"))).view(n, v, v).long()
    return chosen + chosen.mT + torch.eye(v, dtype=torch.long, device=counts.device)


def _chosen(weights: Float[Tensor, "n v"], uniform: Float[Tensor, " n"]) -> Int[Tensor, " n"]:
    """A place of each row, as likely as its weight."""
    sums = weights.cumsum(1)
    return (sums <= uniform[:, None] * sums[:, -1:]).sum(1).clamp_max(weights.shape[1] - 1)
