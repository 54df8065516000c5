"""Adversarial games on eight Gaussians, of all seeds at once: what generators are and what their averages are."""

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.batched.ring import LAW, Points, modes_reached, ring, sliced_distance
from ganvas.claims.batched.stacks import Generators, Stack, dense, descend, generators_of, leaky, normal, started, whole

HIDDEN, LATENTS, SAMPLES = 64, 2, 2000
LR, BETAS = 1e-3, (0.0, 0.99)
SCOPE = f"{LAW}, networks of two layers of {HIDDEN}, Adam at 1e-3"


@dataclass(frozen=True, kw_only=True)
class RingGame:
    """One game, as an arm of a claim has it.

    Args:
        penalty: Weight gamma of R1, halved as Mescheder et al. 2018 have it.
        clip: With a number, the game of Wasserstein GANs with weights in [-clip, clip]; else the non-saturating one.
        moves: Of the discriminator for each of the generator.
        deviation: Whether the discriminator sees the deviation of its features over the batch.
        delay: Steps by which the generator that the discriminator trains against is old.
        pooled: The share of fakes that come from one of the last 50 generators' batches.
        memory: Decay of the generator's average.
    """

    batch: int = 64
    penalty: float = 0.0
    clip: float | None = None
    moves: int = 1
    deviation: bool = False
    delay: int = 0
    pooled: float = 0.0
    memory: float = 0.995


@dataclass(frozen=True, kw_only=True)
class Played:
    """Samples at the end, of the generators, of their averages, and of the law."""

    raw: Points
    averaged: Points
    reals: Points

    def distance(self, *, averaged: bool = False) -> list[float]:
        """Sliced distance from the law, one for each seed."""
        return sliced_distance(self.averaged if averaged else self.raw, self.reals)

    def modes(self, *, averaged: bool = False) -> list[float]:
        """Modes reached, one number for each seed."""
        return list(modes_reached(self.averaged if averaged else self.raw))


def played(game: RingGame, seeds: Sequence[int], steps: int) -> Played:
    """Plays the game of every seed for so many moves of the generator."""
    generators = generators_of(seeds)
    maker = started(generators, (LATENTS, HIDDEN, HIDDEN, 2))
    judge = started(generators, (2, HIDDEN, HIDDEN)) + started(generators, (HIDDEN + game.deviation, 1))
    average = [part.detach().clone() for part in maker]
    descents = [torch.optim.Adam(stack, lr=LR, betas=BETAS) for stack in (maker, judge)]
    past: deque[Stack] = deque(maxlen=game.delay + 1)
    pool: deque[Tensor] = deque(maxlen=50)
    for _ in range(steps):
        past.append([part.detach().clone() for part in maker] if game.delay else maker)
        for _ in range(game.moves):
            fakes = _fakes(game, past[0], pool, generators)
            descend(_judge_loss(game, judge, ring(generators, game.batch), fakes).sum(), descents[1], judge)
            if game.clip is not None:
                with torch.no_grad():
                    for part in judge:
                        part.clamp_(-game.clip, game.clip)
        verdicts = _verdicts(game, judge, dense(maker, normal(generators, game.batch, LATENTS)))
        loss = -verdicts if game.clip is not None else F.softplus(-verdicts)
        descend(loss.mean(1).sum(), descents[0], maker)
        with torch.no_grad():
            for mean, part in zip(average, maker, strict=True):
                mean.lerp_(part, 1 - game.memory)
    with torch.no_grad():
        z = normal(generators, SAMPLES, LATENTS)
        return Played(raw=dense(maker, z), averaged=dense(average, z), reals=ring(generators, SAMPLES))


def _fakes(game: RingGame, maker: Stack, pool: deque[Tensor], generators: Generators) -> Points:
    with torch.no_grad():
        fakes = dense(maker, normal(generators, game.batch, LATENTS))
    if not game.pooled:
        return fakes
    pool.append(fakes)
    old = int(game.pooled * game.batch)
    chosen = whole(generators, len(pool), 1)[:, 0].tolist()
    earlier = torch.stack([pool[place][seed, :old] for seed, place in enumerate(chosen)])
    return torch.cat([earlier, fakes[:, old:]], 1)


def _judge_loss(game: RingGame, judge: Stack, reals: Points, fakes: Points) -> Tensor:
    reals = reals.requires_grad_(game.penalty > 0)
    of_reals, of_fakes = _verdicts(game, judge, reals), _verdicts(game, judge, fakes)
    if game.clip is not None:
        return (of_fakes - of_reals).mean(1)
    loss = (F.softplus(-of_reals) + F.softplus(of_fakes)).mean(1)
    if not game.penalty:
        return loss
    (slope,) = torch.autograd.grad(of_reals.sum(), reals, create_graph=True)
    return loss + game.penalty / 2 * slope.square().sum(-1).mean(1)


def _verdicts(game: RingGame, judge: Stack, x: Points) -> Tensor:
    features = leaky(dense(judge[:-2], x))
    if game.deviation:
        spread = (features.var(1, correction=0) + 1e-8).sqrt().mean(1)
        features = torch.cat([features, spread[:, None, None].expand(-1, features.shape[1], 1)], 2)
    return torch.baddbmm(judge[-1], features, judge[-2])[..., 0]
