"""Two laws at a Frechet distance of 0 are one.

The distance compares means and covariances. Laws that share both and nothing else are at distance 0; only between
Gaussians does it see everything.
"""

import math
from collections.abc import Iterator
from statistics import NormalDist

import numpy as np
from jaxtyping import Float

from ganvas.claims.judging.claim import Case, Identity, Source

Quantiles = Float[np.ndarray, " places"]
PLACES = 100_000


def cases() -> Iterator[Case]:
    """Wasserstein-1 between a standard Gaussian and laws of mean 0 and variance 1, by their quantiles."""
    gaussian = _gaussian(0.0, 1.0)
    share = (np.arange(PLACES) + 0.5) / PLACES
    same = _standardised(gaussian)
    yield Case(name="a Gaussian", error=_apart(same, gaussian))
    uniform, coin = (share - 0.5) * math.sqrt(12), np.sign(share - 0.5)
    exponential = -np.log(1 - share) - 1
    for name, law in (("a uniform law", uniform), ("a coin", coin), ("an exponential law", exponential)):
        yield Case(name=name, error=_apart(_standardised(law), gaussian), inside=False)


def twin() -> Iterator[Case]:
    """Gaussians of unlike means, which are at a distance."""
    yield Case(name="shifted", error=_apart(_gaussian(0.5, 1.0), _gaussian(0.0, 1.0)))


def _gaussian(mean: float, deviation: float) -> Quantiles:
    law = NormalDist(mean, deviation)
    return np.array([law.inv_cdf((place + 0.5) / PLACES) for place in range(PLACES)])


def _standardised(law: Quantiles) -> Quantiles:
    return (law - law.mean()) / law.std()


def _apart(a: Quantiles, b: Quantiles) -> float:
    return float(np.abs(np.sort(a) - np.sort(b)).mean())


CLAIM = Identity(
    statement="Two laws at a Frechet distance of 0 are one.",
    sources=(
        Source(who="a common reading of FID", stance="agrees"),
        Source(
            who="Heusel et al. 2017, section 4 (first two moments are compared)",
            stance="denies",
            link="https://arxiv.org/abs/1706.08500",
        ),
    ),
    scope="laws on a line with mean 0 and variance 1, against a standard Gaussian",
    holds_when="both are Gaussian",
    unit="Wasserstein-1, in deviations",
    cases=cases,
    twin=twin,
    smallest_effect=1e-3,
)
