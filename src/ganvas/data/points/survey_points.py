"""Surveys of points: what is in a source of them, before anything is packed. Every point is read."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ganvas.data.points.mixtures import law_of
from ganvas.data.points.packed_points import PackedPointRows, source_of
from ganvas.data.points.point_source import PointSource


@dataclass(frozen=True, kw_only=True)
class PointSurvey:
    """Counts and moments of what a source of points holds; a value per dimension."""

    kind: str  # "mixtures", "npy", "npz", "csv", "packed"
    count: int
    dims: int
    low: tuple[float, ...]
    high: tuple[float, ...]
    mean: tuple[float, ...]
    standard_deviation: tuple[float, ...]  # Of the points themselves, divided by their number.
    labels: Mapping[str, int] | None  # Part of the mixture: how many.
    law: str | None  # What a known mixture is.


def survey_points(spec: str, *, full: bool = False) -> PointSurvey:
    """Reads a source of points to its end.

    Args:
        full: A packed folder is compared with its fingerprint too.

    Raises:
        UserError: nothing is there, it holds no points, or one of them is not finite.
    """
    source = source_of(spec)
    if full and isinstance(source, PackedPointRows):
        source.pack.verify()
    found = _Sums(source.dims)
    for block in source.blocks():
        found.add(block.points.astype(np.float64), block.labels)
    return found.survey(source)


class _Sums:
    """What is added up over the blocks: moments around the first point, which keeps the digits of far-off clouds."""

    def __init__(self, dims: int) -> None:
        self.count, self.parts = 0, np.zeros(0, np.int64)
        self.low, self.high = np.full(dims, np.inf), np.full(dims, -np.inf)
        self.origin, self.total, self.squares = np.zeros(dims), np.zeros(dims), np.zeros(dims)

    def add(self, points: np.ndarray, labels: np.ndarray | None) -> None:
        if not self.count:
            self.origin = points[0]
        self.count += len(points)
        self.low, self.high = np.minimum(self.low, points.min(0)), np.maximum(self.high, points.max(0))
        self.total += (points - self.origin).sum(0)
        self.squares += ((points - self.origin) ** 2).sum(0)
        if labels is not None:
            counted = np.bincount(labels, minlength=len(self.parts))
            counted[: len(self.parts)] += self.parts
            self.parts = counted

    def survey(self, source: PointSource) -> PointSurvey:
        mean = self.total / self.count
        variance = np.maximum(self.squares / self.count - mean**2, 0)
        names = source.class_names
        parts = np.pad(self.parts, (0, max(0, len(names) - len(self.parts))))
        return PointSurvey(
            kind=source.kind,
            count=self.count,
            dims=source.dims,
            low=tuple(self.low.tolist()),
            high=tuple(self.high.tolist()),
            mean=tuple((self.origin + mean).tolist()),
            standard_deviation=tuple(np.sqrt(variance).tolist()),
            labels={name: int(n) for name, n in zip(names, parts, strict=True)} if names else None,
            law=None if source.mixture is None else law_of(source.mixture).summary,
        )
