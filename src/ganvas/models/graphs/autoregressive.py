"""GraphRNN: a recurrent network that says a graph node by node, each with its edges to those before. The baseline.

You, Ying, Ren, Hamilton, Leskovec: GraphRNN: Generating Realistic Graphs with Deep Auto-regressive Models (2018),
https://arxiv.org/abs/1802.08773. Every step shows each graph in another order, breadth first from a random node; what
is descended is the mean of ``-ln p(graph, order)``. It needs no game, and what plays one is held against it.

Departs from the paper and the authors' code:
- Nodes and edges have kinds. A node's kind is said before its edges, and "no node" ends a graph, where a row without
  edges does there: graphs of several parts can be said.
- The memory of edges is given the kind of its node. Every edge to a node before is said unless ``reach`` is set; the
  authors estimate how far back breadth-first orders reach, so that edges beyond are lost.
- Rows are embedded by a tanh, which has a slope at the zeros of the first row. The learning rate stays; what is
  measured and draws is a running average of the weights.
"""

from dataclasses import dataclass

import torch

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.schedule import Schedule, Steady
from ganvas.core.shapes import GraphTables, Labels
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.game import Game, Phase, Terms
from ganvas.losses.games.line_game import sampled
from ganvas.losses.optimizers import Adam
from ganvas.networks.graphs.recurrent_graphs import RecurrentGraphs
from ganvas.nn.graphs.node_orders import breadth_first, in_order


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training."""

    nodes: int = 9  # Of a graph at most. Taken from the data, as are both numbers of kinds.
    node_kinds: int = 1
    edge_kinds: int = 1
    reach: int = 0  # Nodes before it that a node may have edges to; 0 for all.
    hidden: int = 128
    layers: int = 1
    edge_hidden: int = 32
    batch_size: int = 64
    lr: float = 2e-3
    beta1: float = 0.9
    beta2: float = 0.999
    average_decay: float = 0.99  # Of the weights, per step.

    def __post_init__(self) -> None:
        assert self.graph  # Its making checks the numbers of nodes and kinds.
        at_least(self, 1, "hidden", "layers", "edge_hidden", "batch_size")
        at_least(self, 0, "reach")
        above(self, 0, "lr")
        fractions(self, "beta1", "beta2", "average_decay")

    @property
    def graph(self) -> GraphSize:
        """The size of a graph."""
        return GraphSize(nodes=self.nodes, node_kinds=self.node_kinds, edge_kinds=self.edge_kinds)


TINY = Config(nodes=4, node_kinds=2, edge_kinds=2, hidden=6, edge_hidden=4, batch_size=8)


class Model(Game[Config, Graphs]):
    """One network, which says how likely every next node and edge is."""

    takes = (Graphs,)

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = RecurrentGraphs(
            config.graph,
            reach=min(config.reach or config.nodes, config.nodes - 1),
            hidden=config.hidden,
            layers=config.layers,
            edge_hidden=config.edge_hidden,
        )

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Graphs]]:
        """One player."""
        adam = Adam(beta1=self.config.beta1, beta2=self.config.beta2)
        average = self.config.average_decay
        return [Phase(name="N", player=self.network, loss=self._likelihood, optimizer=adam, average=average)]

    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> GraphTables:
        """``n`` graphs, node by node."""
        return self.sample_at(n, rng, 1.0)

    def sample_at(self, n: int, rng: torch.Generator, temperature: float) -> GraphTables:
        """``n`` graphs, every choice from ``softmax(logits / temperature)``."""
        dice = lambda: torch.rand(n, generator=rng, device=rng.device)  # noqa: E731
        return self.network.say(n, lambda logits: sampled(logits, dice(), temperature))

    def _likelihood(self, batch: Graphs) -> Terms:
        """Nats of each graph in a random breadth-first order (eq. 2)."""
        order = breadth_first(batch.tables, batch.rand(self.config.nodes))
        return {"nll": self.network(in_order(batch.tables, order))}
