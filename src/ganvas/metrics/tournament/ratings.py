"""Ratings of players from who beat whom: Glicko-2, and Bradley-Terry by maximum likelihood.

Glickman 2013, Example of the Glicko-2 system. http://www.glicko.net/glicko/glicko2.pdf
Bradley & Terry 1952, Rank analysis of incomplete block designs. https://doi.org/10.2307/2334029

Scores lie in [0, 1] and may be fractions: the share of a match that was won. Both ratings are shown on the scale of
Elo, where 400 points are odds of ten to one. Ratings have no zero of their own: two tournaments do not compare.
"""

import functools
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from ganvas.core.errors import UserError

START, DEVIATION, VOLATILITY = 1500.0, 350.0, 0.06  # Of a player of whom nothing is known (Glickman 2013, step 1).
SCALE = 173.7178  # Points per unit of Glicko-2's own scale (step 2).
TAU = 0.5  # How fast volatility may change; Glickman names 0.3 to 1.2 as reasonable.
ELO = 400 / math.log(10)  # Points per unit of log odds.

Scores = Float[np.ndarray, "row column"]  # Of the row's player against the column's, in [0, 1]; nan where none met.


@dataclass(frozen=True, kw_only=True)
class Glicko:
    """What Glicko-2 knows of a player."""

    rating: float = START
    deviation: float = DEVIATION
    volatility: float = VOLATILITY


def glicko2(player: Glicko, opponents: Sequence[Glicko], scores: Sequence[float], *, tau: float = TAU) -> Glicko:
    """A player after one rating period (Glickman 2013, steps 2 to 8); the order of the games means nothing.

    >>> met = [Glicko(rating=r, deviation=d) for r, d in ((1400, 30), (1550, 100), (1700, 300))]
    >>> after = glicko2(Glicko(rating=1500, deviation=200), met, [1, 0, 0])
    >>> round(after.rating, 2), round(after.deviation, 2), round(after.volatility, 5)
    (1464.05, 151.52, 0.06)
    """
    phi = player.deviation / SCALE
    if not opponents:
        return Glicko(
            rating=player.rating,
            deviation=SCALE * math.hypot(phi, player.volatility),
            volatility=player.volatility,
        )
    mu = (player.rating - START) / SCALE
    g = [1 / math.sqrt(1 + 3 * (other.deviation / SCALE / math.pi) ** 2) for other in opponents]
    expected = [
        1 / (1 + math.exp(-weight * (mu - (other.rating - START) / SCALE)))
        for weight, other in zip(g, opponents, strict=True)
    ]
    variance = 1 / sum(weight**2 * e * (1 - e) for weight, e in zip(g, expected, strict=True))
    surprise = sum(weight * (s - e) for weight, s, e in zip(g, scores, expected, strict=True))
    volatility = _volatility(phi, variance, variance * surprise, player.volatility, tau)
    after = 1 / math.sqrt(1 / (phi**2 + volatility**2) + 1 / variance)
    return Glicko(rating=START + SCALE * (mu + after**2 * surprise), deviation=SCALE * after, volatility=volatility)


def _volatility(phi: float, variance: float, delta: float, sigma: float, tau: float) -> float:
    """Step 5: the root of f by the Illinois variant of regula falsi, to 1e-10."""
    a = math.log(sigma**2)
    f = functools.partial(_slope, a=a, phi=phi, variance=variance, delta=delta, tau=tau)
    low = a
    if delta**2 > phi**2 + variance:
        high = math.log(delta**2 - phi**2 - variance)
    else:
        steps = 1
        while f(a - steps * tau) < 0:
            steps += 1
        high = a - steps * tau
    f_low, f_high = f(low), f(high)
    while abs(high - low) > 1e-10:
        new = low + (low - high) * f_low / (f_high - f_low)
        f_new = f(new)
        if f_new * f_high <= 0:
            low, f_low = high, f_high
        else:
            f_low /= 2
        high, f_high = new, f_new
    return math.exp(low / 2)


def _slope(x: float, *, a: float, phi: float, variance: float, delta: float, tau: float) -> float:
    """f of step 5, with ``x`` the logarithm of the squared volatility."""
    spread = phi**2 + variance + math.exp(x)
    return math.exp(x) * (delta**2 - spread) / (2 * spread**2) - (x - a) / tau**2


