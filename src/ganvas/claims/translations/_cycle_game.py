"""Two translators between planes, of all seeds at once, with discriminators, latents and a cycle loss.

Points of A lie near a line and points of B fill a square, so a point of B has a number more than a point of A tells.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.stacks import Generators, Stack, dense, descend, generators_of, normal, started, uniform

HIDDEN, BATCH, STEPS, PENALTY = 32, 64, 1000, 0.1
THICKNESS = 0.05  # Deviation of A about its line.
SCOPE = (
    f"a line of thickness {THICKNESS:g} and a square, networks of two layers of {HIDDEN}, R1 of {PENALTY:g}, "
    f"Adam at 2e-3, batch {BATCH}, {STEPS:,} steps"
)

Points = Float[Tensor, "seeds n 2"]


class CycleGame:
    """Translators of all seeds, trained with a weight of the cycle loss."""

    def __init__(self, seeds: Sequence[int], *, weight: float, steps: int) -> None:
        self.generators = generators_of(seeds)
        self.to_b = started(self.generators, (3, HIDDEN, HIDDEN, 2))
        self.to_a = started(self.generators, (2, HIDDEN, HIDDEN, 2))
        self.judges = [started(self.generators, (2, HIDDEN, HIDDEN, 1)) for _ in range(2)]
        self.weight = weight
        moves = torch.optim.Adam([*self.to_b, *self.to_a], lr=2e-3, betas=(0.0, 0.99))
        answers = torch.optim.Adam([part for judge in self.judges for part in judge], lr=2e-3, betas=(0.0, 0.99))
        for _ in range(steps):
            self._answer(answers)
            self._move(moves)

    def translated(self, a: Points) -> Points:
        """Points of B for points of A, by latents that are drawn anew."""
        return dense(self.to_b, torch.cat([a, normal(self.generators, a.shape[1], 1)], 2))

    def _answer(self, descent: torch.optim.Optimizer) -> None:
        a, b = line(self.generators, BATCH), square(self.generators, BATCH)
        with torch.no_grad():
            fakes = dense(self.to_a, b), self.translated(a)
        losses = [_judge_loss(*three) for three in zip(self.judges, (a, b), fakes, strict=True)]
        descend(sum(losses, torch.zeros(())), descent, [part for judge in self.judges for part in judge])

    def _move(self, descent: torch.optim.Optimizer) -> None:
        a, b = line(self.generators, BATCH), square(self.generators, BATCH)
        as_a, as_b = dense(self.to_a, b), self.translated(a)
        fooled = [F.softplus(-dense(judge, x)).mean((1, 2)) for judge, x in zip(self.judges, (as_a, as_b), strict=True)]
        there = (dense(self.to_a, as_b) - a).abs().mean((1, 2)) + (self.translated(as_a) - b).abs().mean((1, 2))
        descend((fooled[0] + fooled[1] + self.weight * there).sum(), descent, [*self.to_b, *self.to_a])


def line(generators: Generators, n: int) -> Points:
    """Points of A."""
    along = 2 * uniform(generators, n, 1) - 1
    return torch.cat([along, THICKNESS * normal(generators, n, 1)], 2)


def square(generators: Generators, n: int) -> Points:
    """Points of B."""
    return 2 * uniform(generators, n, 2) - 1


def _judge_loss(judge: Stack, reals: Points, fakes: Points) -> Tensor:
    reals = reals.requires_grad_()
    of_reals = dense(judge, reals)
    (slope,) = torch.autograd.grad(of_reals.sum(), reals, create_graph=True)
    loss = (F.softplus(-of_reals) + F.softplus(dense(judge, fakes))).mean((1, 2))
    return (loss + PENALTY / 2 * slope.square().sum(-1).mean(1)).sum()
