"""The variance of a decoder's noise, chosen on pictures apart from those that are measured.

In Wu et al. (2017) every model gets the variance that is best for it on validation pictures, and values depend on it.
So the neighbours of the chosen one are tried as well, and what they cost is said.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.metrics.ais import Config, Tick, log_likelihood
from ganvas.metrics.likelihood.observation_models import Decoder, Gaussian

START = 0.025  # Of colours in [0, 1].
SMALLEST, LARGEST = 1e-6, 1.0

Values = Float[Tensor, " pictures"]


@dataclass(frozen=True, kw_only=True)
class Choice:
    """The best variance and what it rests on."""

    variance: float
    tried: dict[float, float]  # Mean nats per picture by variance.
    halved: tuple[float, float]  # Nats per picture lost at half the best variance tried, and the standard error.
    doubled: tuple[float, float]  # The same at twice it.

    @property
    def dependence(self) -> str:
        """``weak`` where neither half nor twice the variance changes the value by more than two standard errors."""
        return "strong" if any(abs(loss) > 2 * error for loss, error in (self.halved, self.doubled)) else "weak"


def choose_variance(
    decoder: Decoder,
    pictures: Tensor,
    *,
    config: Config,
    seed: int = 0,
    start: float = START,
    rows: int | None = None,
    tick: Tick | None = None,
) -> Choice:
    """Doubles or halves the variance while that helps, then takes the top of the parabola through the best three.

    All variances are tried with the same random numbers, so that differences between them are surer than the values.
    """

    def value(variance: float) -> Values:
        how = {"config": config, "seed": seed, "rows": rows, "tick": tick}
        return log_likelihood(decoder, pictures, Gaussian(variance=variance), **how).values

    tried = climb(value, start)
    means = {variance: float(values.mean()) for variance, values in sorted(tried.items())}
    best = max(means, key=lambda variance: means[variance])
    below, above = tried.get(best / 2), tried.get(best * 2)
    offset = 0.0
    if below is not None and above is not None:
        offset = top(means[best / 2], means[best], means[best * 2])
    return Choice(
        variance=best * 2**offset,
        tried=means,
        halved=_loss(tried[best], below),
        doubled=_loss(tried[best], above),
    )


def climb(value: Callable[[float], Values], start: float) -> dict[float, Values]:
    """Values at ``start`` times powers of 2, on either side of the best, or up to where variances end."""
    tried = {variance: value(variance) for variance in (start, start / 2, start * 2)}
    while True:
        best = max(tried, key=lambda variance: float(tried[variance].mean()))
        missing = [near for near in (best / 2, best * 2) if near not in tried and SMALLEST <= near <= LARGEST]
        if not missing:
            return tried
        tried[missing[0]] = value(missing[0])


def top(left: float, middle: float, right: float) -> float:
    """Where the parabola through values at -1, 0 and 1, of which the middle one is the largest, has its top.

    >>> top(0.0, 1.0, 1.0)
    0.5
    """
    bend = left - 2 * middle + right
    return 0.5 * (left - right) / bend if bend < 0 else 0.0


def _loss(best: Values, other: Values | None) -> tuple[float, float]:
    if other is None:
        return math.nan, math.nan
    lost = best - other
    error = float(lost.std()) / math.sqrt(len(lost)) if len(lost) > 1 else math.nan
    return float(torch.mean(lost)), error
