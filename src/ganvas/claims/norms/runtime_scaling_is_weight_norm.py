"""Scaling weights at run time is a kind of weight normalisation.

Weight normalisation divides by the weight's own length, so the output does not change when the stored weight grows. The
equalised learning rate multiplies by a constant of the layer's shape: the output stays linear in the stored weight.
"""

from collections.abc import Iterator

import torch

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.nn.layers.equalized import EqualizedLinear

FACTORS = (0.5, 2.0, 10.0)


def cases() -> Iterator[Case]:
    """How much the output of a layer changes when its stored weight is multiplied."""
    for factor in FACTORS:
        yield Case(name=f"stored weight times {factor:g}", error=_change(factor))


def twin() -> Iterator[Case]:
    """The weight is turned as well, which no normalisation forgives."""
    yield Case(name="sign exchanged", error=_change(-1.0))


@torch.no_grad()
def _change(factor: float) -> float:
    layer = EqualizedLinear(8, 5).double()
    layer.weight.copy_(normal(1, 5, 8))
    if layer.bias is not None:
        layer.bias.zero_()
    x = normal(2, 3, 8)
    before = layer(x)
    layer.weight.mul_(factor)
    return relative_error(layer(x), before)


CLAIM = Identity(
    statement="The output of a layer with an equalised learning rate does not depend on the scale of its weight.",
    sources=(
        Source(who="a common comparison with weight normalisation", stance="agrees"),
        Source(
            who="Karras et al. 2018, Progressive Growing of GANs, section 4.1 (a constant per layer)",
            stance="denies",
            link="https://arxiv.org/abs/1710.10196",
        ),
    ),
    scope="a linear layer of 8 to 5",
    unit="relative change of the output",
    cases=cases,
    twin=twin,
    smallest_effect=1e-6,
)
