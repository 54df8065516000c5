"""WGAN: a critic that estimates the Wasserstein distance, kept Lipschitz by clipping its weights. Of points.

Arjovsky, Chintala, Bottou: Wasserstein Generative Adversarial Networks (ICML 2017), https://arxiv.org/abs/1701.07875.
A discriminator that tells two sets apart perfectly has no slope where the generator is. The Wasserstein distance has
one everywhere: ``W = sup E f(x) - E f(G(z))`` over functions f whose slope is at most 1 (eq. 2). Algorithm 1 takes
networks with weights in [-c, c] for those functions, whose slope is bounded by some K, and so follows K W. The critic
is to be near its optimum, so it moves n_critic times for every move of the generator, and RMSprop, which has no
momentum, moves both, because the critic's goal moves with the generator.

Clipping is a rough way to bound a slope, as the paper says itself: with c too small gradients vanish from layer to
layer, with c too large they explode and the critic is slow to reach its optimum (section 3). docs/wgan.md says what was
found of both on points.

From the code of the authors (https://github.com/martinarjovsky/WassersteinGAN, read at its last version), not in the
paper: for each of the first 25 moves of the generator, and for every 500th later, the critic moves 100 times.

Departs from the paper:
- The networks are fully connected, of points in a few dimensions; the paper's are of pictures.
- Points are brought to mean zero and an average variance per dimension of 1/2 before the critic sees them, and back
  after the generator, so that one ``clip`` serves clouds of every size. Both numbers are found on real points once.
- What samples is a running average of the generator's weights (``average_decay``; 0 samples from the last ones).
- The learning rate falls to 0 over the last part of the run (``decay_kimg``; 0 keeps it).
- Weights are clipped after each move (algorithm 1, line 7); the authors' code clips before it.
"""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.schedule import Stage, Steady
from ganvas.core.shapes import Labels, Latents, PerSample
from ganvas.losses.adversarial import wasserstein_discriminator, wasserstein_generator
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.game import Game, Phase, Terms, Turn
from ganvas.losses.optimizers import RMSprop

DECAY_SHARE = 0.5  # Of a run whose length is known, over which the learning rate falls.

