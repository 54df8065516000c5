"""The output of a residual network is its input plus the outputs of all blocks.

``x_L = x_0 + sum F_l(x_l)`` is exact where nothing follows the sum (pre-activation, He et al. 2016b). The ReLU behind
each sum of the first residual networks breaks it.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error

WIDTH = 16


def cases() -> Iterator[Case]:
    """Stacks of residual blocks with and without a ReLU behind the sum."""
    for depth in (2, 8, 32):
        yield Case(name=f"{depth} blocks, pre-activation", error=_error(depth, after=False))
        yield Case(name=f"{depth} blocks, ReLU behind the sum", error=_error(depth, after=True), inside=False)


def twin() -> Iterator[Case]:
    """Shortcuts that halve."""
    yield Case(name="halved", error=_error(4, after=False, shortcut=0.5))


def _error(depth: int, *, after: bool, shortcut: float = 1.0) -> float:
    x = start = normal(depth, 4, WIDTH)
    branches: list[Tensor] = []
    for weight in normal(depth + 1, depth, WIDTH, WIDTH) / WIDTH**0.5:
        branches.append(F.relu(x) @ weight)
        x = shortcut * x + branches[-1]
        x = F.relu(x) if after else x
    return relative_error(start + sum(branches), x)


CLAIM = Identity(
    statement="The output of a residual network is its input plus the outputs of all its blocks.",
    sources=(
        Source(
            who="He et al. 2016, Identity Mappings in Deep Residual Networks, equation 4",
            stance="agrees",
            link="https://arxiv.org/abs/1603.05027",
        ),
        Source(
            who="He et al. 2016, Deep Residual Learning (a ReLU behind the sum)",
            stance="denies",
            link="https://arxiv.org/abs/1512.03385",
        ),
    ),
    scope="2 to 32 dense blocks of 16 units",
    holds_when="nothing follows the sum",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
