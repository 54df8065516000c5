"""The recurrent network that says graphs node by node: one memory of the graph, another of a node's edges.

You, Ying, Ren, Hamilton, Leskovec 2018, GraphRNN, section 2 (https://arxiv.org/abs/1802.08773).
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.shapes import GraphTables, PerSample
from ganvas.nn.layers.plain_layers import Linear
from ganvas.nn.layers.recurrent import Embedding, Gru

Choices = Int[Tensor, " n"]
Choose = Callable[[Float[Tensor, "n k"]], Choices]  # Of logits, what is chosen.


@dataclass(frozen=True, kw_only=True)
class SaidRows:
    """Graphs as they are said, row by row.

    Attributes:
        kinds: The kind of each node, 0 where there is none.
        edges: The kinds of edges to the nodes before, the nearest first.
        told: Which of the edges are said: those of a node that is there, to one that is.
    """

    kinds: Int[Tensor, "n v"]
    edges: Int[Tensor, "n v m"]
    told: Bool[Tensor, "n v m"]


class RecurrentGraphs(nn.Module):
    """``p(graph, order) = prod_t p(node_t | before) prod_m p(edge_{t,m} | node_t, before)``; no node ends a graph.

    Args:
        size: Of the graphs.
        reach: To how many nodes before it a node may have edges.
        hidden: Width of the memory of the graph.
        layers: Of memories of the graph above each other.
        edge_hidden: Width of the memory of a node's edges.
    """

    def __init__(self, size: GraphSize, *, reach: int, hidden: int, layers: int, edge_hidden: int) -> None:
        super().__init__()
        self.size, self.reach = size, reach
        given = size.node_kinds + 1 + reach * (size.edge_kinds + 1)
        self.embed = Linear(given, hidden, std=given**-0.5)
        self.memories = nn.ModuleList(Gru(hidden, hidden) for _ in range(layers))
        self.node = Linear(hidden, size.node_kinds + 1, std=hidden**-0.5)
        self.kind = Embedding(size.node_kinds + 1, edge_hidden)
        self.begin = Linear(hidden, edge_hidden, std=hidden**-0.5)
        self.before = Embedding(size.edge_kinds + 2, edge_hidden)  # The last number is "no edge yet".
        self.edge_memory = Gru(edge_hidden, edge_hidden)
        self.edge = Linear(edge_hidden, size.edge_kinds + 1, std=edge_hidden**-0.5)

    def forward(self, tables: GraphTables) -> PerSample:
        """Nats of graphs whose rows are in the order in which they are said."""
        said = said_rows(tables, self.reach)
        remembered = self._remembered(self._rows(said.kinds, said.edges))
        of_nodes = _nats(self.node(remembered.flatten(0, 1)), said.kinds.flatten()).view_as(said.kinds)
        first_end = (said.kinds == 0).cumsum(1) <= 1  # Nothing is said after the end.
        logits = self._edge_logits(remembered.flatten(0, 1), said.kinds.flatten(), said.edges.flatten(0, 1))
        of_edges = _nats(logits.flatten(0, 1), said.edges.flatten()).view_as(said.edges)
        zero = of_nodes.new_zeros(())
        return torch.where(first_end, of_nodes, zero).sum(1) + torch.where(said.told, of_edges, zero).sum((1, 2))

    @torch.no_grad()
    def say(self, n: int, choose: Choose) -> GraphTables:
        """``n`` graphs, every kind of node and edge chosen from its logits."""
        device = self.node.weight.device
        v, kinds = self.size.nodes, torch.zeros(n, dtype=torch.long, device=device)
        tables = torch.zeros(n, v, v, dtype=torch.long, device=device)
        edges = torch.zeros(n, self.reach, dtype=torch.long, device=device)
        memories = [torch.zeros(n, memory.hidden, device=device) for memory in self._memories()]
        going = torch.ones(n, dtype=torch.bool, device=device)
        for place in range(v):
            said = self.embed(self._given(kinds, edges, first=place == 0)).tanh()
            for layer, memory in enumerate(self._memories()):
                memories[layer] = said = memory.step(said, memories[layer])
            kinds = torch.where(going, choose(self.node(said)), 0)
            going = kinds > 0
            tables[:, place, place] = kinds
            edges = self._say_edges(said, kinds, place, choose)
            for back in range(min(self.reach, place)):
                tables[:, place, place - 1 - back] = tables[:, place - 1 - back, place] = edges[:, back]
        return tables

    def _say_edges(self, said: Float[Tensor, "n h"], kinds: Choices, place: int, choose: Choose) -> Int[Tensor, "n m"]:
        memory = self._start_of_edges(said, kinds)
        last, edges = torch.full_like(kinds, self.size.edge_kinds + 1), list[Choices]()
        for _ in range(min(self.reach, place)):
            memory = self.edge_memory.step(self.before(last), memory)
            last = choose(self.edge(memory))
            edges.append(torch.where(kinds > 0, last, 0))
        edges += [torch.zeros_like(kinds)] * (self.reach - len(edges))
        return torch.stack(edges, 1)

    def _edge_logits(
        self, remembered: Float[Tensor, "rows h"], kinds: Int[Tensor, " rows"], edges: Int[Tensor, "rows m"]
    ) -> Float[Tensor, "rows m k"]:
        begin = torch.full_like(edges[:, :1], self.size.edge_kinds + 1)
        before = self.before(torch.cat([begin, edges[:, :-1]], 1))
        memory = self.edge_memory(before, self._start_of_edges(remembered, kinds))
        return self.edge(memory.flatten(0, 1)).unflatten(0, edges.shape)

    def _start_of_edges(self, said: Float[Tensor, "rows h"], kinds: Int[Tensor, " rows"]) -> Float[Tensor, "rows e"]:
        return (self.begin(said) + self.kind(kinds)).tanh()

    def _remembered(self, rows: Float[Tensor, "n v f"]) -> Float[Tensor, "n v h"]:
        """What is known before each row is said."""
        said = self.embed(rows.flatten(0, 1)).tanh().unflatten(0, rows.shape[:2])
        for memory in self._memories():
            said = memory(said)
        return said

    def _rows(self, kinds: Int[Tensor, "n v"], edges: Int[Tensor, "n v m"]) -> Float[Tensor, "n v f"]:
        """The row before each place, as numbers; zeros before the first."""
        rows = self._given(kinds.flatten(), edges.flatten(0, 1)).unflatten(0, kinds.shape)
        return torch.cat([torch.zeros_like(rows[:, :1]), rows[:, :-1]], 1)

    def _given(self, kinds: Choices, edges: Int[Tensor, "n m"], *, first: bool = False) -> Float[Tensor, "n f"]:
        node = F.one_hot(kinds, self.size.node_kinds + 1)
        row = F.one_hot(edges, self.size.edge_kinds + 1).flatten(1)
        given = torch.cat([node, row], 1).to(self.node.weight.dtype)
        return torch.zeros_like(given) if first else given

    def _memories(self) -> list[Gru]:
        return [memory for memory in self.memories if isinstance(memory, Gru)]


def said_rows(tables: GraphTables, reach: int) -> SaidRows:
    """Graphs as they are said; edges that reach further back are dropped."""
    v = tables.shape[1]
    kinds = tables.diagonal(dim1=1, dim2=2)
    back = torch.arange(v, device=tables.device)[:, None] - 1 - torch.arange(reach, device=tables.device)
    there = back >= 0
    edges = tables.gather(2, back.clamp_min(0).expand(len(tables), v, reach)) * there
    return SaidRows(kinds=kinds, edges=edges, told=there & (kinds > 0)[:, :, None])


def _nats(logits: Float[Tensor, "rows k"], chosen: Int[Tensor, " rows"]) -> Float[Tensor, " rows"]:
    return F.cross_entropy(logits, chosen, reduction="none")
