"""NetGAN: walks on one large graph are learnt by WGAN-GP, and put together to graphs like it.

Bojchevski, Shchur, Zügner, Günnemann: NetGAN: Generating Graphs via Random Walks (2018),
https://arxiv.org/abs/1803.00816. The generator never sees the graph, only walks on it; how often its own walks go
between two nodes says how likely an edge is. It copies: with training, more and more edges are those of the graph, and
the authors stop where half of them are. **Edge overlap is the axis**, and nothing else of a run says much without it.

Departs from the authors' code:
- Walks choose every neighbour equally (p = q = 1 there by default), and are as many in a batch as graphs would be.
- The temperature of choices falls by a factor at every move of the generator, not at every evaluation.
- Nothing stops by itself. A graph is drawn from ``walks`` walks of its own.
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions, probabilities
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.schedule import Schedule, Steady
from ganvas.core.shapes import GraphTables, Labels
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.game import Game, Phase, Terms, every
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty
from ganvas.networks.graphs.walk_pair import WalkCritic, WalkGenerator, WalkWeights, choices
from ganvas.nn.graphs.random_walks import graphs_of_counts, random_walks, steps_counted


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the two networks, their game, and how graphs are put together."""

    nodes: int = 32  # Of the graph. Taken from the data, as are its edges.
    edges: int = 64
    node_kinds: int = 1  # Walks know no other.
    edge_kinds: int = 1
    length: int = 16  # Nodes of a walk.
    latent_size: int = 16
    hidden: int = 40
    critic_hidden: int = 30
    embedding: int = 128
    tau_start: float = 5.0  # Temperature of choices at the start and in the end, and what is kept of it in a move.
    tau_end: float = 0.5
    tau_decay: float = 0.9995
    penalty_weight: float = 10.0
    critic_moves: int = 3  # For each move of the generator.
    walks: int = 500  # That a drawn graph is put together from.
    batch_size: int = 128
    lr: float = 3e-4
    weight_decay: float = 1e-7  # Of the generator, and of the critic.
    critic_weight_decay: float = 5e-5
    beta1: float = 0.5
    beta2: float = 0.9

    def __post_init__(self) -> None:
        assert self.graph  # Its making checks the number of nodes.
        at_least(self, 1, "edges", "latent_size", "hidden", "critic_hidden", "embedding", "critic_moves", "walks")
        at_least(self, 1, "batch_size")
        at_least(self, 2, "length")
        at_least(self, 0, "penalty_weight", "weight_decay", "critic_weight_decay")
        above(self, 0, "lr", "tau_start", "tau_end")
        probabilities(self, "tau_decay")
        fractions(self, "beta1", "beta2")
        if (self.node_kinds, self.edge_kinds) != (1, 1):
            raise UserError(
                f"node_kinds={self.node_kinds}, edge_kinds={self.edge_kinds}: walks know one kind of node and of edge. "
                "Name a graph of one kind, as a file of edges is."
            )

    @property
    def graph(self) -> GraphSize:
        """The size of the graph."""
        return GraphSize(nodes=self.nodes, node_kinds=1, edge_kinds=1)


TINY = Config(
    nodes=4,
    edges=3,
    length=3,
    latent_size=2,
    hidden=6,
    critic_hidden=5,
    embedding=3,
    critic_moves=1,
    walks=6,
    batch_size=8,
)


class Model(Game[Config, Graphs]):
    """The two networks and their game."""

    takes = (Graphs,)
    tau: Tensor

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.generator = WalkGenerator(
            config.nodes,
            length=config.length,
            latent_size=config.latent_size,
            hidden=config.hidden,
            embedding=config.embedding,
        )
        self.critic = WalkCritic(config.nodes, hidden=config.critic_hidden, embedding=config.embedding)
        self.register_buffer("tau", torch.tensor(config.tau_start))

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def memory(self) -> list[str]:
        """The temperature of choices."""
        return ["tau"]

    def phases(self) -> list[Phase[Graphs]]:
        """The critic at every step, the generator at every ``critic_moves``-th."""
        config = self.config
        critic, generator = (
            Adam(beta1=config.beta1, beta2=config.beta2, weight_decay=decay)
            for decay in (config.critic_weight_decay, config.weight_decay)
        )
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=critic),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=every(config.critic_moves),
                optimizer=generator,
                after=self._cool,
            ),
        ]

    @torch.no_grad()
    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> GraphTables:
        """``n`` graphs, each of walks of its own."""
        v, many = self.config.nodes, self.config.walks
        counts = []
        for _ in range(n):
            z = torch.randn(many, self.config.latent_size, generator=rng, device=rng.device)
            uniform = torch.rand(many, self.config.length, v, generator=rng, device=rng.device)
            counts.append(steps_counted(self.generator.walks(z, uniform), v))
        uniform = torch.rand(n, v, v, generator=rng, device=rng.device)
        return graphs_of_counts(torch.stack(counts), self.config.edges, uniform)

    def _critic_loss(self, batch: Graphs) -> Terms:
        reals = choices(random_walks(batch.tables, batch.rand(self.config.length)), self.config.nodes)
        with torch.no_grad():
            fakes = self._walks(batch)
        terms = {"wasserstein": wasserstein_discriminator(self.critic(reals), self.critic(fakes))}
        if self.config.penalty_weight:
            mix, weight = batch.rand(), self.config.penalty_weight
            terms["gradient_penalty"] = gradient_penalty(self.critic, reals, fakes, mix, weight=weight)
        return terms

    def _generator_loss(self, batch: Graphs) -> Terms:
        return {"wasserstein": wasserstein_generator(self.critic(self._walks(batch)))}

    def _walks(self, batch: Graphs) -> WalkWeights:
        uniform = batch.rand(self.config.length, self.config.nodes)
        return self.generator(batch.randn(self.config.latent_size), uniform, tau=self.tau)

    def _cool(self, batch: Graphs, terms: Terms) -> None:
        self.tau.mul_(self.config.tau_decay).clamp_min_(self.config.tau_end)
