"""A network whose ReLUs all pass is linear in its input.

Where no sign changes, a ReLU network is one matrix and one constant. It stops where a single unit closes.
"""

from collections.abc import Iterator

import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error

WIDTH = 12


def cases() -> Iterator[Case]:
    """The middle of two inputs against the middle of their outputs, with biases that hold every unit open or not."""
    for depth in (1, 3, 6):
        yield Case(name=f"{depth} layers, all open", error=_error(depth, bias=60.0))
        yield Case(name=f"{depth} layers, half open", error=_error(depth, bias=0.0), inside=False)


def twin() -> Iterator[Case]:
    """Some units are closed."""
    yield Case(name="half open", error=_error(3, bias=0.0))


def _error(depth: int, *, bias: float) -> float:
    weights = normal(depth, depth, WIDTH, WIDTH) / WIDTH**0.5
    a, b = normal(depth + 50, 2, WIDTH)
    return relative_error(
        _network((a + b) / 2, weights, bias), (_network(a, weights, bias) + _network(b, weights, bias)) / 2
    )


def _network(x: Tensor, weights: Tensor, bias: float) -> Tensor:
    for weight in weights:
        hidden = x @ weight
        # The bias is put back behind the ReLU, so that it does not grow from layer to layer.
        x = F.relu(hidden + bias) - bias
    return x


CLAIM = Identity(
    statement="A ReLU network is linear.",
    sources=(
        Source(
            who="Sandler et al. 2018, MobileNetV2, section 3.2",
            stance="agrees",
            link="https://arxiv.org/abs/1801.04381",
        ),
    ),
    scope=f"one to six layers of {WIDTH} units",
    holds_when="every unit passes on the whole way between the inputs",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
