"""Estimates of the gradient through a choice of words are right in the mean.

REINFORCE is, by the derivative of a logarithm. The straight-through estimate, which takes the slope of the verdict at
the chosen word for the slope anywhere, is not, once the verdict is curved.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error

WORDS = 6


def cases() -> Iterator[Case]:
    """Means over all words, weighted by their chances, against the exact gradient of the expected verdict."""
    for seed in range(5):
        yield Case(name=f"REINFORCE, game {seed}", error=relative_error(_reinforce(seed), _exact(seed)))
        error = relative_error(_straight_through(seed), _exact(seed))
        yield Case(name=f"straight-through, game {seed}", error=error, inside=False)


def twin() -> Iterator[Case]:
    """The chances are forgotten."""
    yield Case(name="unweighted", error=relative_error(_reinforce(0, weighted=False), _exact(0)))


def _game(seed: int) -> tuple[Tensor, Tensor]:
    """Logits of one word, and a curved verdict ``x^T A x`` on its one-hot vector."""
    return normal(seed, WORDS), normal(seed + 1000, WORDS, WORDS)


def _exact(seed: int) -> Tensor:
    logits, curved = _game(seed)
    logits.requires_grad_()
    (gradient,) = torch.autograd.grad(F.softmax(logits, 0) @ curved.diagonal(), logits)
    return gradient


def _reinforce(seed: int, *, weighted: bool = True) -> Tensor:
    logits, curved = _game(seed)
    chances = F.softmax(logits, 0)
    log_slopes = torch.eye(WORDS, dtype=torch.float64) - chances  # Row k: the slope of log p_k by the logits.
    weights = chances if weighted else torch.full_like(chances, 1 / WORDS)
    return (weights * curved.diagonal()) @ log_slopes


def _straight_through(seed: int) -> Tensor:
    logits, curved = _game(seed)
    chances = F.softmax(logits, 0)
    jacobian = chances.diag() - torch.outer(chances, chances)
    slopes = curved + curved.T  # Row k: the verdict's slope at word k.
    return chances @ slopes @ jacobian


CLAIM = Identity(
    statement="Estimates of the gradient through a choice of words are right in the mean.",
    sources=(
        Source(
            who="Williams 1992, Simple statistical gradient-following algorithms (REINFORCE)",
            stance="agrees",
            link="https://doi.org/10.1007/BF00992696",
        ),
        Source(
            who="Bengio, Leonard & Courville 2013 (the straight-through estimate is biased)",
            stance="denies",
            link="https://arxiv.org/abs/1308.3432",
        ),
    ),
    scope=f"one word of {WORDS}, five quadratic verdicts, all words summed",
    holds_when="REINFORCE makes them",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
