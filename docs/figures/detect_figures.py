"""Figures of docs/detect.md: streets with their boxes, what a run finds, and the curve of what it misses.

``python docs/figures/detect_figures.py street`` draws streets with what is known of them; with ``found RUN`` what a run
of detect/csp finds in streets that it never saw, and the share of people that it misses over false boxes.
"""

import sys
from pathlib import Path

import numpy as np
import torch

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.pixels import to_float
from ganvas.data.street.street import Street
from ganvas.losses.capabilities import Detects
from ganvas.metrics.detection.matches import DetectedPicture, detected_picture
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.drawn_boxes import drawn_on
from ganvas.report.pictures.grid import grid
from ganvas.tasks.measuring.missed_boxes import missed_chart
from ganvas.train.trained import load

HERE = Path(__file__).parent
SHOWN, COLUMNS, SCALE = 8, 4, 2
TEST = 500


def street() -> None:
    """Streets with the boxes of people, red, and of what is ignored, yellow."""
    made = Street(count=SHOWN, seed=11)
    rows = made.boxes(0, SHOWN)
    told = [[rows.corners[k][rows.kinds[k] == kind] for kind in (OBJECT, IGNORED)] for k in range(SHOWN)]
    save("detect_street.png", made.pictures(0, SHOWN), told)


def found(run: str) -> None:
    """Boxes of a score of a half and more, and the curves of subsets."""
    trained = load(run)
    model, made = trained.require(Detects), Street(count=TEST, seed=9)
    pictures, boxes = made.pictures(0, SHOWN), []
    for pixels in pictures:
        (one,) = model.detect(to_float(torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None]), least_score=0.5)
        boxes.append([one.corners.numpy()])
    save("detect_found.png", pictures, boxes)
    held = [part for start in range(0, TEST, 50) for part in detected(model, made, start)]
    write(missed_chart(held, least_height=trained.model.config.least_height), HERE / "detect_missed.svg")


def detected(model: Detects, made: Street, start: int) -> list[DetectedPicture]:
    """Fifty streets with what is found in them."""
    images = to_float(torch.from_numpy(made.pictures(start, start + 50)).permute(0, 3, 1, 2))
    truth = made.boxes(start, start + 50)
    return [detected_picture(one, truth, row) for row, one in enumerate(model.detect(images, least_score=0.01))]


def save(name: str, pictures: np.ndarray, boxes: list[list[np.ndarray]]) -> None:
    """Pictures at twice their size, with boxes, on one sheet."""
    large = pictures.repeat(SCALE, 1).repeat(SCALE, 2)
    shown = [drawn_on(one, [part * SCALE for part in of]) for one, of in zip(large, boxes, strict=True)]
    sheet = grid(np.stack(shown), columns=COLUMNS, gap=4).convert("RGB").quantize(128)
    sheet.save(HERE / name, optimize=True)


if __name__ == "__main__":
    street() if sys.argv[1] == "street" else found(sys.argv[2])
