"""A deeper plain network can compute whatever a shallower one does.

Layers of identity kernels pass what is not negative through their ReLU, so that 56 layers can be 20 and 36 identities.
It says what a deep network can be, and not that training finds it.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error

CHANNELS = 4


def cases() -> Iterator[Case]:
    """Networks of convolutions and ReLUs with identities behind them."""
    for shallow, more in ((2, 1), (5, 9), (20, 36)):
        yield Case(name=f"{shallow} layers and {more} identities", error=_error(shallow, more, 1.0))


def twin() -> Iterator[Case]:
    """Identities that turn the sign, which the ReLU cuts."""
    yield Case(name="minus the identity", error=_error(5, 1, -1.0))


def _error(shallow: int, more: int, gain: float) -> float:
    weights = normal(shallow, shallow, CHANNELS, CHANNELS, 3, 3) * (2 / (9 * CHANNELS)) ** 0.5
    identity = torch.zeros(CHANNELS, CHANNELS, 3, 3, dtype=torch.float64)
    identity[range(CHANNELS), range(CHANNELS), 1, 1] = gain
    x = normal(1, 2, CHANNELS, 8, 8)
    return relative_error(_network(x, [*weights, *[identity] * more]), _network(x, list(weights)))


def _network(x: Tensor, weights: list[Tensor]) -> Tensor:
    for weight in weights:
        x = F.relu(F.conv2d(x, weight, padding=1))
    return x


CLAIM = Identity(
    statement="A deeper plain network can compute whatever a shallower one does.",
    sources=(
        Source(
            who="He et al. 2016, Deep Residual Learning, section 1 (a solution by construction)",
            stance="agrees",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
    scope="3 x 3 convolutions of 4 channels with ReLUs, up to 56 layers",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