def glicko2_tournament(scores: Scores, *, tau: float = TAU, rounds: int = 200) -> tuple[list[Glicko], list[Glicko]]:
    """Ratings of the rows' and the columns' players from one table of scores.

    The tournament is one rating period, so no order of games exists. Everyone starts alike; each player's result is
    worked out against what the others have become, over and over until nothing moves, since against 1500 for all a
    player who met only the strong would look weak.

    Raises:
        UserError: a score outside [0, 1], or no match at all.
    """
    met = _checked(scores)
    rows, columns = [Glicko()] * scores.shape[0], [Glicko()] * scores.shape[1]
    for _ in range(rounds):
        new_rows = [_against(columns, scores[i], met[i], tau) for i in range(len(rows))]
        new_columns = [_against(rows, 1 - scores[:, j], met[:, j], tau) for j in range(len(columns))]
        # Half way, because both sides answer the other's last move: full steps swing to and fro.
        pairs = [*zip(rows, new_rows, strict=True), *zip(columns, new_columns, strict=True)]
        moved = max(abs(new.rating - old.rating) for old, new in pairs)
        rows, columns = _halfway(rows, new_rows), _halfway(columns, new_columns)
        if moved < 1e-9:
            break
    return rows, columns


def _against(opponents: Sequence[Glicko], scores: np.ndarray, met: np.ndarray, tau: float) -> Glicko:
    found = [(opponents[k], float(scores[k])) for k in np.flatnonzero(met).tolist()]
    return glicko2(Glicko(), [other for other, _ in found], [score for _, score in found], tau=tau)


def _halfway(old: Sequence[Glicko], new: Sequence[Glicko]) -> list[Glicko]:
    return [
        Glicko(
            rating=(a.rating + b.rating) / 2,
            deviation=(a.deviation + b.deviation) / 2,
            volatility=(a.volatility + b.volatility) / 2,
        )
        for a, b in zip(old, new, strict=True)
    ]


def bradley_terry(scores: Scores, *, pseudo: float = 0.5, games: float = 1.0) -> tuple[np.ndarray, np.ndarray]:
    """Strengths of rows and columns, ``P(row i beats column j) = 1 / (1 + exp(c_j - r_i))``, in points, mean 1500.

    Newton's method on the penalised likelihood: a player who won every match has no finite strength, so each player
    is given ``pseudo`` games, half won and half lost, against one of strength 0. With ``pseudo=0`` it is the plain
    maximum likelihood.

    Args:
        games: How many games one match counts as.

    Raises:
        UserError: a score outside [0, 1], no match, or ``pseudo=0`` and a table without a finite maximum.
    """
    met = _checked(scores)
    n_rows, n_columns = scores.shape
    theta = np.zeros(n_rows + n_columns)
    won = np.where(met, scores, 0.0)
    for _ in range(200):
        p = 1 / (1 + np.exp(np.clip(theta[None, n_rows:] - theta[:n_rows, None], -700, 700)))
        residual, weight = np.where(met, games * (won - p), 0.0), np.where(met, games * p * (1 - p), 0.0)
        own = 1 / (1 + np.exp(-np.clip(theta, -700, 700)))
        gradient = np.concatenate([residual.sum(1), -residual.sum(0)]) + pseudo * (0.5 - own)
        hessian = np.zeros((len(theta), len(theta)))
        hessian[:n_rows, n_rows:] = -weight
        hessian[n_rows:, :n_rows] = -weight.T
        hessian += np.diag(np.concatenate([weight.sum(1), weight.sum(0)]) + pseudo * own * (1 - own))
        hessian += np.full_like(hessian, 1e-9 if pseudo else 1.0)  # Pins the sum, which nothing else does.
        step = np.linalg.lstsq(hessian, gradient, rcond=None)[0]
        theta += step * min(1.0, 2.0 / max(np.abs(step).max(), 1e-300))
        if np.abs(step).max() < 1e-12:
            break
        if pseudo == 0 and np.abs(theta - theta.mean()).max() > 12:
            raise UserError(
                "Somebody won or lost every match, so that no finite rating is the most likely. Give a pseudo-game."
            )
    theta -= theta.mean()
    return START + ELO * theta[:n_rows], START + ELO * theta[n_rows:]


def _checked(scores: Scores) -> np.ndarray:
    """Who met whom."""
    met = np.isfinite(scores)
    if not met.any():
        raise UserError("Nobody met anybody: there is no match to rate.")
    if scores[met].min() < 0 or scores[met].max() > 1:
        raise UserError(f"Scores lie in 0..1; these reach {scores[met].min():g} to {scores[met].max():g}.")
    return met
