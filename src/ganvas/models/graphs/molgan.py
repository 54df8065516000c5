"""MolGAN: a generator that makes a whole small graph at once, a critic that sees it in any order, and a reward.

De Cao, Kipf: MolGAN: An implicit generative model for small molecular graphs (2018), https://arxiv.org/abs/1805.11973.
The critic plays by WGAN-GP. With a reward, a second network learns to foretell it of real and drawn graphs, and the
generator descends a mixture of both: choices have no slope, that network has.

The paper's "valid" takes dust: graphs of single atoms pass its check. The reward here is the strict one: one fragment,
no atom with more bonds than its element; of trees, no cycle either.

Departs from the paper and the authors' code:
- The gradient penalty takes one norm over a whole graph, as the critic's slope is meant; ``penalty="node_pair"`` has
  the released one, a norm for each pair of nodes and for each node, averaged over each.
- Rewards of RDKit (drug-likeness, solubility) are left out: they would have to be computed on the host in every step.
- What is drawn has no edges at absent nodes; nothing is dropped from hidden layers, and no statistic of the batch is
  told to the critic.
- What is drawn may be of a running average of the generator's weights (``average_decay``); 0 is the paper's.
- Weights start as N(0, 1 / inputs).
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions, probabilities
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.core.schedule import Schedule, Stage, Steady
from ganvas.core.shapes import GraphTables, Labels, PerSample
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.graph_batch import Graphs
from ganvas.losses.game import Game, Phase, Terms, Turn
from ganvas.losses.optimizers import Adam
from ganvas.losses.penalties import gradient_penalty, watched
from ganvas.networks.graphs.relational_graphs import GraphCritic, GraphGenerator, KindWeights, kinds_of
from ganvas.nn.graphs.validity import are_connected, are_trees, keep_valences
from ganvas.nn.soft_choice import gumbel, soft_choice


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game."""

    nodes: int = 9  # Of a graph at most. Taken from the data, as are numbers of kinds and valences.
    node_kinds: int = 1
    edge_kinds: int = 1
    valences: tuple[int, ...] = ()
    latent_size: int = 32
    generator_widths: tuple[int, ...] = (128, 256, 512)
    widths: tuple[int, ...] = (128, 64)  # Of the critic's convolutions.
    gathered: int = 128
    dense: tuple[int, ...] = (128, 64)
    choice: Literal["soft", "gumbel", "straight"] = "soft"  # What the critic is shown of drawn graphs.
    tau: float = 1.0
    penalty: Literal["graph", "node_pair"] = "graph"
    penalty_weight: float = 10.0
    generator_every: int = 5  # Steps; the critic plays on the others.
    reward: Literal["none", "connected", "tree"] = "none"
    balance: float = 0.5  # Of the critic's verdict in what the generator descends; the rest is of the reward.
    reward_kimg: float = 5.0  # Before, the generator follows the critic alone.
    batch_size: int = 32
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    average_decay: float = 0.0  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        assert self.graph  # Its making checks the numbers of nodes and kinds.
        at_least(self, 1, "latent_size", "gathered", "batch_size")
        at_least(self, 2, "generator_every")
        at_least(self, 0, "penalty_weight", "reward_kimg")
        above(self, 0, "lr", "tau")
        fractions(self, "beta1", "beta2", "average_decay")
        probabilities(self, "balance")
        if self.valences and len(self.valences) != self.node_kinds:
            raise UserError(
                f"valences={self.valences} are of {len(self.valences)} kinds of node, and there are {self.node_kinds}. "
                "Give one for each, or leave valences out."
            )

    @property
    def graph(self) -> GraphSize:
        """The size of a graph."""
        return GraphSize(nodes=self.nodes, node_kinds=self.node_kinds, edge_kinds=self.edge_kinds)


TINY = Config(
    nodes=4,
    node_kinds=2,
    edge_kinds=2,
    valences=(3, 2),
    latent_size=3,
    generator_widths=(8,),
    widths=(6, 4),
    gathered=5,
    dense=(4,),
    generator_every=2,
    reward="connected",
    reward_kimg=0.016,
    batch_size=8,
)


