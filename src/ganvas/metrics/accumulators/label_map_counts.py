"""Counts by which label maps are scored: a confusion matrix of all pixels, and one of those on boundaries."""

import math
from dataclasses import dataclass, field

import torch
from jaxtyping import Int, Int64
from torch import Tensor

from ganvas.core.results import Result
from ganvas.metrics.maths.pairs.segmentation_scores import boundary, confusion, scores

GROUPS = 16  # Of pictures, for the standard error.
METRICS = ("mean_iu", "pixel_accuracy", "mean_accuracy", "frequency_weighted_iu", "boundary_accuracy")
ERROR_METHOD = "jackknife over 16 groups of pictures"


@dataclass
class LabelMapCounts:
    """Confusion matrices, which add: of batches, of ranks, of parts of a set.

    Picture i of the set belongs to group ``i % 16``; leaving out one group after the other gives the standard error.

    Attributes:
        classes: How many there are.
        pictures: Seen so far.
        all_pixels: (16, k, k); rows are true classes, columns what they are called.
        on_boundaries: The same of pixels with a neighbour of another true class.
    """

    classes: int
    pictures: int = 0
    all_pixels: Int64[Tensor, "g k k"] = field(init=False)
    on_boundaries: Int64[Tensor, "g k k"] = field(init=False)

    def __post_init__(self) -> None:
        self.all_pixels = torch.zeros(GROUPS, self.classes, self.classes, dtype=torch.int64)
        self.on_boundaries = torch.zeros_like(self.all_pixels)

    def add(self, truth: Int[Tensor, "n h w"], named: Int[Tensor, "n h w"]) -> None:
        """The next pictures of the set: their classes, below 0 where not told, and what they are called."""
        edges = boundary(truth)
        for one, called, edge in zip(truth, named, edges, strict=True):
            group = self.pictures % GROUPS
            self.all_pixels[group] += confusion(one, called, self.classes)
            self.on_boundaries[group] += confusion(one.masked_fill(~edge, -1), called, self.classes)
            self.pictures += 1

    def merge(self, other: "LabelMapCounts") -> None:
        """Adds what another has seen."""
        self.all_pixels += other.all_pixels
        self.on_boundaries += other.on_boundaries
        self.pictures += other.pictures

    def values(self, without: int | None = None) -> dict[str, float]:
        """Every score of the set, or of the set without one group."""
        kept = [group for group in range(GROUPS) if group != without]
        counts, edges = self.all_pixels[kept].sum(0), self.on_boundaries[kept].sum(0)
        found = scores(counts)
        return {
            "mean_iu": found.mean_iu,
            "pixel_accuracy": found.pixel_accuracy,
            "mean_accuracy": found.mean_accuracy,
            "frequency_weighted_iu": found.frequency_weighted_iu,
            "boundary_accuracy": float(edges.diagonal().sum() / edges.sum()),
        }

    def results(self, *, seed: int, protocol: str, of: str = "") -> list[Result]:
        """Every score with its standard error; those of a floor, named after a dot, are of another labelling."""
        whole = self.values()
        parts = [self.values(without=group) for group in range(GROUPS)] if self.pictures >= 2 * GROUPS else []
        return [
            Result(
                metric=f"{metric}.{of}" if of else metric,
                value=whole[metric],
                standard_error=_jackknife([part[metric] for part in parts]),
                error_method=ERROR_METHOD,
                n=self.pictures,
                seed=seed,
                better="higher",
                protocol=protocol,
            )
            for metric in METRICS
        ]


def segmentation_protocol(n: int, size: tuple[int, int], classes: int, *, reference: str) -> str:
    """``label-maps:n500:64x64:15-classes:one-matrix:absent-left-out:boundary4:<reference>``."""
    shape = f"{size[0]}x{size[1]}"
    return f"label-maps:n{n}:{shape}:{classes}-classes:one-matrix:absent-left-out:boundary4:{reference}"


def _jackknife(values: list[float]) -> float | None:
    """``sqrt((g - 1) / g * sum (v - mean)^2)``; None of too few pictures."""
    if not values or not all(math.isfinite(value) for value in values):
        return None
    mean = sum(values) / len(values)
    return math.sqrt((len(values) - 1) / len(values) * sum((value - mean) ** 2 for value in values))
