"""The log-average miss rate: what share of people is missed where few false boxes are allowed to a picture.

Dollár et al. 2012, Pedestrian Detection: An Evaluation of the State of the Art, section 3.3, as the Matlab code of
CityPersons reckons it (Zhang et al. 2017, https://arxiv.org/abs/1702.05693). Of points with fewer false boxes than the
surest false one makes, nothing is found. The Python script that goes with CityPersons takes the *best* recall there
instead, which flatters sets of fewer than 100 pictures; from 100 on both agree.

A set on which nothing at all is missed would have a miss rate of 0 whatever else it has, since log 0 outweighs all;
the share that is missed is taken as 1e-10 at least.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from jaxtyping import Bool, Float

from ganvas.metrics.detection.matches import DetectedPicture, Marked, marked, matched, overlap_table

POINTS = 10.0 ** np.arange(-2, 0.25, 0.25)  # False boxes per picture at which the miss rate is taken.
LEAST_MISSED = 1e-10
LEAST_OVERLAP = 0.5
BEYOND = 1.25  # By how much a detection may be lower or taller than the people of a subset and still count.
MOST_FOUND = 1000  # Detections of one picture.


@dataclass(frozen=True, kw_only=True)
class Subset:
    """People by height in pixels and by the share of them that is seen, borders included."""

    name: str
    least_height: float = 50.0
    most_height: float = np.inf
    least_seen: float = 0.65
    most_seen: float = np.inf

    def scaled(self, factor: float) -> "Subset":
        """The same of pictures that are so many times as large."""
        return replace(self, least_height=self.least_height * factor, most_height=self.most_height * factor)

    def leaves_out(self, picture: DetectedPicture) -> Bool[np.ndarray, " m"]:
        """Which boxes of a picture are ignored."""
        height = picture.truth[:, 3] - picture.truth[:, 1]
        inside = (self.least_height <= height) & (height <= self.most_height)
        return picture.crowd | ~inside | (picture.seen < self.least_seen) | (picture.seen > self.most_seen)


SUBSETS = (  # Those of CityPersons.
    Subset(name="reasonable"),
    Subset(name="bare", least_seen=0.9),
    Subset(name="partial", most_seen=0.9),
    Subset(name="heavy", least_seen=0.0, most_seen=0.65),
    Subset(name="small", most_height=75.0),
    Subset(name="all", least_height=20.0, least_seen=0.2),
)
OFFICIAL_HEIGHT = 50.0  # Of the subsets above, in pictures of 1,024 x 2,048 pixels.


@dataclass(frozen=True, kw_only=True)
class MissCurve:
    """Miss rate over false boxes per picture, from the surest detection on."""

    false_per_picture: Float[np.ndarray, " k"]
    missed: Float[np.ndarray, " k"]

    def at(self, points: Float[np.ndarray, " p"]) -> Float[np.ndarray, " p"]:
        """The share that is missed at the last detection with at most so many false ones; 1 before the first."""
        last = np.searchsorted(self.false_per_picture, points, side="right") - 1
        return np.where(last < 0, 1.0, np.append(self.missed, 1.0)[last])

    @property
    def log_average(self) -> float:
        """The geometric mean of what is missed at the nine points."""
        return float(np.exp(np.log(np.maximum(self.at(POINTS), LEAST_MISSED)).mean()))


def marked_for(pictures: Sequence[DetectedPicture], subset: Subset) -> Marked:
    """The detections of a set held against one subset of its people."""
    low, high = subset.least_height / BEYOND, subset.most_height * BEYOND
    chosen, ignored, left_out = [], [], []
    cut = [_between(picture, low, high) for picture in pictures]
    for picture in cut:
        out = subset.leaves_out(picture)
        chosen.append(matched(overlap_table(picture, out), out, out, least=LEAST_OVERLAP))
        ignored.append(out)
        left_out.append(np.zeros(len(picture.scores), bool))
    return marked(cut, chosen, ignored, left_out)


def miss_curve(found: Marked, weights: Float[np.ndarray, " n"] | None = None) -> MissCurve | None:
    """The curve of a set, each picture counted as often as its weight says; None where there is nobody."""
    each = np.ones(len(found.objects)) if weights is None else weights
    people = float((found.objects * each).sum())
    if not people:
        return None
    own = each[found.picture]
    return MissCurve(
        false_per_picture=np.cumsum(own * ~found.right) / each.sum(),
        missed=1 - np.cumsum(own * found.right) / people,
    )


def _between(picture: DetectedPicture, low: float, high: float) -> DetectedPicture:
    height = picture.found[:, 3] - picture.found[:, 1]
    kept = np.flatnonzero((low <= height) & (height < high))[:MOST_FOUND]
    return replace(picture, found=picture.found[kept], scores=picture.scores[kept])
