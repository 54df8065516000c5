"""A word that is chosen by the largest logit passes no gradient to the generator.

The choice is constant almost everywhere: a small step of the logits changes nothing, and the derivative of what is
judged is 0. A softmax passes one.
"""

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal

WORDS, STEP = 12, 1e-6


def cases() -> Iterator[Case]:
    """The largest change of a verdict on a chosen word, per unit of any logit, for random verdicts."""
    for seed in range(20):
        yield Case(name=f"verdicts {seed}", error=_slope(seed, _chosen))


def twin() -> Iterator[Case]:
    """The words are mixed by a softmax."""
    yield Case(name="softmax", error=_slope(0, lambda logits: F.softmax(logits, -1)))


def _chosen(logits: Tensor) -> Tensor:
    return F.one_hot(logits.argmax(-1), WORDS).to(logits.dtype)


def _slope(seed: int, choice: Callable[[Tensor], Tensor]) -> float:
    logits, verdict = normal(seed, WORDS), normal(100 + seed, WORDS)
    moved = logits + STEP * torch.eye(WORDS, dtype=torch.float64)
    return float(((choice(moved) - choice(logits)) @ verdict).abs().max() / STEP)


CLAIM = Identity(
    statement="A word that is chosen by the largest logit passes no gradient to the generator.",
    sources=(
        Source(who="Goodfellow 2016, NIPS 2016 Tutorial", stance="agrees", link="https://arxiv.org/abs/1701.00160"),
    ),
    scope=f"{WORDS} words, 20 random verdicts, no two logits within {STEP:g}",
    unit="change of the verdict per unit of a logit",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
