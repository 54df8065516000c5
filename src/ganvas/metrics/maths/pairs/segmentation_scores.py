"""Scores of label maps from one confusion matrix of a whole set (Long, Shelhamer, Darrell 2015, section 5).

With ``n[i, j]`` the pixels of class i that are called j, ``t[i]`` all pixels of class i and ``p[j]`` all that are
called j: pixel accuracy ``sum n[i, i] / sum t``, mean accuracy ``mean n[i, i] / t[i]``, mean IU
``mean n[i, i] / (t[i] + p[i] - n[i, i])``, frequency-weighted IU ``sum t[i] IU[i] / sum t``.
https://arxiv.org/abs/1411.4038

As in the authors' code, a class that is nowhere true but somewhere called has an IU of 0, and one that is neither is
left out of the means. The mean accuracy is over the classes that are somewhere true.

Matrices of batches, ranks and files add. A mean of the IU of single pictures is another number.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float64, Int, Int64
from torch import Tensor

Counts = Int64[Tensor, "k k"]  # Rows: true classes; columns: what they are called.


@dataclass(frozen=True, kw_only=True)
class SegmentationScores:
    """The scores of one confusion matrix; nan where no pixel is counted."""

    pixel_accuracy: float
    mean_accuracy: float
    mean_iu: float
    frequency_weighted_iu: float


def confusion(truth: Int[Tensor, "*n"], named: Int[Tensor, "*n"], classes: int) -> Counts:
    """How many pixels of each class are called each class; pixels whose true class is below 0 are not counted."""
    told = truth >= 0
    pairs = truth[told].long() * classes + named[told].long()
    return torch.bincount(pairs, minlength=classes**2).view(classes, classes)


def scores(counts: Counts) -> SegmentationScores:
    """All four.

    >>> scores(torch.tensor([[3, 1], [0, 4]])).mean_iu  # (3 / 4 + 4 / 5) / 2
    0.775
    """
    counted = counts.double()
    right, true = counted.diagonal(), counted.sum(1)
    each = class_iu(counts)
    total = true.sum()
    return SegmentationScores(
        pixel_accuracy=float(right.sum() / total),
        mean_accuracy=float((right / true)[true > 0].mean()),
        mean_iu=float(each.nanmean()),
        frequency_weighted_iu=float((true * each)[true > 0].sum() / total),
    )


def class_iu(counts: Counts) -> Float64[Tensor, " k"]:
    """Intersection over union of each class; nan of one that is neither true nor called anywhere."""
    counted = counts.double()
    right = counted.diagonal()
    return right / (counted.sum(1) + counted.sum(0) - right)


def boundary(truth: Int[Tensor, "n h w"]) -> Bool[Tensor, "n h w"]:
    """Pixels with one of their four neighbours in another class; what is below 0 is no class."""
    edge = torch.zeros_like(truth, dtype=torch.bool)
    rows = _unlike(truth[:, 1:], truth[:, :-1])
    columns = _unlike(truth[:, :, 1:], truth[:, :, :-1])
    edge[:, 1:] |= rows
    edge[:, :-1] |= rows
    edge[:, :, 1:] |= columns
    edge[:, :, :-1] |= columns
    return edge


def _unlike(one: Tensor, other: Tensor) -> Tensor:
    return (one != other) & (one >= 0) & (other >= 0)
