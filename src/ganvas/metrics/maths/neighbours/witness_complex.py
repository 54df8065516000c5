"""Relative living times: the share of scales at which a cloud of points has i one-dimensional holes. Machinery of the
geometry score.

Khrulkov and Oseledets 2018, Geometry Score, algorithm 1. https://arxiv.org/abs/1802.02664

Some of the points are landmarks; all of them are witnesses. Landmarks that are nearest to one witness are joined, and
the more loosely "nearest" is taken (alpha, from 0 to ``gamma`` times the largest distance), the more are. The relative
living time of i is the share of that range in which what is joined has exactly i holes (first Betti number over Z/2).

Two things keep this quick. Distances to the landmarks come from matrix products; bytes are multiplied in float32 over
:data:`EXACT` values at a time, over which sums of their products are whole numbers below 2^24, so that every distance
is exact. And a witness has a say only in landmarks up to alpha beyond its third nearest: the rest of its list is
never made.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, Float64, Int64, Shaped, UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream

EXACT = 1024  # 128^2 * 1024 = 2^24: what float32 adds up without rounding.
TABLE_BYTES = 1 << 28  # The distances of all pairs are kept where they are no more than that: 5,792 points.
CORNERS = 3  # Of the largest simplex that holes are told by.
LIST = 8  # Landmarks listed per witness at first.

WitnessPoints = UInt8[Tensor, "n d"] | Float[Tensor, "n d"]
Done = Callable[[float], None]  # Is told how many draws are done.


def living_times(
    points: WitnessPoints,
    *,
    draws: int,
    landmarks: int = 64,
    gamma: float | None = None,
    most: int = 100,
    with_replacement: bool = False,
    seed: int = 0,
    done: Done | None = None,
) -> Float64[Tensor, "draws most"]:
    """The relative living times of 0, 1, ... holes for each of some random sets of landmarks.

    Args:
        gamma: The largest alpha as a part of the largest distance; the paper's 1/128 n/5000 where left out.
        most: How many numbers of holes are told apart; the last one stands for all above it as well.
        with_replacement: Draws landmarks as the authors' program does, so that some are there twice.

    Raises:
        UserError: there are fewer points than landmarks, or gudhi is not there.
    """
    n = len(points)
    if landmarks > n and not with_replacement:
        raise UserError(
            f"{landmarks} landmarks are to be drawn from {n} pictures. Give more, or set fewer `landmarks`."
        )
    if points.is_floating_point() and not points.isfinite().all():
        raise UserError("Some points are not finite numbers, so that nothing has a distance.")
    gamma = n / 5000 / 128 if gamma is None else gamma
    distances = _Distances(points)
    found = np.zeros((draws, most))
    for draw in range(draws):
        random = stream(seed, "geometry_score", "landmarks", draw)
        places = torch.randint(n, (landmarks,), generator=random) if with_replacement else None
        places = torch.randperm(n, generator=random)[:landmarks] if places is None else places
        apart = distances.to(places)
        furthest = gamma * float(apart.max())
        found[draw] = shares(holes(apart, furthest), furthest, most=most)
        if done is not None:
            done(draw + 1)
    return torch.from_numpy(found)


def holes(apart: Float64[Tensor, "n landmarks"], alpha: float) -> Float64[np.ndarray, "intervals 2"]:
    """From where to where each hole of the witness complex lives, up to ``alpha``; ``inf`` where it outlives it.

    The filtration is by differences of distances, where gudhi's own examples take squares: the authors' choice.
    """
    if not alpha > 0:
        return np.empty((0, 2))
    tree = _witness_complex()(_lists(apart, alpha))
    simplices = tree.create_simplex_tree(max_alpha_square=alpha, limit_dimension=CORNERS - 1)
    simplices.compute_persistence(homology_coeff_field=2)
    return np.asarray(simplices.persistence_intervals_in_dimension(1), dtype=np.float64).reshape(-1, 2)


def shares(
    intervals: Float64[np.ndarray, "intervals 2"], alpha: float, *, most: int = 100
) -> Float64[np.ndarray, " most"]:
    """The share of ``[0, alpha]`` in which exactly 0, 1, ... of the intervals are alive (equations 2 and 3).

    >>> shares(np.array([[0.0, 1.0], [0.5, np.inf]]), 2.0, most=3)
    array([0.  , 0.75, 0.25])
    """
    if not len(intervals):
        return np.eye(1, most)[0]
    births, deaths = intervals[:, 0], np.minimum(intervals[:, 1], alpha)
    ends = np.unique(np.concatenate([births, deaths, [0.0, alpha]]))
    middles = (ends[:-1] + ends[1:]) / 2
    alive = np.searchsorted(np.sort(births), middles, "right") - np.searchsorted(np.sort(deaths), middles, "right")
    return np.bincount(np.minimum(alive, most - 1), weights=np.diff(ends), minlength=most) / alpha


def squared_distances(points: WitnessPoints, places: Int64[Tensor, " k"]) -> Float64[Tensor, "n k"]:
    """Between all points and those at some places; exact for bytes."""
    out = torch.zeros(len(points), len(places), dtype=torch.float64)
    whole = points.dtype == torch.uint8
    for values in points.split(EXACT, 1):
        centred = values.float() - 128 if whole else values.double() - values.double().mean(0)
        some, lengths = centred[places], centred.square().sum(1)
        out += lengths[:, None]
        out += lengths[places]
        out.sub_(centred @ some.T, alpha=2)
    out[places, torch.arange(len(places))] = 0.0
    return out.clamp_min_(0)


class _Distances:
    """From all points to landmarks: of all pairs at once where these find room, else as they are asked for."""

    def __init__(self, points: WitnessPoints) -> None:
        self._points = points.flatten(1)
        n = len(points)
        self._all = squared_distances(self._points, torch.arange(n)).sqrt_() if 8 * n * n <= TABLE_BYTES else None

    def to(self, places: Int64[Tensor, " k"]) -> Float64[Tensor, "n k"]:
        if self._all is not None:
            return self._all[places].T
        return squared_distances(self._points, places).sqrt_()


def _lists(apart: Float64[Tensor, "n landmarks"], alpha: float) -> Shaped[np.ndarray, "n listed 2"]:
    """For each witness its nearest landmarks in order, number and distance, as far as any simplex can reach."""
    count = apart.shape[1]
    listed = min(LIST, count)
    while True:
        found, number = apart.topk(listed, dim=1, largest=False)
        reach = found[:, min(CORNERS, listed) - 1] + alpha
        if listed == count or bool((found[:, -1] > reach).all()):
            return torch.stack([number.double(), found], 2).numpy()
        listed = min(2 * listed, count)


def _witness_complex() -> Callable[..., Any]:
    try:
        from gudhi import WitnessComplex
    except ImportError:
        raise UserError("The geometry score needs the package gudhi: pip install 'ganvas[metrics]'.") from None
    return WitnessComplex
