"""The critical batch: where larger batches stop saving steps, from the steps that batches of several sizes took.

McCandlish, Kaplan, Amodei and others: An Empirical Model of Large-Batch Training (2018),
https://arxiv.org/abs/1812.06162. Steps S and samples E = B S to the same value follow ``(S / S_min - 1)(E / E_min - 1)
= 1`` (eq. 2.11), which is ``S = S_min (1 + B* / B)`` and ``E = E_min (1 + B / B*)`` with the critical batch ``B* =
E_min / S_min`` (eq. 2.12): a batch of that size takes twice the fewest steps and twice the fewest samples. Of GANs Sato
and Iiduka 2023 (https://arxiv.org/abs/2201.11989) found such curves.

The law is fitted by least squares of logarithms, so that every size counts alike. Its interval comes from drawing the
seeds anew within every size and rate and choosing the best rate again, since that choice is a matter of chance too.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from jaxtyping import Float

from ganvas.core.errors import UserError

N = TypeVar("N", float, np.ndarray)
FEWEST = 3  # Sizes: two of them fit any law.
REACH, CANDIDATES = 1000.0, 1001  # It is looked for so far beyond the sizes, among so many: 2 % apart.
RESAMPLED, LEVEL = 1000, 0.95

Took = Mapping[int, Mapping[float, Sequence[float]]]  # Samples by size, rate and seed; infinite where never reached.


@dataclass(frozen=True, kw_only=True)
class CriticalBatch:
    """The law of one value that is to be reached."""

    batch: float  # B*, in samples.
    least_steps: float  # With batches as large as one likes.

    @property
    def least_samples(self) -> float:
        """With batches as small as one likes."""
        return self.batch * self.least_steps

    def steps(self, batch_size: N) -> N:
        """What the law says of a size, or of several."""
        return self.least_steps * (1 + self.batch / batch_size)

    def is_among(self, sizes: Sequence[int]) -> bool:
        """Whether sizes on both sides of it were tried; else the law knows one of its two ends by guessing alone."""
        return min(sizes) <= self.batch <= max(sizes)


def samples_to(target: float, samples: Sequence[float], values: Sequence[float]) -> float:
    """Where values first come down to a target, on a line between two measurements; infinite where they do not.

    >>> samples_to(2.0, [0.0, 10.0, 20.0], [4.0, 3.0, 1.0])
    15.0
    """
    below = [place for place, value in enumerate(values) if value <= target]
    if not below:
        return np.inf
    after = below[0]
    if after == 0:
        return float(samples[0])
    share = (values[after - 1] - target) / (values[after - 1] - values[after])
    return float(samples[after - 1] + share * (samples[after] - samples[after - 1]))


def best_rates(took: Took) -> dict[int, float]:
    """Of every size the rate whose median over seeds comes first; no size of which none comes at all."""
    medians = {size: {rate: float(np.median(of)) for rate, of in by.items()} for size, by in took.items()}
    best = {size: min(by, key=lambda rate: by[rate]) for size, by in medians.items()}
    return {size: rate for size, rate in best.items() if np.isfinite(medians[size][rate])}


def critical_batch(took: Took) -> CriticalBatch:
    """The law through the medians of every size at its best rate.

    >>> found = critical_batch({16: {1.0: [17600.0]}, 64: {1.0: [22400.0]}, 256: {1.0: [41600.0]}})
    >>> round(found.batch), round(found.least_steps)
    (160, 100)

    Raises:
        UserError: fewer than three sizes came to the value.
    """
    rates = best_rates(took)
    if len(rates) < FEWEST:
        came = ", ".join(map(str, rates)) or "none"
        raise UserError(
            f"A law needs {FEWEST} batch sizes that came to the value, and these did: {came}. Train longer, ask for "
            "less, or try more sizes."
        )
    steps = {size: float(np.median(took[size][rate])) / size for size, rate in rates.items()}
    logs = np.log(list(steps.values()))
    batch = float(_batches(tuple(steps), logs[None])[0])
    return CriticalBatch(
        batch=batch, least_steps=float(np.exp((logs - np.log1p(batch / np.array(list(steps)))).mean()))
    )


def interval(took: Took, *, rng: np.random.Generator) -> tuple[float, float] | None:
    """The 95 % interval of the critical batch by bootstrap over seeds; None of a single seed.

    With few seeds it is too narrow: of three, resampling sees two thirds of the variance.
    """
    count = min(len(of) for by in took.values() for of in by.values())
    if count < 2:
        return None
    fewest = {
        size: np.stack([_resampled_medians(np.asarray(of), rng) for of in by.values()]).min(0)
        for size, by in took.items()
    }
    came = {size: np.isfinite(samples) for size, samples in fewest.items()}
    found = []
    for sizes in {tuple(size for size in fewest if came[size][place]) for place in range(RESAMPLED)}:
        if len(sizes) >= FEWEST:
            drawn = np.all([came[size] == (size in sizes) for size in fewest], axis=0)
            found.append(_batches(sizes, np.log([fewest[size][drawn] / size for size in sizes]).T))
    if not found:
        return None
    low, high = np.quantile(np.concatenate(found), [(1 - LEVEL) / 2, (1 + LEVEL) / 2])
    return float(low), float(high)


def _resampled_medians(samples: Float[np.ndarray, " seeds"], rng: np.random.Generator) -> Float[np.ndarray, " drawn"]:
    return np.median(samples[rng.integers(0, len(samples), (RESAMPLED, len(samples)))], axis=1)


def _batches(sizes: tuple[int, ...], logs: Float[np.ndarray, "many n"]) -> Float[np.ndarray, " many"]:
    """The critical batches of laws through logarithms of steps: least squares, by a parabola through the best three."""
    candidates = np.geomspace(min(sizes) / REACH, max(sizes) * REACH, CANDIDATES)
    shapes = np.log1p(candidates[:, None] / np.array(sizes, float))
    shapes -= shapes.mean(1, keepdims=True)
    misfits = np.square(shapes).sum(1) - 2 * (logs - logs.mean(1, keepdims=True)) @ shapes.T
    best = misfits.argmin(1).clip(1, CANDIDATES - 2)
    before, least, after = (misfits[np.arange(len(logs)), best + step] for step in (-1, 0, 1))
    beside = (before - after) / 2 / np.maximum(before - 2 * least + after, 1e-300)
    return candidates[best] * (candidates[1] / candidates[0]) ** beside.clip(-1, 1)
