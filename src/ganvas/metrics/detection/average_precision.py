"""Average precision as the tools of COCO reckon it (https://cocodataset.org/#detection-eval).

The mean over ten overlaps, from 0.5 to 0.95, of the mean precision at 101 recalls; precision at a recall is the best
from there on. Detections without an object that are larger or smaller than what is asked for do not count. Equal
scores are ordered by their boxes, where the tools keep the order of the file.
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from jaxtyping import Float

from ganvas.metrics.detection.matches import DetectedPicture, Marked, marked, matched, overlap_table

OVERLAPS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0.0, 1.0, 101)
SIZES = {"all": (0.0, 1e10), "small": (0.0, 32.0**2), "medium": (32.0**2, 96.0**2), "large": (96.0**2, 1e10)}
MOST_FOUND = 100


def marked_at(
    pictures: Sequence[DetectedPicture], overlap: float, *, size: str = "all", most: int = MOST_FOUND
) -> Marked:
    """The surest detections of every picture held against its objects of a size.

    Args:
        overlap: Of a detection that is right, at least.
        size: A name in :data:`SIZES`: areas in pixels, borders included.
        most: Detections of one picture.
    """
    low, high = SIZES[size]
    few = [replace(picture, found=picture.found[:most], scores=picture.scores[:most]) for picture in pictures]
    chosen, ignored, left_out = [], [], []
    for picture in few:
        area, found = _areas(picture.truth), _areas(picture.found)
        out = picture.crowd | (area < low) | (area > high)
        chosen.append(matched(overlap_table(picture, picture.crowd), out, picture.crowd, least=overlap))
        ignored.append(out)
        left_out.append((found < low) | (found > high))
    return marked(few, chosen, ignored, left_out)


def precision_mean(found: Marked, weights: Float[np.ndarray, " n"] | None = None) -> float:
    """Mean precision over 101 recalls, each picture counted as often as its weight says; nan without objects."""
    each = np.ones(len(found.objects)) if weights is None else weights
    objects = float((found.objects * each).sum())
    if not objects:
        return float("nan")
    own = each[found.picture]
    right, wrong = np.cumsum(own * found.right), np.cumsum(own * ~found.right)
    precision = right / (right + wrong + np.spacing(1))
    best = np.maximum.accumulate(precision[::-1])[::-1]
    at = np.searchsorted(right / objects, RECALLS, side="left")
    return float(np.append(best, 0.0)[np.minimum(at, len(best))].mean())


def average_precision(
    pictures: Sequence[DetectedPicture], *, size: str = "all", overlaps: Sequence[float] | None = None
) -> float:
    """The mean over overlaps; nan where there is no object of the size."""
    chosen = OVERLAPS if overlaps is None else overlaps
    return float(np.mean([precision_mean(marked_at(pictures, float(one), size=size)) for one in chosen]))


def average_recall(pictures: Sequence[DetectedPicture], *, most: int = MOST_FOUND) -> float:
    """The mean over overlaps of the share of objects that is found at all."""
    found = [marked_at(pictures, float(one), most=most) for one in OVERLAPS]
    return float(np.mean([one.right.sum() / max(one.objects.sum(), 1) for one in found]))


def _areas(boxes: Float[np.ndarray, "k 4"]) -> Float[np.ndarray, " k"]:
    return (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
