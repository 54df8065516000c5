"""The Inception score is the exponential of the entropy of classes less the mean entropy of a picture's classes.

That is the exponential of the information that a picture has about its class: 1 where it has none, and the number of
classes where each picture is surely of one and all are equally often.
"""

import math
from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal
from ganvas.metrics.inception_score import inception_score

CLASSES, PICTURES = 10, 200


def cases() -> Iterator[Case]:
    """Random verdicts of a classifier, from unsure to sure, and the two ends."""
    for sure in (0.1, 1.0, 5.0):
        logits = sure * normal(int(10 * sure), PICTURES, CLASSES)
        yield Case(name=f"logits of deviation {sure:g}", error=_error(logits, _by_entropies(logits)))
    same = normal(1, 1, CLASSES).expand(PICTURES, CLASSES)
    yield Case(name="every picture alike", error=_error(same, 1.0))
    yield Case(name="every class surely", error=_error(_sure(), CLASSES))


def twin() -> Iterator[Case]:
    """Information without the exponential."""
    yield Case(name="no exponential", error=_error(_sure(), math.log(CLASSES)))


def _sure() -> Tensor:
    return 100 * torch.eye(CLASSES, dtype=torch.float64).repeat(PICTURES // CLASSES, 1)


def _error(logits: Tensor, expected: float) -> float:
    return abs(float(inception_score(logits, splits=1)[0]) / expected - 1)


def _by_entropies(logits: Tensor) -> float:
    chances = F.softmax(logits, 1)
    return math.exp(float(_entropy(chances.mean(0)) - _entropy(chances).mean()))


def _entropy(chances: Tensor) -> Tensor:
    return torch.special.entr(chances).sum(-1)


CLAIM = Identity(
    statement="The Inception score is exp(H(y) - H(y given x)).",
    sources=(
        Source(
            who="Barratt & Sharma 2018, A Note on the Inception Score, section 2",
            stance="agrees",
            link="https://arxiv.org/abs/1801.01973",
        ),
    ),
    scope=f"{PICTURES} pictures, {CLASSES} classes, one split",
    cases=cases,
    twin=twin,
    smallest_effect=1e-9,
)
