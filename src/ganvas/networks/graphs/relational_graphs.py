"""Networks of whole graphs: one that sees them whatever the order of their nodes, and one that makes all at once.

Graphs are weights of kinds (n, v, v, k): of those of an edge, on the diagonal of those of a node, the first of "none".
Schlichtkrull et al. 2018, relational graph convolutions (https://arxiv.org/abs/1703.06103); Li et al. 2016, gated sums
(https://arxiv.org/abs/1511.05493); De Cao and Kipf 2018, MolGAN (https://arxiv.org/abs/1805.11973).
"""

from collections.abc import Sequence
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.shapes import Latents, PerSample
from ganvas.nn.layers.plain_layers import Linear

KindWeights = Float[Tensor, "n v v k"]
NodeFeatures = Float[Tensor, "n v f"]


def kinds_of(size: GraphSize) -> int:
    """Weights of each place, "none" among them."""
    return max(size.node_kinds, size.edge_kinds) + 1


class RelationalConvolution(nn.Module):
    """``h_i' = tanh(W_0 h_i + sum_b sum_j A_ijb W_b h_j)``: each kind of edge has a matrix of its own."""

    def __init__(self, features: int, out: int, edge_kinds: int) -> None:
        super().__init__()
        std = features**-0.5
        self.own = Linear(features, out, std=std)
        self.along = Linear(features, edge_kinds * out, std=std)
        self.edge_kinds = edge_kinds

    def forward(self, nodes: NodeFeatures, edges: Float[Tensor, "n v v b"]) -> Float[Tensor, "n v f2"]:
        n, v, _ = nodes.shape
        own, told = self.own(nodes.flatten(0, 1)), self.along(nodes.flatten(0, 1))
        heard = torch.einsum("nijb,njbf->nif", edges, told.view(n, v, self.edge_kinds, -1))
        return (own.view(n, v, -1) + heard).tanh()


class GatedSum(nn.Module):
    """``tanh(sum_i sigmoid(I(h_i)) tanh(J(h_i)))`` over the nodes of a graph."""

    def __init__(self, features: int, out: int) -> None:
        super().__init__()
        self.gate = Linear(features, out, std=features**-0.5)
        self.value = Linear(features, out, std=features**-0.5)

    def forward(self, nodes: NodeFeatures) -> Float[Tensor, "n f2"]:
        rows = nodes.flatten(0, 1)
        weighed = self.gate(rows).sigmoid() * self.value(rows).tanh()
        return weighed.view(len(nodes), nodes.shape[1], -1).sum(1).tanh()


class GraphCritic(nn.Module):
    """One number of each graph, whatever the order of its nodes. No edge is no kind of edge here.

    Args:
        size: Of the graphs.
        widths: Of the convolutions.
        gathered: Width of the gated sum.
        dense: Widths of the layers behind it.
        bias: Of the number; a game of differences has no use for one.
    """

    def __init__(
        self, size: GraphSize, *, widths: Sequence[int], gathered: int, dense: Sequence[int], bias: bool = False
    ) -> None:
        super().__init__()
        self.size, given = size, size.node_kinds + 1
        sizes = [given, *widths]
        self.convolutions = nn.ModuleList(
            RelationalConvolution(before + (given if number else 0), after, size.edge_kinds)
            for number, (before, after) in enumerate(pairwise(sizes))
        )
        self.gather = GatedSum(sizes[-1] + given, gathered)
        self.dense = nn.ModuleList(Linear(a, b, std=a**-0.5) for a, b in pairwise([gathered, *dense]))
        last = [gathered, *dense][-1]
        self.score = Linear(last, 1, std=last**-0.5, bias=bias)

    def forward(self, weights: KindWeights) -> PerSample:
        kinds = weights.diagonal(dim1=1, dim2=2).mT[:, :, : self.size.node_kinds + 1]
        apart = ~torch.eye(weights.shape[1], dtype=torch.bool, device=weights.device)[:, :, None]
        edges = weights[..., 1 : self.size.edge_kinds + 1] * apart
        nodes = kinds
        for number, convolution in enumerate(self.convolutions):
            nodes = convolution(torch.cat([nodes, kinds], 2) if number else nodes, edges)
        found = self.gather(torch.cat([nodes, kinds], 2))
        for layer in self.dense:
            found = layer(found).tanh()
        return self.score(found).squeeze(1)


class GraphGenerator(nn.Module):
    """The logits of all kinds of a graph at once, from a latent: symmetric, low where there is no such kind."""

    def __init__(self, size: GraphSize, *, latent_size: int, widths: Sequence[int]) -> None:
        super().__init__()
        self.size = size
        sizes = [latent_size, *widths]
        self.layers = nn.ModuleList(Linear(a, b, std=a**-0.5) for a, b in pairwise(sizes))
        self.nodes = Linear(sizes[-1], size.nodes * (size.node_kinds + 1), std=sizes[-1] ** -0.5)
        self.edges = Linear(sizes[-1], size.nodes**2 * (size.edge_kinds + 1), std=sizes[-1] ** -0.5)

    def forward(self, z: Latents) -> KindWeights:
        size, v = self.size, self.size.nodes
        hidden = z
        for layer in self.layers:
            hidden = layer(hidden).tanh()
        edges = self.edges(hidden).view(-1, v, v, size.edge_kinds + 1)
        edges = (edges + edges.transpose(1, 2)) / 2
        nodes = self.nodes(hidden).view(-1, v, 1, size.node_kinds + 1)
        diagonal = torch.eye(v, dtype=torch.bool, device=z.device)[:, :, None]
        return torch.where(diagonal, self._widened(nodes), self._widened(edges))

    def _widened(self, logits: Float[Tensor, "n v w k"]) -> Float[Tensor, "n v w k2"]:
        more = kinds_of(self.size) - logits.shape[-1]
        return nn.functional.pad(logits, (0, more), value=-UNREACHED)


UNREACHED = 1e4  # Below every logit, and far from where sums of two overflow.
