"""Adversarial games of any two players, of all seeds at once: networks, their rates and the law are the claim's."""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.stacks import Generators, Stack, dense, descend, normal, started

HIDDEN, BATCH = 64, 64
BETAS = (0.0, 0.99)
SCOPE = f"networks of two layers of {HIDDEN}, batch {BATCH}, Adam at 1e-3"

Samples = Float[Tensor, "seeds n d"]
Law = Callable[[Generators, int], Samples]
Watch = Callable[[int], None]


@dataclass(frozen=True, kw_only=True)
class Adversary:
    """Weights of all seeds and what is computed by them."""

    stack: Stack
    of: Callable[[Stack, Tensor], Tensor] = dense

    def __call__(self, x: Tensor) -> Tensor:
        return self.of(self.stack, x)


@dataclass(frozen=True, kw_only=True)
class Bout:
    """What both players keep to.

    Args:
        penalty: Weight gamma of R1, halved.
        memory: Decay of the generator's average.
    """

    steps: int
    batch: int = BATCH
    lr: float = 1e-3
    penalty: float = 0.0
    memory: float = 0.995


def plain(generators: Generators, into: int, out: int) -> Adversary:
    """A dense network of two hidden layers."""
    return Adversary(stack=started(generators, (into, HIDDEN, HIDDEN, out)))


def play(
    maker: Adversary,
    judge: Adversary,
    law: Law,
    generators: Generators,
    bout: Bout,
    *,
    latents: int,
    watch: Watch | None = None,
) -> Adversary:
    """Plays the non-saturating game, and gives the average of the maker; ``watch`` is told every step that begins."""
    average = [part.detach().clone() for part in maker.stack]
    descents = [torch.optim.Adam(player.stack, lr=bout.lr, betas=BETAS) for player in (maker, judge)]
    for step in range(bout.steps):
        if watch is not None:
            watch(step)
        with torch.no_grad():
            fakes = maker(normal(generators, bout.batch, latents))
        descend(_judge_loss(judge, law(generators, bout.batch), fakes, bout).sum(), descents[1], judge.stack)
        verdicts = judge(maker(normal(generators, bout.batch, latents)))
        descend(F.softplus(-verdicts).mean((1, 2)).sum(), descents[0], maker.stack)
        with torch.no_grad():
            for mean, part in zip(average, maker.stack, strict=True):
                mean.lerp_(part, 1 - bout.memory)
    return Adversary(stack=average, of=maker.of)


def _judge_loss(judge: Adversary, reals: Samples, fakes: Samples, bout: Bout) -> Float[Tensor, " seeds"]:
    reals = reals.requires_grad_(bout.penalty > 0)
    of_reals = judge(reals)
    loss = (F.softplus(-of_reals) + F.softplus(judge(fakes))).mean((1, 2))
    if not bout.penalty:
        return loss
    (slope,) = torch.autograd.grad(of_reals.sum(), reals, create_graph=True)
    return loss + bout.penalty / 2 * slope.square().sum(-1).mean(1)
