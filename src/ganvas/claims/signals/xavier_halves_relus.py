"""Xavier's start halves the signal of a ReLU network at every layer.

Weights are as likely as their negatives, and of the two a ReLU passes one: it leaves half of the mean square. He's
start has twice the variance for that. What is said is exact over all draws of weights of two values, so that every row
of signs is counted once and nothing is drawn: two numbers have four rows, four have 16, and 16 have 65,536.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal

CLAIMED = 0.5  # Of the mean square, at every layer.


def cases() -> Iterator[Case]:
    """One to three layers behind two numbers, and one or two behind three."""
    for numbers, most in ((2, 3), (3, 2)):
        for layers in range(1, most + 1):
            yield Case(name=f"{layers} layers behind {numbers} numbers", error=_error(numbers, layers, variance=1.0))


def twin() -> Iterator[Case]:
    """He's variance."""
    yield Case(name="twice the variance", error=_error(2, 3, variance=2.0))


def _error(numbers: int, layers: int, *, variance: float) -> float:
    """How far the share of the mean square that is left is from one half to the number of layers."""
    x = normal(numbers, numbers)
    start = x.square().mean()
    for _ in range(layers):
        x = torch.relu(_every_row(len(x)) @ x * (variance / len(x)) ** 0.5)
    return abs(float(x.square().mean() / start) / CLAIMED**layers - 1)


def _every_row(numbers: int) -> Tensor:
    """All rows of signs, of mean 0 and variance 1."""
    bits = torch.arange(2**numbers)[:, None] >> torch.arange(numbers) & 1
    return 2.0 * bits.double() - 1


CLAIM = Identity(
    statement="Xavier's start halves the signal of a ReLU network at every layer.",
    sources=(
        Source(
            who="He et al. 2015, Delving Deep into Rectifiers, section 2.2",
            stance="agrees",
            link="https://arxiv.org/abs/1502.01852",
        ),
        Source(
            who="Glorot & Bengio 2010, Understanding the difficulty of training deep feedforward neural networks",
            stance="denies",
            link="https://proceedings.mlr.press/v9/glorot10a.html",
        ),
    ),
    scope="the mean square over all weights of two values and variance 1 / fan-in, which is Xavier's where layers are "
    "as wide as what they see",
    unit="relative error of what is left",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
