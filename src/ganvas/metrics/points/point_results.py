"""Everything that can be measured of points against a law that is known: which values there are follows from the law.

::

    modes, modes.high_quality, modes.reverse_kl     a mixture of Gaussians
    js, js.reverse_kl, js.forward_kl                a law with a density
    w1                                              a law on a line whose quantiles are known, and whose mean is finite
    gap_mass, and gap_mass.bound and gap_mass.lipschitz of a generator whose steepest place is known
                                                    a law of two halves that are apart
    hill                                            a law with a Pareto tail
    support_size                                    every law
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from jaxtyping import Float, Float64

from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.results import Result
from ganvas.data.points.law import Gap, Mixture
from ganvas.data.points.line_law import LineLaw
from ganvas.data.points.mixtures import Gaussians
from ganvas.metrics.maths import support_size, tail_index
from ganvas.metrics.maths.distances import known_density
from ganvas.metrics.maths.distances.line_distance import wasserstein_error, wasserstein_to_law
from ganvas.metrics.maths.gap_mass import least_gap_mass
from ganvas.metrics.maths.mode_coverage import mode_results

TWIN = 1e-6  # Of the median reach of the law: points of a line that are nearer are alike; of a plane, its root.
MOST_BY_PAIRS = 4096  # Points of which all pairs are looked at.

Points = Float64[np.ndarray, "n d"]
Own = Float64[np.ndarray, "m d"]  # Drawn from the law.
Better = Literal["lower", "higher", "neither"]


@dataclass(frozen=True, kw_only=True)
class Value:
    """One number before it has a protocol."""

    metric: str
    value: float
    error: float | None
    method: str
    better: Better
    how: str  # What stands in the protocol between the law and n.
    n: int


def point_results(
    points: Float[np.ndarray, "n d"], law: Mixture, *, name: str, seed: int, lipschitz: float | None = None
) -> list[Result]:
    """All values of points against a law.

    Args:
        name: Of the law, for the protocol.
        seed: Of the law's own draws, which are never those of a source.
        lipschitz: The steepest place of the generator, from standard normal latents to points; None where it has none.
    """
    exact = points.astype(np.float64)
    reference = _draws(law, min(len(points), MOST_BY_PAIRS), seed=seed)
    values = [
        *_of_density(exact, reference, law, seed=seed),
        *_of_line(exact, law.on_a_line()),
        *_of_gap(exact, law.gap, lipschitz),
        *_of_tail(exact, law.tail),
        *_of_support(exact, reference),
    ]
    return _of_modes(points, law, name=name, seed=seed) + [
        Result(
            metric=one.metric,
            value=one.value,
            standard_error=one.error,
            error_method=one.method,
            n=one.n,
            seed=seed,
            better=one.better,
            protocol=f"{one.metric.partition('.')[0]}:{name}:{one.how}:n{one.n}",
        )
        for one in values
    ]


def names_of(law: Mixture) -> list[str]:
    """The names of the values that points can have against a law, without those of a generator."""
    names = ["modes", "modes.high_quality", "modes.reverse_kl"] if isinstance(law, Gaussians) else []
    if law.log_density(np.full((1, law.dims), 1.0)) is not None:
        names += ["js", "js.reverse_kl", "js.forward_kl"]
    line = law.on_a_line()
    if line is not None and math.isfinite(line.mean):
        names.append("w1")
    names += ["gap_mass"] if law.gap is not None else []
    return names + (["hill"] if law.tail is not None else []) + ["support_size"]


def _draws(law: Mixture, n: int, *, seed: int) -> Own:
    return law.points(np.arange(n), seed=derive_seed(seed, "draws of a law"))[0].astype(np.float64)


def _of_modes(points: Float[np.ndarray, "n d"], law: Mixture, *, name: str, seed: int) -> list[Result]:
    if not isinstance(law, Gaussians):
        return []
    return mode_results(points, law.centres, sigma=law.sigma, shares=law.shares, seed=seed, law=name)


def _of_density(points: Points, reference: Own, law: Mixture, *, seed: int) -> Iterator[Value]:
    """Of the first points only; one that is not finite makes all three as bad as they can be."""

    def log_density(at: Float64[np.ndarray, "k d"]) -> Float64[np.ndarray, " k"]:
        found = law.log_density(at)
        assert found is not None
        return found

    chosen = points[:MOST_BY_PAIRS]
    if law.log_density(reference[:1]) is None or len(chosen) < known_density.LEAST:
        return
    whole = known_density.Divergences(reverse_kl=math.inf, forward_kl=math.inf, js=math.log(2))
    error = None
    if np.isfinite(chosen).all():
        whole = known_density.divergences(chosen, reference, log_density)
        error = known_density.divergence_errors(chosen, reference, log_density, seed=seed)
    found = (
        ("js", whole.js, error and error.js),
        ("js.reverse_kl", whole.reverse_kl, error and error.reverse_kl),
        ("js.forward_kl", whole.forward_kl, error and error.forward_kl),
    )
    how = f"k{known_density.K}-nearest:nats"
    method = f"{known_density.SPLITS} random splits into halves"
    for metric, value, of_value in found:
        finite = of_value if of_value is not None and math.isfinite(of_value) else None
        yield Value(metric=metric, value=value, error=finite, method=method, better="lower", how=how, n=len(chosen))


def _of_line(points: Points, line: LineLaw | None) -> Iterator[Value]:
    if line is None or not math.isfinite(line.mean):
        return
    numbers = points[:, 0]
    yield Value(
        metric="w1",
        value=wasserstein_to_law(numbers, line),
        error=wasserstein_error(numbers, line),
        method="influence function",
        better="lower",
        how="exact",
        n=len(numbers),
    )


def _of_gap(points: Points, gap: Gap | None, lipschitz: float | None) -> Iterator[Value]:
    if gap is None:
        return
    n, across = len(points), points[:, 0]
    share, left = float(((across > gap.low) & (across < gap.high)).mean()), float((across <= gap.low).mean())
    how = f"{gap.low:g}-to-{gap.high:g}"
    rare = (share * n + 0.5) / (n + 1)
    error = math.sqrt(rare * (1 - rare) / n)
    yield Value(metric="gap_mass", value=share, error=error, method="binomial", better="lower", how=how, n=n)
    if lipschitz is not None:
        bound = least_gap_mass(left, gap.width, lipschitz)
        of_generator = (("gap_mass.bound", bound), ("gap_mass.lipschitz", lipschitz))
        for metric, value in of_generator:
            yield Value(metric=metric, value=value, error=None, method="", better="neither", how=how, n=n)


def _of_tail(points: Points, tail: float | None) -> Iterator[Value]:
    largest = tail_index.tail_size(len(points))
    distance = np.sqrt((points**2).sum(1))
    if tail is None or len(points) <= largest or not np.isfinite(distance).all():
        return
    index = tail_index.hill(distance, largest=largest)
    error = tail_index.hill_error(index, largest=largest)
    how = f"largest{largest}"
    yield Value(
        metric="hill", value=index, error=error, method="exponential logs", better="neither", how=how, n=len(points)
    )


def _of_support(points: Points, reference: Own) -> Iterator[Value]:
    chosen = points[:MOST_BY_PAIRS]
    away = np.sqrt(((reference - np.median(reference, axis=0)) ** 2).sum(1))
    share = TWIN ** (1 / points.shape[1])
    within = share * float(np.median(away))
    counts = support_size.twins(chosen, within=within)
    yield Value(
        metric="support_size",
        value=support_size.support_size(counts),
        error=support_size.support_size_error(counts),
        method="U statistic",
        better="higher",
        how=f"within{share:g}-of-median-reach",
        n=len(chosen),
    )
