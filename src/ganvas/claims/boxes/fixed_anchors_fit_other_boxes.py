"""Anchors that were fitted to one data set match the boxes of another.

A box that no anchor overlaps by a half is nobody's to learn.
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.judging.claim import Experiment, Source

ANCHORS, BOXES, ROUNDS, OVERLAP = 5, 2000, 30, 0.5
TIMES_LARGER = 2.0
KEPT, FITTED = "anchors of smaller boxes", "anchors of the boxes themselves"


def run(arm: str, seeds: Sequence[int]) -> list[float]:
    """Share of boxes that an anchor of the same centre overlaps by a half or more."""
    return [_matched(arm, seed) for seed in seeds]


def _matched(arm: str, seed: int) -> float:
    generator = torch.Generator().manual_seed(seed)
    small, others, fresh = (_sizes(generator) for _ in range(3))
    anchors = _fitted(small if arm == KEPT else TIMES_LARGER * others)
    return float((_overlaps(TIMES_LARGER * fresh, anchors).amax(1) >= OVERLAP).double().mean())


def _sizes(generator: torch.Generator) -> Float[Tensor, "n 2"]:
    """Heights and widths: log-normal, deviations of a factor of 1.28 in height and width."""
    size, shape = torch.randn(2, BOXES, generator=generator, dtype=torch.float64)
    return torch.stack([0.22 * size + 0.1 * shape, 0.22 * size - 0.1 * shape], 1).exp() * 32


def _fitted(sizes: Float[Tensor, "n 2"]) -> Float[Tensor, "k 2"]:
    """Means of clusters by overlap (Redmon & Farhadi 2017, section 2), begun at evenly spaced areas."""
    order = sizes.prod(1).argsort()
    anchors = sizes[order[torch.arange(ANCHORS) * (BOXES // ANCHORS) + BOXES // (2 * ANCHORS)]]
    for _ in range(ROUNDS):
        nearest = _overlaps(sizes, anchors).argmax(1)
        anchors = torch.stack([sizes[nearest == one].mean(0) for one in range(ANCHORS)])
    return anchors


def _overlaps(sizes: Float[Tensor, "n 2"], anchors: Float[Tensor, "k 2"]) -> Float[Tensor, "n k"]:
    """Intersection over union of boxes about one centre."""
    both = torch.minimum(sizes[:, None], anchors[None]).prod(2)
    return both / (sizes.prod(1)[:, None] + anchors.prod(1)[None] - both)


CLAIM = Experiment(
    statement="As many boxes of twice the size are matched by old anchors as by anchors that are fitted to them.",
    sources=(
        Source(who="a use of one set of anchors for all data", stance="agrees"),
        Source(
            who="Redmon & Farhadi 2017, YOLO9000, section 2",
            stance="denies",
            link="https://arxiv.org/abs/1612.08242",
        ),
        Source(
            who="Liu et al. 2019, High-level Semantic Feature Detection: A New Perspective for Pedestrian Detection",
            stance="denies",
            link="https://arxiv.org/abs/1904.02948",
        ),
    ),
    scope=f"{ANCHORS} anchors, log-normal boxes, and others {TIMES_LARGER:g} times as large; overlap about one centre",
    arms=(KEPT, FITTED),
    estimand="share of boxes with an anchor that overlaps by a half",
    says="same",
    unit="of all",
    smallest_effect=0.05,
    seeds=12,
    run=run,
)