class Model(Game[Config, Graphs]):
    """Generator, critic and the network that foretells the reward."""

    takes = (Graphs,)
    valences: Tensor | None

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        valences = torch.tensor([0, *config.valences]) if config.valences else None
        self.register_buffer("valences", valences, persistent=False)
        sizes = {"widths": config.widths, "gathered": config.gathered, "dense": config.dense}
        self.generator = GraphGenerator(config.graph, latent_size=config.latent_size, widths=config.generator_widths)
        self.critic = GraphCritic(config.graph, **sizes)
        self.foreteller = None if config.reward == "none" else GraphCritic(config.graph, **sizes, bias=True)

    def schedule(self) -> Schedule:
        """One batch size, one learning rate."""
        return Steady(batch_size=self.config.batch_size, lr=self.config.lr)

    def phases(self) -> list[Phase[Graphs]]:
        """Critic and foreteller at the same steps, the generator at the others, with the reward from some time on."""
        config, generator = self.config, self.generator
        adam = Adam(beta1=config.beta1, beta2=config.beta2)
        judging, rewarded = _turn(config, generator=False), round(1000 * config.reward_kimg)
        moved = partial(Phase, player=generator, optimizer=adam, average=config.average_decay or None)
        critic = Phase(name="D", player=self.critic, loss=self._critic_loss, turn=judging, optimizer=adam)
        if self.foreteller is None:
            return [critic, moved(name="G", loss=self._verdict, turn=_turn(config, generator=True))]
        before, after = _turn(config, generator=True, until=rewarded), _turn(config, generator=True, start=rewarded)
        return [
            critic,
            Phase(name="R", player=self.foreteller, loss=self._foreteller_loss, turn=judging, optimizer=adam),
            moved(name="G", loss=self._verdict, turn=before),
            moved(name="GR", loss=self._mixture, turn=after),
        ]

    def sample(self, n: int, rng: torch.Generator, *, labels: Labels | None = None) -> GraphTables:
        """``n`` graphs: a latent each, and every kind drawn from its logits by Gumbel noise."""
        z = torch.randn(n, self.config.latent_size, generator=rng, device=rng.device)
        uniform = torch.rand(n, *self._shape, generator=rng, device=rng.device)
        return self._drawn_tables(self.generator(z), uniform)

    def judge(self, tables: GraphTables, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds graphs; higher is more real."""
        return self.critic(self._weights_of(tables))

    def rewards(self, tables: GraphTables) -> PerSample:
        """1 of a graph that is connected, or a tree, within its valences; 0 of any other."""
        whole = are_trees(tables) if self.config.reward == "tree" else are_connected(tables)
        valid = whole if self.valences is None else whole & keep_valences(tables, self.valences)
        return valid.to(torch.get_default_dtype())

    def _critic_loss(self, batch: Graphs) -> Terms:
        with torch.no_grad():
            fakes = self._fakes(batch)
        reals = self._weights_of(batch.tables)
        terms = {"wasserstein": wasserstein_discriminator(self.critic(reals), self.critic(fakes))}
        if self.config.penalty_weight:
            terms["gradient_penalty"] = self._penalty(reals, fakes, batch.rand())
        return terms

    def _penalty(self, reals: KindWeights, fakes: KindWeights, mix: PerSample) -> PerSample:
        weight = self.config.penalty_weight
        if self.config.penalty == "graph":
            return gradient_penalty(self.critic, reals, fakes, mix, weight=weight)
        return node_pair_penalty(self.critic, reals, fakes, mix, weight=weight)

    def _foreteller_loss(self, batch: Graphs) -> Terms:
        """``(R(x) - r(x))^2`` of real and of drawn graphs, R a sigmoid."""
        with torch.no_grad():
            logits = self._logits(batch)
            fakes = self._drawn_tables(logits, batch.rand(*self._shape))
        pairs = [(self._foretold(self._weights_of(tables)), self.rewards(tables)) for tables in (batch.tables, fakes)]
        return {name: (told - true).square() for name, (told, true) in zip(("real", "fake"), pairs, strict=True)}

    def _verdict(self, batch: Graphs) -> Terms:
        return {"wasserstein": wasserstein_generator(self.critic(self._fakes(batch)))}

    def _mixture(self, batch: Graphs) -> Terms:
        """``l L + (1 - l) |L / L_R| L_R``: the reward weighs as much as the verdict, whatever the critic's level."""
        fakes, balance = self._fakes(batch), self.config.balance
        verdict, foretold = wasserstein_generator(self.critic(fakes)), -self._foretold(fakes)
        means = torch.stack([verdict.detach().mean(), foretold.detach().mean()])
        batch.ranks.average_([means])
        weight = (means[0] / means[1]).abs()
        return {"wasserstein": balance * verdict, "reward": (1 - balance) * weight * foretold}

    def _foretold(self, weights: KindWeights) -> PerSample:
        assert self.foreteller is not None
        return self.foreteller(weights).sigmoid()

    def _fakes(self, batch: Graphs) -> KindWeights:
        """Graphs as the critic is shown them, for each one of a batch."""
        logits, tau, choice = self._logits(batch), self.config.tau, self.config.choice
        if choice == "soft":
            return (logits / tau).softmax(3)
        uniform = mirrored(batch.rand(*self._shape))
        return soft_choice(logits, uniform, tau=tau, straight_through=choice == "straight")

    def _logits(self, batch: Graphs) -> KindWeights:
        return self.generator(batch.randn(self.config.latent_size))

    def _drawn_tables(self, logits: KindWeights, uniform: KindWeights) -> GraphTables:
        tables = (logits + gumbel(mirrored(uniform)).to(logits)).argmax(3)
        there = tables.diagonal(dim1=1, dim2=2) > 0
        return tables * there[:, :, None] * there[:, None, :]

    def _weights_of(self, tables: GraphTables) -> KindWeights:
        """A weight of 1 on every kind."""
        return F.one_hot(tables, kinds_of(self.config.graph)).to(torch.get_default_dtype())

    @property
    def _shape(self) -> Sequence[int]:
        return self.config.nodes, self.config.nodes, kinds_of(self.config.graph)


def mirrored(uniform: Tensor) -> Tensor:
    """The same numbers (n, v, v, k) above the diagonal and below, so that an edge is drawn once."""
    v = uniform.shape[1]
    upper = torch.ones(v, v, dtype=torch.bool, device=uniform.device).triu()[:, :, None]
    return torch.where(upper, uniform, uniform.transpose(1, 2))


def node_pair_penalty(
    critic: Callable[[KindWeights], PerSample], reals: KindWeights, fakes: KindWeights, mix: PerSample, *, weight: float
) -> PerSample:
    """``weight (mean_ij (|g_ij| - 1)^2 + mean_i (|g_ii| - 1)^2)``: the slope by each pair of nodes, and by each node.

    As the authors' code has it. A critic of slope 1 by each of v^2 pairs has a slope of v by the graph.
    """
    mixed = torch.lerp(watched(reals), fakes.detach(), mix.view(-1, 1, 1, 1).to(reals))
    (slope,) = torch.autograd.grad(critic(mixed).sum(), mixed, create_graph=True)
    apart = (torch.linalg.vector_norm(slope, dim=3) - 1).square()
    nodes = apart.diagonal(dim1=1, dim2=2)
    v = nodes.shape[1]
    return weight * ((apart.sum((1, 2)) - nodes.sum(1)) / (v * (v - 1)) + nodes.mean(1))


def _turn(config: Config, *, generator: bool, start: int = 0, until: int | None = None) -> Turn:
    """The generator on the last of some steps, what judges on the others."""

    def plays(step: int, shown: int) -> bool:
        last = (step + 1) % config.generator_every == 0
        return last == generator and start <= shown and (until is None or shown < until)

    return plays
