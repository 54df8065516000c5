"""Measures of a detector on pictures whose boxes are known: values with errors, and the curve over false boxes."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError

if TYPE_CHECKING:
    from ganvas.core.boxes.detections import Detections
    from ganvas.core.results import Result
    from ganvas.metrics.detection.matches import DetectedPicture
    from ganvas.report.drawing.primitives import Drawing

DRAWN = ("reasonable", "partial", "heavy", "small")  # Subsets of people.
WIDTH, HEIGHT, CURVE_POINTS = 380, 250, 120


class MissedBoxes:
    """Pictures with what was found in them, held against a COCO file.

    Args:
        truth: The file; boxes of the category that the run learnt.
        least_height: Of an object that is to be found, in pixels.

    Raises:
        UserError: it is no such file, or has no such category.
    """

    def __init__(self, truth: Path, category: str, *, least_height: float) -> None:
        from ganvas.data.boxes.coco import read_coco

        self.truth, self.least_height = truth, least_height
        self.told = read_coco(truth, category).by_stem()
        self.pictures: list[DetectedPicture] = []
        self.untold = 0

    def note(self, name: str, size: tuple[int, int], found: "Detections") -> None:
        """One picture of a height and a width; one that the file does not list is counted and left out."""
        from ganvas.data.boxes.coco import as_rows, cut, told_as
        from ganvas.data.pairs.pairing import stem_of
        from ganvas.metrics.detection.matches import detected_picture

        told = next((self.told[stem] for stem in told_as(stem_of(name)) if stem in self.told), None)
        if told is None:
            self.untold += 1
            return
        if told.size not in (None, size):
            raise UserError(
                f"{self.truth} has {told.name} as a picture of {told.size[0]}x{told.size[1]} pixels (height x width), "
                f"and it has {size[0]}x{size[1]}, upright. Give the boxes of the pictures as they are."
            )
        boxes = [inside for box in told.boxes if (inside := cut(box, size)) is not None]
        self.pictures.append(detected_picture(found, as_rows(boxes), 0))

    def require_some(self) -> None:
        """Refuses where no picture was in the file, or nothing was to be found in any."""
        if not self.pictures:
            raise UserError(f"--truth {self.truth} lists none of the pictures. Name the file of their boxes.")
        if not any((~one.crowd).any() for one in self.pictures):
            raise UserError(f"--truth {self.truth} has no box in these pictures, so that nothing can be missed.")

    def results(self) -> "list[Result]":
        """Miss rates of subsets and average precision, with errors."""
        from ganvas.data.cache import hash_file
        from ganvas.metrics.detection.detection_results import detection_protocol, detection_results

        how = {"least_height": self.least_height, "reference": hash_file(self.truth)[:16]}
        protocol = detection_protocol(len(self.pictures), None, **how)
        return detection_results(self.pictures, least_height=self.least_height, seed=0, protocol=protocol)


def missed_chart(pictures: "Sequence[DetectedPicture]", *, least_height: float) -> "Drawing":
    """The share that is missed over false boxes per picture, of four subsets; where nobody is of one, of the others.

    Shaded is one deviation each way of pictures that are drawn anew.
    """
    import numpy as np

    from ganvas.metrics.detection.detection_results import resamples
    from ganvas.metrics.detection.miss_rate import OFFICIAL_HEIGHT, POINTS, SUBSETS, marked_for, miss_curve
    from ganvas.report.drawing.panels import Axes, Curve, chart
    from ganvas.report.drawing.primitives import Drawing

    across, curves = np.geomspace(POINTS[0], POINTS[-1], CURVE_POINTS), []
    for subset in (one for one in SUBSETS if one.name in DRAWN):
        marks = marked_for(pictures, subset.scaled(least_height / OFFICIAL_HEIGHT))
        curve, *others = (miss_curve(marks, weights) for weights in (None, *resamples(len(pictures), 0)))
        if curve is not None:
            error = np.std([one.at(across) for one in others if one is not None], axis=0, ddof=1)
            name = f"{subset.name} {curve.log_average:.2f}"
            curves.append(Curve(name=name, x=across, y=curve.at(across), error=error))
    axes = Axes(x_title="false boxes per picture", y_title="share that is missed", log_x=True, log_y=True, size=8.0)
    items = chart(curves, (2, 2, WIDTH - 4, HEIGHT - 4), axes=axes)
    title = "What is missed over false boxes per picture, by subset, with the log-average miss rate of each"
    return Drawing(width=WIDTH, height=HEIGHT, items=tuple(items), title=title)
