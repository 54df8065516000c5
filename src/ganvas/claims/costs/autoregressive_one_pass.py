"""One pass gives every conditional of an autoregressive network: it is trained in parallel.

Sampling is in turns. For training all numbers are known, and one pass through masked weights gives every conditional at
once, as passes in turns do that see nothing of what is to come.
"""

from collections.abc import Iterator

import torch
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error

NUMBERS = 12


def cases() -> Iterator[Case]:
    """The conditionals of one pass against those of passes in turns, for networks of one to three hidden layers."""
    for hidden in (1, 2, 3):
        yield Case(name=f"{hidden} hidden layers", error=_error(hidden, masked=True))


def twin() -> Iterator[Case]:
    """Weights without a mask, which look ahead."""
    yield Case(name="no mask", error=_error(2, masked=False))


def _error(hidden: int, *, masked: bool) -> float:
    weights = normal(hidden, hidden + 1, NUMBERS, NUMBERS)
    if masked:  # The first layer sees earlier numbers alone, the others also their own place.
        weights = torch.stack([weights[0].tril(-1), *(weight.tril() for weight in weights[1:])])
    x = normal(10 + hidden, NUMBERS)
    turns = [_conditionals(torch.cat([x[:place], torch.zeros(NUMBERS - place)]), weights) for place in range(NUMBERS)]
    in_turns = torch.stack([found[place] for place, found in enumerate(turns)])
    return relative_error(_conditionals(x, weights), in_turns)


def _conditionals(x: Tensor, weights: Tensor) -> Tensor:
    """What the network says of each number."""
    for weight in weights[:-1]:
        x = torch.tanh(weight @ x.to(weight))
    return weights[-1] @ x


CLAIM = Identity(
    statement="One pass gives every conditional of an autoregressive network, so that training is parallel.",
    sources=(
        Source(
            who="Germain et al. 2015, MADE: Masked Autoencoder for Distribution Estimation",
            stance="agrees",
            link="https://arxiv.org/abs/1502.03509",
        ),
        Source(who="the view that such models are in turns and therefore not parallel", stance="denies"),
    ),
    scope=f"masked dense networks of {NUMBERS} numbers",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
