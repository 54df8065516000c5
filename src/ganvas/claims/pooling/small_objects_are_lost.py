"""Objects of fewer than 16 pixels are lost behind four poolings of 2 by 2.

Behind poolings alone a pixel stands at 16 x 16 places alike. A convolution in front of each pooling writes into the
channels where within the pooled square it stood, even with random weights, so that nothing of the place is lost.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source

SIDE, POOLINGS, CHANNELS = 32, 4, 16
APART = 1e-6  # Features of two places that differ by less, in their own root mean square, are one.


def cases() -> Iterator[Case]:
    """The share of an object's places that can be read from what is left of it."""
    for size in (1, 2, 4):
        yield Case(name=f"{size} x {size}, poolings alone", error=_told(size, convolved=False))
        yield Case(name=f"{size} x {size}, convolutions between", error=_told(size, convolved=True), inside=False)


def twin() -> Iterator[Case]:
    """No pooling at all."""
    yield Case(name="the picture itself", error=_share_alone(_pictures(1).flatten(1)))


def _told(size: int, *, convolved: bool) -> float:
    generator = torch.Generator().manual_seed(size)
    x = _pictures(size)
    for _ in range(POOLINGS):
        if convolved:
            weight = torch.randn(CHANNELS, x.shape[1], 3, 3, generator=generator, dtype=torch.float64)
            x = F.relu(F.conv2d(x, weight / (4.5 * x.shape[1]) ** 0.5, padding=1))
        x = F.max_pool2d(x, 2)
    return _share_alone(x.flatten(1))


def _share_alone(features: Float[Tensor, "n f"]) -> float:
    """The share of rows that no other row is equal to."""
    scaled = features / features.square().mean().sqrt()
    distances = torch.cdist(scaled, scaled, compute_mode="donot_use_mm_for_euclid_dist")
    distances.fill_diagonal_(torch.inf)
    return float((distances.amin(1) > APART).double().mean())


def _pictures(size: int) -> Float[Tensor, "n 1 side side"]:
    """A square at every place where it is whole, one picture each."""
    places = SIDE - size + 1
    x = torch.zeros(places**2, 1, SIDE, SIDE, dtype=torch.float64)
    for place in range(places**2):
        top, left = divmod(place, places)
        x[place, 0, top : top + size, left : left + size] = 1.0
    return x


CLAIM = Identity(
    statement="Where an object of fewer than 16 pixels stood is lost behind four poolings of 2 by 2.",
    sources=(Source(who="a common reason for networks without pooling", stance="agrees"),),
    scope=f"one square on {SIDE} x {SIDE} pixels, {CHANNELS} channels of random convolutions of 3 x 3 with ReLUs",
    unit="share of places that can be told",
    holds_when="nothing is computed between the poolings",
    cases=cases,
    twin=twin,
    smallest_effect=0.01,
)
