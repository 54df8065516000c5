"""Collapse of a low-dimensional manifold in a ReLU: a spiral goes up to n dimensions, through a ReLU, and back down.

Sandler et al. 2018, MobileNetV2, section 3.2 and figure 1. https://arxiv.org/abs/1801.04381

Points ``X`` (N x 2) become ``Z = ReLU(X T)`` with a random Gaussian ``T`` (2 x n). Two decoders bring them back:

- the paper's, ``Z T^+``: it does not become exact as n grows. A ReLU keeps half of a vector that points anywhere, so
  ``Z T^+`` tends to ``X / 2`` and its error to one half: the shape comes back at half the size;
- the best linear one, ``Z W`` with ``W`` by least squares: exact as soon as enough directions are active everywhere.

What is lost for good shows in the share of points at which fewer than two of the n directions are active: they cannot
be told from their neighbours by any decoder. For directions that are symmetric about 0 it is ``(n + 1) / 2^n``.

The paper draws a spiral and prints neither its form nor a number. Here it is an Archimedean one of two turns; between
one turn and four, medians move by less than 0.06, and the order of the dimensions not at all.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream

DIMENSIONS = (2, 3, 5, 15, 30)  # Of the paper's figure.
POINTS, DRAWS = 300, 300
MOST = 256  # Dimensions: of more nothing new is seen, and the decoder takes their cube in time.

Points = Float[Tensor, "n 2"]


@dataclass(frozen=True, kw_only=True)
class Spread:
    """Of one decoder's relative errors ``|X' - X| / |X|`` over draws of T."""

    median: float
    lower: float  # First quartile.
    upper: float  # Third quartile.
    standard_error: float  # Of the median: 1.2533 deviations / sqrt(draws), the deviation from the quartiles.


@dataclass(frozen=True, kw_only=True)
class Collapse:
    """What came back from one number of dimensions."""

    dimensions: int
    pseudo_inverse: Spread
    best_linear: Spread
    distinguishable: float  # Share of points with two active directions or more, mean over draws.
    distinguishable_theory: float  # 1 - (n + 1) / 2^n.
    points: Points
    example: tuple[Points, Points]  # Of either decoder, what came back from its draw of median error.


def spiral(count: int = POINTS, *, turns: float = 2.0) -> Points:
    """An Archimedean spiral to radius 1, evenly spaced in angle (float64); the origin itself activates nothing."""
    angle = torch.arange(1, count + 1, dtype=torch.float64) / count * turns * 2 * torch.pi
    return torch.stack([angle * angle.cos(), angle * angle.sin()], 1) / angle[-1]


def collapse(
    dimensions: Sequence[int] = DIMENSIONS,
    *,
    points: Float[Tensor, "..."] | None = None,
    draws: int = DRAWS,
    seed: int = 0,
) -> list[Collapse]:
    """Sends points through a ReLU in each of these numbers of dimensions and back.

    Raises:
        UserError: a number of dimensions below 1 or above 256, no draws, or points that are no plane's.
    """
    if not dimensions or min(dimensions) < 1 or max(dimensions) > MOST:
        listed = ", ".join(map(str, dimensions)) or "(none)"
        raise UserError(f"Dimensions {listed}: each must be from 1 to {MOST}.")
    if draws < 1:
        raise UserError(f"{draws} draws say nothing: take 1 or more.")
    x = spiral() if points is None else _checked(points)
    return [_in(n, x, draws, seed) for n in dimensions]


def _checked(points: Float[Tensor, "..."]) -> Points:
    if points.dim() != 2 or points.shape[1] != 2 or len(points) < 2 or not bool(points.isfinite().all()):
        shape = " x ".join(map(str, points.shape))
        raise UserError(f"Points of shape {shape} are not of a plane: give two finite numbers for each, two or more.")
    if not float(points.double().norm()) > 0:
        raise UserError("All points are the origin, which a ReLU keeps. Give others.")
    return points.double()


def _in(n: int, x: Points, draws: int, seed: int) -> Collapse:
    t = torch.randn(draws, 2, n, generator=stream(seed, "collapse", n), dtype=torch.float64)
    z = (x @ t).relu()
    back = z @ torch.linalg.pinv(t)
    best = z @ torch.linalg.lstsq(z, x.expand(draws, -1, -1), driver="gelsd").solution  # Columns of z may all be 0.
    by_inverse, by_best = ((found - x).norm(dim=(1, 2)) / x.norm() for found in (back, best))
    middles = [int((errors - errors.quantile(0.5)).abs().argmin()) for errors in (by_inverse, by_best)]
    return Collapse(
        dimensions=n,
        pseudo_inverse=_spread(by_inverse),
        best_linear=_spread(by_best),
        distinguishable=float((z > 0).sum(-1).ge(2).double().mean()),
        distinguishable_theory=1 - (n + 1) / 2**n,
        points=x,
        example=(back[middles[0]], best[middles[1]]),
    )


def _spread(errors: Float[Tensor, " draws"]) -> Spread:
    lower, median, upper = torch.quantile(errors, torch.tensor([0.25, 0.5, 0.75], dtype=torch.float64)).tolist()
    deviation = (upper - lower) / 1.349
    return Spread(median=median, lower=lower, upper=upper, standard_error=1.2533 * deviation / math.sqrt(len(errors)))
