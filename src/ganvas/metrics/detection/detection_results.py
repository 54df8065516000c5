"""Values of a set of detections with their errors: miss rates of subsets of people, and average precision."""

import math
from collections.abc import Callable, Sequence

import numpy as np
import torch
from jaxtyping import Float

from ganvas.core.boxes.box_kinds import OBJECT
from ganvas.core.boxes.detections import Detections
from ganvas.core.results import Result
from ganvas.data.boxes.box_rows import BoxRows
from ganvas.metrics.detection.average_precision import OVERLAPS, marked_at, precision_mean
from ganvas.metrics.detection.matches import DetectedPicture, Marked
from ganvas.metrics.detection.miss_rate import OFFICIAL_HEIGHT, SUBSETS, marked_for, miss_curve
from ganvas.nn.boxes.overlap import overlaps
from ganvas.nn.boxes.suppression import kept_boxes

METRICS = ("miss_rate", "ap", "ap50")
RESAMPLES = 100
ERROR_METHOD = f"bootstrap over pictures, {RESAMPLES} times"
PRIORS = 400  # Boxes of the training pictures that a floor is made of.

Weights = Float[np.ndarray, " n"]


def detection_results(
    pictures: Sequence[DetectedPicture], *, least_height: float, seed: int, protocol: str, of: str = ""
) -> list[Result]:
    """The miss rate of people who are reasonably to be found, of every other subset, and average precision.

    Args:
        least_height: Of a person in the first subset, in pixels; the borders of the others follow.
        of: What else than the model found them, for the name of a floor.
    """
    values: dict[str, Callable[[Weights | None], float]] = {}
    for subset in SUBSETS:
        found = marked_for(pictures, subset.scaled(least_height / OFFICIAL_HEIGHT))
        name = "miss_rate" if subset.name == "reasonable" else f"miss_rate.{subset.name}"
        values[name] = lambda weights, found=found: _miss_rate(found, weights)
    at = [marked_at(pictures, float(overlap)) for overlap in OVERLAPS]
    values["ap"] = lambda weights: float(np.mean([precision_mean(one, weights) for one in at]))
    values["ap50"] = lambda weights: precision_mean(at[0], weights)
    wanted = {name: value for name, value in values.items() if not of or name in METRICS}
    draws = resamples(len(pictures), seed)
    return [
        Result(
            metric=f"{name}.{of}" if of else name,
            value=value(None),
            standard_error=_spread([value(weights) for weights in draws]),
            error_method=ERROR_METHOD,
            n=len(pictures),
            seed=seed,
            better="lower" if name.startswith("miss_rate") else "higher",
            protocol=protocol,
        )
        for name, value in wanted.items()
        if math.isfinite(value(None))
    ]


def detection_protocol(n: int, size: tuple[int, int] | None, *, least_height: float, reference: str) -> str:
    """``boxes:n500:128x192:from16px:matlab-mr:coco-ap:<reference>``; no size is that of each picture."""
    of = "as-they-are" if size is None else f"{size[0]}x{size[1]}"
    return f"boxes:n{n}:{of}:from{least_height:g}px:matlab-mr:coco-ap:{reference}"


def prior_detections(rows: BoxRows) -> Detections:
    """What one finds without looking: boxes of training pictures, the surer the more others overlap them by half."""
    boxes = torch.from_numpy(rows.corners[rows.kinds == OBJECT][:PRIORS].astype(np.float64))
    likely = (overlaps(boxes, boxes) >= 0.5).double().mean(1)
    kept = kept_boxes(boxes, likely, most_overlap=0.5)
    return Detections(corners=boxes[kept], scores=likely[kept])


def _miss_rate(found: Marked, weights: Weights | None) -> float:
    curve = miss_curve(found, weights)
    return float("nan") if curve is None else curve.log_average


def resamples(n: int, seed: int) -> list[Weights]:
    """How often each of n pictures is drawn, with replacement, :data:`RESAMPLES` times."""
    rng = np.random.default_rng(seed)
    return [np.bincount(rng.integers(0, n, n), minlength=n).astype(np.float64) for _ in range(RESAMPLES)]


def _spread(values: Sequence[float]) -> float | None:
    """The deviation of what resamples give; None where one has nobody to be found."""
    return float(np.std(values, ddof=1)) if np.isfinite(values).all() else None
