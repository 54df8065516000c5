"""Mode coverage: how many modes of a known mixture a set of points reaches, and how much of it lies at one.

Srivastava et al. 2017, VEEGAN: Reducing Mode Collapse in GANs using Implicit Variational Learning.
https://arxiv.org/abs/1705.07761. Lin et al. 2018, PacGAN, section 4. https://arxiv.org/abs/1712.04086

A sample is of high quality when it lies within three standard deviations of the nearest mode; a mode is reached when it
is the nearest of at least one such sample. In two dimensions 98.89 % of the law's own samples are of high quality.
The reverse divergence is ``KL(q || p)`` in nats, between the modes' shares q of the high-quality samples and the law's
p; without any such sample it is infinite. It is about (k - 1) / 2n too large with k modes and n samples.
"""

import math
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float, Int

from ganvas.core.results import Result

REACH = 3.0  # Standard deviations around a mode.


@dataclass(frozen=True, kw_only=True)
class ModeCounts:
    """Where the samples of a set lie."""

    per_mode: Int[np.ndarray, " k"]  # High-quality samples whose nearest mode it is.
    n: int  # Samples, of whatever quality.
    reached: int  # Modes with at least ``least`` of them.
    high_quality: float  # Share of the samples.
    reverse_kl: float


def count_modes(
    points: Float[np.ndarray, "n d"],
    centres: Float[np.ndarray, "k d"],
    *,
    sigma: float,
    shares: Float[np.ndarray, " k"],
    least: int = 1,
) -> ModeCounts:
    """Counts the samples at every mode.

    Args:
        points: Samples. One that is not finite lies at no mode.
        centres: Of the modes.
        sigma: Standard deviation of every mode, per dimension.
        shares: Of the modes in the law; they sum to one.
        least: High-quality samples that a mode needs to count as reached.
    """
    exact = np.nan_to_num(points.astype(np.float64), nan=np.inf, posinf=np.inf, neginf=np.inf)
    distance = np.sqrt(((exact[:, None, :] - centres) ** 2).sum(2))
    nearest = distance.argmin(1)
    good = distance[np.arange(len(points)), nearest] <= REACH * sigma
    per_mode = np.bincount(nearest[good], minlength=len(centres))
    return ModeCounts(
        per_mode=per_mode,
        n=len(points),
        reached=int((per_mode >= least).sum()),
        high_quality=float(good.mean()),
        reverse_kl=_reverse_kl(per_mode, shares),
    )


def mode_results(
    points: Float[np.ndarray, "n d"],
    centres: Float[np.ndarray, "k d"],
    *,
    sigma: float,
    shares: Float[np.ndarray, " k"],
    seed: int,
    law: str,
) -> list[Result]:
    """Modes reached, share of high quality and reverse divergence, with standard errors of the draw of ``points``.

    Errors: of the count of modes, from each mode's chance ``(1 - c/n)^n`` to be missed by such a draw, c samples having
    been found at it; a mode that was missed adds nothing. Of the share, ``sqrt(p (1 - p) / n)``. Of the divergence, the
    standard deviation of ``log q/p`` over the high-quality samples, over the root of their number; where all lie at one
    mode, with half a sample more at every mode.

    Args:
        seed: Of the draw, for the results.
        law: Name of the mixture, for the protocol.
    """
    found = count_modes(points, centres, sigma=sigma, shares=shares)
    missed = (1 - found.per_mode / found.n) ** found.n
    inside = (found.high_quality * found.n + 0.5) / (found.n + 1)
    share_error = math.sqrt(inside * (1 - inside) / found.n)
    values = (
        ("modes", float(found.reached), math.sqrt((missed * (1 - missed)).sum()), "chance of a miss", "higher"),
        ("modes.high_quality", found.high_quality, share_error, "binomial", "higher"),
        ("modes.reverse_kl", found.reverse_kl, _kl_error(found.per_mode, shares), "delta method", "lower"),
    )
    protocol = f"modes:{law}:k{len(centres)}:within-{REACH:g}-sigma:n{found.n}"
    return [
        Result(
            metric=name,
            value=value,
            standard_error=error,
            error_method=method,
            n=found.n,
            seed=seed,
            better="lower" if better == "lower" else "higher",
            protocol=protocol,
        )
        for name, value, error, method, better in values
    ]


def _reverse_kl(per_mode: Int[np.ndarray, " k"], shares: Float[np.ndarray, " k"]) -> float:
    if not per_mode.sum():
        return math.inf
    found = per_mode > 0
    q = per_mode[found] / per_mode.sum()
    return float((q * np.log(q / shares[found])).sum())


def _kl_error(per_mode: Int[np.ndarray, " k"], shares: Float[np.ndarray, " k"]) -> float | None:
    """None without a sample at any mode. Samples that all lie at one have no spread, and a deviation of 0 would be as
    sure as can be: then half a sample is added to every mode, as Jeffreys' prior does."""
    total = int(per_mode.sum())
    if not total:
        return None
    counted = per_mode + 0.5 if np.count_nonzero(per_mode) == 1 < len(per_mode) else per_mode
    found = counted > 0
    q = counted[found] / counted.sum()
    logs = np.log(q / shares[found])
    return math.sqrt(max(float((q * logs**2).sum() - (q * logs).sum() ** 2), 0.0) / total)
