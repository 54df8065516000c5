"""Units cause objects: without a unit whose map agrees with an object, the object is gone.

A map can agree with an object that others paint: because nothing reads it, or because another unit paints the same.
Only what is taken away tells.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source

PICTURES, SIDE, SHARE, AGREES = 64, 16, 0.1, 0.5
PAINTS, FOLLOWS, TWINS = "paints alone", "is read by nothing", "paints what a twin paints too"
WEIGHTS = {PAINTS: (1.0, 0.0), FOLLOWS: (0.0, 1.0), TWINS: (1.0, 1.0)}  # By which a colour reads two equal maps.


def cases() -> Iterator[Case]:
    """The share of an object's pixels that stay without the unit; every unit's map agrees with its object."""
    for name in WEIGHTS:
        yield Case(name=f"a unit that {name}", error=_left(name), inside=name == PAINTS)


def twin() -> Iterator[Case]:
    """A unit of another object."""
    yield Case(name="another object's unit", error=_left(PAINTS, without=2))


def _left(name: str, *, without: int = 0) -> float:
    maps = _maps()
    there = _painted(maps, WEIGHTS[name]) > 0.5
    if without == 0 and _overlap(maps[:, 0] > 0.5, there) < AGREES:
        return 1.0  # It does not agree, so that nothing is claimed of it.
    ablated = maps.clone()
    ablated[:, without] = 0
    return float((_painted(ablated, WEIGHTS[name])[there] > 0.5).double().mean())


def _overlap(active: Bool[Tensor, "n h w"], there: Bool[Tensor, "n h w"]) -> float:
    """Intersection over union over all pictures, the score of Bau et al. 2019."""
    return float((active & there).sum() / (active | there).sum())


def _maps() -> Float[Tensor, "n units h w"]:
    """Two equal maps of one object, and one of another: blocks that are active here and there."""
    generator = torch.Generator().manual_seed(0)
    blocks = (torch.rand(PICTURES, 2, SIDE // 4, SIDE // 4, generator=generator) < SHARE).float()
    blocks = blocks + 0.01 * torch.rand(blocks.shape, generator=generator)
    maps = F.interpolate(blocks, scale_factor=4, mode="nearest")
    return maps[:, [0, 0, 1]]


def _painted(maps: Float[Tensor, "n units h w"], weights: tuple[float, float]) -> Float[Tensor, "n h w"]:
    """The object's colour, which cannot be more than full."""
    return (weights[0] * maps[:, 0] + weights[1] * maps[:, 1]).clamp(0, 1)


CLAIM = Identity(
    statement="Without a unit whose map agrees with an object the object is gone.",
    sources=(
        Source(
            who="Bau et al. 2019, GAN Dissection, section 3.2 (which therefore ablates sets of units)",
            stance="denies",
            link="https://arxiv.org/abs/1811.10597",
        ),
        Source(who="a common reading of maps of units", stance="agrees"),
    ),
    scope=f"a planted generator of {SIDE} x {SIDE} pixels, {PICTURES} pictures",
    unit="share of the object's pixels that stay",
    holds_when="the unit paints the object and no other does",
    cases=cases,
    twin=twin,
    smallest_effect=0.01,
)
