"""Matching of detections and objects: each detection gets the object that it overlaps best, the surest first."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, Int

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED
from ganvas.core.boxes.detections import Detections
from ganvas.data.boxes.box_rows import BoxRows
from ganvas.nn.boxes.overlap import covered_shares, overlaps

NOTHING = -1  # The object of a detection that overlaps none.


@dataclass(frozen=True, kw_only=True)
class DetectedPicture:
    """What is found in a picture, by falling score, and what is there.

    Equal scores are put in the order of their boxes: the order in a file then changes nothing.
    """

    found: Float[np.ndarray, "k 4"]  # Left, top, right, bottom in pixels.
    scores: Float[np.ndarray, " k"]
    truth: Float[np.ndarray, "m 4"]
    crowd: Bool[np.ndarray, " m"]  # Boxes in which nothing is right or wrong.
    seen: Float[np.ndarray, " m"]


@dataclass(frozen=True, kw_only=True)
class Marked:
    """The detections of a set that count, by falling score, and how many objects there are in each picture."""

    scores: Float[np.ndarray, " k"]
    right: Bool[np.ndarray, " k"]
    picture: Int[np.ndarray, " k"]
    objects: Int[np.ndarray, " n"]


def detected_picture(found: Detections, truth: BoxRows, row: int) -> DetectedPicture:
    """A picture's detections and its row of the truth."""
    corners, scores = found.corners.double().cpu().numpy(), found.scores.double().cpu().numpy()
    order = np.lexsort((*corners.T[::-1], -scores))
    there = truth.kinds[row] != ABSENT
    return DetectedPicture(
        found=corners[order],
        scores=scores[order],
        truth=truth.corners[row][there].astype(np.float64),
        crowd=truth.kinds[row][there] == IGNORED,
        seen=truth.seen[row][there].astype(np.float64),
    )


def overlap_table(picture: DetectedPicture, as_crowd: Bool[np.ndarray, " m"]) -> Float[np.ndarray, "k m"]:
    """Intersection over union; with a crowd, over the detection's own area."""
    found, truth = torch.from_numpy(picture.found), torch.from_numpy(picture.truth)
    return np.where(as_crowd, covered_shares(found, truth).numpy(), overlaps(found, truth).numpy())


def matched(
    table: Float[np.ndarray, "k m"],
    ignored: Bool[np.ndarray, " m"],
    shared: Bool[np.ndarray, " m"],
    *,
    least: float,
) -> Int[np.ndarray, " k"]:
    """The object of each detection, or NOTHING.

    In turn each takes what it overlaps most, by ``least`` at least: of objects that count if there is one, else of
    ignored ones. Those of equal overlap go to the later object, as in the tools of COCO.

    Args:
        table: Of overlaps; detections by falling score.
        ignored: Objects whose detections do not count.
        shared: Objects that several detections may have.
    """
    chosen = np.full(len(table), NOTHING)
    if not table.size:
        return chosen
    order = np.concatenate([np.flatnonzero(~ignored), np.flatnonzero(ignored)])
    free, counts, bound = np.ones(table.shape[1], bool), int((~ignored).sum()), min(least, 1 - 1e-10)
    for row in np.flatnonzero(table.max(1) >= bound):  # The others have none, and take none from anybody.
        overlap = table[row, order]
        for part in (slice(0, counts), slice(counts, None)):
            fits = np.where(free[order][part], overlap[part], -1.0)
            if fits.size and fits.max() >= bound:
                best = order[part][len(fits) - 1 - int(fits[::-1].argmax())]
                chosen[row], free[best] = best, bool(shared[best])
                break
    return chosen


def marked(
    pictures: Sequence[DetectedPicture],
    chosen: Sequence[Int[np.ndarray, " k"]],
    ignored: Sequence[Bool[np.ndarray, " m"]],
    left_out: Sequence[Bool[np.ndarray, " k"]],
) -> Marked:
    """All detections that count, by falling score and then by box.

    Args:
        chosen: The object of each detection of each picture.
        ignored: The objects that do not count.
        left_out: Detections that do not count where they have no object, or at all where that is what they are.
    """
    scores, right, where, boxes = [], [], [], []
    for number, (picture, own, not_counted, out) in enumerate(zip(pictures, chosen, ignored, left_out, strict=True)):
        with_object = own != NOTHING
        kept = np.where(with_object, ~np.append(not_counted, False)[own], ~out)
        scores.append(picture.scores[kept])
        boxes.append(picture.found[kept])
        right.append(with_object[kept])
        where.append(np.full(int(kept.sum()), number))
    together = np.concatenate(scores)
    order = np.lexsort((*np.concatenate(boxes).T[::-1], -together))
    return Marked(
        scores=together[order],
        right=np.concatenate(right)[order],
        picture=np.concatenate(where)[order],
        objects=np.array([int((~one).sum()) for one in ignored]),
    )
