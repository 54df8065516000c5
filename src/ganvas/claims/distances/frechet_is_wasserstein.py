"""The Frechet distance of FID is the squared Wasserstein-2 distance of two Gaussians.

On a line Wasserstein-2 is the mean squared difference of quantiles, which nothing of the formula goes into.
"""

from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
import torch

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.metrics.maths.frechet import frechet_distance

PLACES = 100_000


def cases() -> Iterator[Case]:
    """Gaussians on a line, and products of them along axes."""
    for shift, a, b in ((0.0, 1.0, 1.0), (2.0, 1.0, 1.0), (0.0, 1.0, 3.0), (1.5, 0.5, 2.0)):
        yield Case(name=f"means {shift:g} apart, deviations {a:g} and {b:g}", error=_error((shift,), (a,), (b,)))
    yield Case(name="three axes", error=_error((1.0, 0.0, -2.0), (1.0, 2.0, 0.5), (1.0, 0.5, 0.7)))


def twin() -> Iterator[Case]:
    """Deviations where variances belong."""
    found = _frechet((0.0,), (1.0,), (3.0**0.5,))
    yield Case(name="deviations for variances", error=abs(found / _by_quantiles(0.0, 1.0, 3.0) - 1))


def _error(shifts: tuple[float, ...], a: tuple[float, ...], b: tuple[float, ...]) -> float:
    expected = sum(_by_quantiles(*axis) for axis in zip(shifts, a, b, strict=True))
    return abs(_frechet(shifts, a, b) - expected) / max(expected, 1.0)


def _frechet(shifts: tuple[float, ...], a: tuple[float, ...], b: tuple[float, ...]) -> float:
    mean = torch.tensor(shifts, dtype=torch.float64)
    first, second = (torch.tensor(one, dtype=torch.float64).square().diag() for one in (a, b))
    return frechet_distance(torch.zeros_like(mean), first, mean, second)


def _by_quantiles(shift: float, a: float, b: float) -> float:
    law = NormalDist()
    z = np.array([law.inv_cdf((place + 0.5) / PLACES) for place in range(PLACES)])
    return float(((shift + b * z - a * z) ** 2).mean())


CLAIM = Identity(
    statement="The Frechet distance of FID is the squared Wasserstein-2 distance of two Gaussians.",
    sources=(
        Source(
            who="Dowson & Landau 1982, The Frechet distance between multivariate normal distributions",
            stance="agrees",
            link="https://doi.org/10.1016/0047-259X(82)90077-X",
        ),
    ),
    scope="Gaussians on a line and along three axes; quantiles at 100,000 places",
    cases=cases,
    twin=twin,
    smallest_effect=1e-3,
)
