"""Three layers of 3 x 3 compute what one of 7 x 7 does.

They see as far, with 27 C^2 weights for 49 C^2. Of one channel and without a ReLU they make a 7 x 7 kernel, and all
kernels that they make form a set of 25 dimensions (27 weights, two of which only move scale from layer to layer) in the
49 of all. With a ReLU between them neither contains the other.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal


def cases() -> Iterator[Case]:
    """The share of the dimensions of large kernels that stacks do not reach, at random stacks."""
    for layers in (2, 3):
        side = 2 * layers + 1
        yield Case(name=f"{layers} of 3 x 3 for one of {side} x {side}", error=_missing(layers, 3))


def twin() -> Iterator[Case]:
    """A layer too few, whose kernels are surrounded by zeros."""
    reached = (1 - _missing(2, 3)) * 25
    yield Case(name="two of 3 x 3 for one of 7 x 7", error=1 - reached / 49)


def _missing(layers: int, taps: int) -> float:
    weights = normal(layers, layers, taps, taps)
    large = _stacked(weights)
    moved = torch.autograd.functional.jacobian(lambda w: _stacked(w).flatten(), weights)
    assert isinstance(moved, Tensor)
    return 1 - int(torch.linalg.matrix_rank(moved.flatten(1))) / large.numel()


def _stacked(weights: Tensor) -> Tensor:
    """The one kernel that a stack of convolutions of a channel is."""
    kernel = weights[:1][None]
    for weight in weights[1:]:
        kernel = F.conv2d(kernel, weight[None, None], padding=weights.shape[-1] - 1)
    return kernel[0, 0]


CLAIM = Identity(
    statement="Three layers of 3 x 3 compute what one of 7 x 7 does.",
    sources=(
        Source(who="a common reading of VGG", stance="agrees"),
        Source(
            who="Simonyan & Zisserman 2015, section 2.3 (a decomposition that regularises)",
            stance="denies",
            link="https://arxiv.org/abs/1409.1556",
        ),
    ),
    scope="one channel, no ReLU between",
    unit="share of the dimensions of large kernels that stacks do not reach",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