PointRows = Float[Tensor, "n d"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the networks and their game. The moves are the paper's; sizes, clip and rate are ours."""

    dims: int = 2  # Numbers of a point; taken from the data.
    latent_size: int = 2
    width: int = 128  # Of every hidden layer.
    depth: int = 3  # Hidden layers of each network.
    clip: float = 0.1  # The critic's weights stay in [-clip, clip]; 0.01 in the paper, for convolutions of 64 maps.
    critic_moves: int = 5  # Of the critic for one of the generator; n_critic in the paper.
    burst_moves: int = 100  # Of the critic, for the generator's first moves and now and then.
    burst_first: int = 25  # First moves of the generator that get so many.
    burst_every: int = 500  # Later moves of the generator of which one gets so many; 0 for none.
    batch_size: int = 128
    lr: float = 1e-3  # 5e-5 in the paper, where weights are ten times smaller.
    hold_kimg: float = 0.0  # At the full learning rate, before it falls.
    decay_kimg: float = 0.0  # Over which the learning rate falls to 0 on a line; 0 keeps it.
    average_decay: float = 0.999  # Of the generator's weights, per move of the generator.

    def __post_init__(self) -> None:
        at_least(self, 1, "dims", "latent_size", "width", "depth", "critic_moves", "burst_moves", "batch_size")
        at_least(self, 0, "burst_first", "burst_every", "hold_kimg", "decay_kimg")
        above(self, 0, "clip", "lr")
        fractions(self, "average_decay")

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a learning rate that is 0 when the run ends."""
        decay = DECAY_SHARE * total_kimg
        return replace(self, hold_kimg=total_kimg - decay, decay_kimg=decay)


TINY = Config(width=8, depth=2, batch_size=8, critic_moves=2, burst_moves=3, burst_first=1, burst_every=0)


class Layers(nn.Sequential):
    """Hidden layers of one width with ReLU, and a linear one at the end."""

    def __init__(self, inputs: int, outputs: int, *, width: int, depth: int) -> None:
        sizes = [inputs, *([width] * depth)]
        hidden = [layer for before, after in pairwise(sizes) for layer in (_linear(before, after), nn.ReLU())]
        super().__init__(*hidden, _linear(width, outputs))


def _linear(inputs: int, outputs: int) -> nn.Linear:
    """torch's layer with its uniform start of weights and biases: kinks of ReLUs begin all over the plane.

    It draws nothing when it is made; the start comes from the run's seed.
    """
    layer = nn.utils.skip_init(nn.Linear, inputs, outputs)
    assert isinstance(layer, nn.Linear)
    return layer


class Model(Game[Config, Points]):
    """The two networks and their game."""

    takes = Points
    middle: Tensor  # Mean of the real points, (d,).
    unit: Tensor  # What a length of 1 inside stands for, ().

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        sizes = {"width": config.width, "depth": config.depth}
        self.generator = Layers(config.latent_size, config.dims, **sizes)
        self.critic = Layers(config.dims, 1, **sizes)
        self.register_buffer("middle", torch.zeros(config.dims))
        self.register_buffer("unit", torch.ones(()))

    @torch.no_grad()
    def calibrate(self, batch: Points) -> None:
        """Finds where the real points lie, and how far apart: of the whole batch on every rank."""
        points = batch.points.double()
        middle = points.mean(0)
        batch.ranks.average_([middle])
        variance = (points - middle).square().mean()
        batch.ranks.average_([variance])
        self.middle.copy_(middle)
        self.unit.copy_((2 * variance).sqrt().clamp_min(torch.finfo(torch.float32).tiny))

    def schedule(self) -> Steady:
        """One batch size; a learning rate that is held and then falls."""
        config = self.config
        return Steady(
            batch_size=config.batch_size,
            lr=config.lr,
            rate="linear" if config.decay_kimg else "constant",
            hold_kimg=config.hold_kimg,
            decay_kimg=config.decay_kimg,
        )

    def phases(self) -> list[Phase[Points]]:
        """The critic at every step, the generator when the critic has had its moves (algorithm 1)."""
        config = self.config
        return [
            Phase(name="D", player=self.critic, loss=self._critic_loss, optimizer=RMSprop(), after=self._clip),
            Phase(
                name="G",
                player=self.generator,
                loss=self._generator_loss,
                turn=generator_turn(config),
                optimizer=RMSprop(),
                average=config.average_decay,
            ),
        ]

    def _critic_loss(self, batch: Points) -> Terms:
        with torch.no_grad():
            fakes = self._fakes(batch)
        reals = (batch.points - self.middle) / self.unit
        real, fake = self.critic(torch.cat([reals, fakes])).flatten().chunk(2)
        return {"wasserstein": wasserstein_discriminator(real, fake)}

    def _generator_loss(self, batch: Points) -> Terms:
        return {"wasserstein": wasserstein_generator(self.critic(self._fakes(batch)).flatten())}

    def _clip(self, batch: Points, terms: Terms) -> None:
        """``w <- clip(w, -c, c)`` of every weight and bias (algorithm 1, line 7)."""
        for weight in self.critic.parameters():
            weight.clamp_(-self.config.clip, self.config.clip)

    def _fakes(self, batch: Points) -> PointRows:
        """Generated points as the critic sees them: around zero."""
        return self.generator(batch.randn(self.config.latent_size))

    @property
    def prior(self) -> Literal["normal"]:
        """What latents are drawn from."""
        return "normal"

    def latents(self, n: int, rng: torch.Generator) -> Latents:
        """``n`` latents from the prior."""
        return torch.randn(n, self.config.latent_size, generator=rng, device=rng.device)

    def decode(self, z: Latents, labels: Labels | None = None, *, stage: Stage | None = None) -> PointRows:
        """Points of latents, in the data's own units."""
        return self.generator(z) * self.unit + self.middle

    def judge(self, images: PointRows, *, stage: Stage | None = None) -> PerSample:
        """How real the critic finds points in the data's own units; higher is more real."""
        return self.critic((images - self.middle) / self.unit).flatten()


def generator_turn(config: Config) -> Turn:
    """When the critic has had its moves: a function of the steps done, each of which is one move of the critic.

    >>> turn = generator_turn(Config(critic_moves=2, burst_moves=4, burst_first=1, burst_every=3))
    >>> [step + 1 for step in range(20) if turn(step, 0)]
    [4, 6, 8, 12, 14, 16, 20]
    """
    few, many, first, every = config.critic_moves, config.burst_moves, config.burst_first, config.burst_every

    def plays(step: int, nimg: int) -> bool:
        moves = step + 1 - first * many  # Of the critic, after the first bursts.
        if moves <= 0:
            return (step + 1) % many == 0
        if not every:
            return moves % few == 0
        to_next = (-first) % every * few  # Until the move of the generator whose number is a multiple of ``every``.
        if moves <= to_next:
            return moves % few == 0
        within = (moves - to_next - 1) % (many + (every - 1) * few) + 1
        return within == many or (within > many and (within - many) % few == 0)

    return plays
