"""``ganvas detect``: boxes around what a trained model finds in pictures of any size."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.core.results import Result

if TYPE_CHECKING:
    import numpy as np

    from ganvas.tasks.measuring.missed_boxes import MissedBoxes
    from ganvas.tasks.pictures.named_files import NamedFile
    from ganvas.tasks.pictures.output_folder import OutputFolder
    from ganvas.train.trained import Trained

CATEGORY = 1  # The number of the only category in what is written.


@dataclass(frozen=True, kw_only=True)
class Detect:
    """Find things in pictures with a run of a model such as detect/csp, and write their boxes as a COCO file.

    Examples:
      ganvas detect runs/people photos/ -o boxes.json
      ganvas detect runs/people photos/ -o boxes.json --draw drawn
      ganvas detect runs/people photos/ -o boxes.json --score 0.5
      ganvas detect runs/people photos/ -o found.json --truth boxes.json --curve missed.svg
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC")]
    """The pictures, of any sizes: whatever `ganvas train --data` takes, or one picture."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """JSON file to write, in the form of COCO: every annotation has a score besides. It must not be there yet."""
    draw: Path | None = None
    """Folder for the pictures with their boxes drawn, as PNG under their names."""
    score: float | None = None
    """Least score of a box, from 0 to 1. Default: that of the model's settings."""
    truth: Path | None = None
    """COCO file with the boxes that are there: what is missed, and how precise boxes are, is measured."""
    curve: Path | None = None
    """Drawing of what is missed over false boxes per picture, .svg, .pdf or .png; needs --truth."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Detected:
    """What was found."""

    path: Path
    drawn: Path | None
    pictures: int
    empty: int  # Of them, those in which nothing was found.
    boxes: int
    category: str
    model: str
    kimg: float
    results: list[Result] = field(default_factory=list)  # Against the truth, where it is told.
    curve: Path | None = None
    untold: int = 0  # Pictures that the truth does not list.


def detect(task: Detect) -> Detected:
    """Finds boxes, picture by picture; the file appears when it is whole.

    Raises:
        UserError: the model detects nothing, a picture is broken, or there is something at ``out`` or ``draw``.
    """
    from ganvas.core.files.atomic_files import write_json
    from ganvas.data.sources.locations import refuse_out_inside
    from ganvas.losses.capabilities import Detects
    from ganvas.tasks.pictures.output_folder import OutputFolder
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    _require_new(task)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    trained.require(Detects)
    folder = None
    if task.draw is not None:
        refuse_out_inside(task.source, task.draw)
        made_by = {"model": trained.name, "weights": trained.fingerprint, "score": task.score}
        folder = OutputFolder(task.draw, "detect", made_by)
    found = _Finding(task, trained, folder)
    found.all()
    if found.missed is not None:
        found.missed.require_some()
    write_json(task.out, found.coco())
    results = _measured(task, found.missed)
    with_boxes = {one["image_id"] for one in found.annotations}
    return Detected(
        path=task.out,
        drawn=task.draw,
        pictures=len(found.images),
        empty=len(found.images) - len(with_boxes),
        boxes=len(found.annotations),
        category=found.category,
        model=trained.name,
        kimg=trained.kimg,
        results=results,
        curve=task.curve,
        untold=0 if found.missed is None else found.missed.untold,
    )


def _measured(task: Detect, missed: "MissedBoxes | None") -> list[Result]:
    """What is missed of the truth, and the curve of it where that is wanted."""
    from ganvas.report.drawing.drawing import write
    from ganvas.tasks.measuring.missed_boxes import missed_chart

    if missed is None:
        return []
    if task.curve is not None:
        write(missed_chart(missed.pictures, least_height=missed.least_height), task.curve)
    return missed.results()


def _require_new(task: Detect) -> None:
    from ganvas.core.errors import UserError
    from ganvas.report.drawing.drawing import check_suffix

    if task.score is not None and not 0 <= task.score <= 1:
        raise UserError(f"--score {task.score:g} must lie between 0 and 1.")
    if task.curve is not None and task.truth is None:
        raise UserError("--curve draws what is missed of boxes that are known. Name their file: --truth boxes.json.")
    if task.curve is not None:
        check_suffix(task.curve)
    if task.out.exists():
        raise UserError(f"-o {task.out} is there already. Choose another name, or remove it.")
    for option, path in (("-o", task.out), ("--curve", task.curve)):
        if path is not None and not path.parent.is_dir():
            raise UserError(f"{option} {path}: there is no folder {path.parent}. Make it, or choose another place.")


class _Finding:
    """One pass over the pictures."""

    def __init__(self, task: Detect, trained: "Trained", folder: "OutputFolder | None") -> None:
        from ganvas.losses.capabilities import LearnsBoxes
        from ganvas.tasks.measuring.missed_boxes import MissedBoxes

        self.task, self.trained, self.folder = task, trained, folder
        self.category: str = trained.data["boxes"]["category"]
        config = trained.model.config
        assert isinstance(config, LearnsBoxes)
        self.score = config.least_score if task.score is None else task.score
        self.missed = None
        if task.truth is not None:
            self.missed = MissedBoxes(task.truth, self.category, least_height=config.least_height)
        self.images: list[dict[str, Any]] = []
        self.annotations: list[dict[str, Any]] = []

    def all(self) -> None:
        """Every picture of the source."""
        from ganvas.core.progress import progress
        from ganvas.tasks.pictures.named_files import NamedFiles

        files = NamedFiles(self.task.source)
        with progress("Detecting", files.total, unit=files.unit) as report:
            for file in files:
                self.one(file)
                report(file.at, f"{len(self.annotations):,} found")

    def one(self, file: "NamedFile") -> None:
        """One picture, upright."""
        import torch

        from ganvas.core.pixels import to_float
        from ganvas.losses.capabilities import Detects
        from ganvas.tasks.pictures.work import decoded
        from ganvas.train.examinations.box_examination import LEAST_SCORE

        pixels = decoded(file.name, file.read(), self.trained.channels)
        image = torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].to(self.trained.device)
        least = self.score if self.missed is None else min(self.score, LEAST_SCORE)
        (found,) = self.trained.require(Detects).detect(to_float(image), least_score=least)
        if self.missed is not None:
            self.missed.note(file.name, (pixels.shape[0], pixels.shape[1]), found.above(LEAST_SCORE))
        found = found.above(self.score)
        corners, scores = found.corners.double().cpu().numpy(), found.scores.double().cpu().numpy()
        self._note(file.name, pixels.shape, corners, scores)
        if self.folder is not None:
            self.folder.write(file.named(".png"), _drawn(pixels, corners))

    def _note(self, name: str, shape: tuple[int, ...], corners: "np.ndarray", scores: "np.ndarray") -> None:
        number = len(self.images) + 1
        self.images.append({"id": number, "file_name": name, "height": shape[0], "width": shape[1]})
        for (left, top, right, bottom), score in zip(corners.round(2).tolist(), scores.tolist(), strict=True):
            sides = [round(right - left, 2), round(bottom - top, 2)]
            self.annotations.append(
                {
                    "id": len(self.annotations) + 1,
                    "image_id": number,
                    "category_id": CATEGORY,
                    "bbox": [left, top, *sides],
                    "area": round(sides[0] * sides[1], 2),
                    "iscrowd": 0,
                    "score": round(score, 6),
                }
            )

    def coco(self) -> dict[str, Any]:
        """What is written."""
        by = {"model": self.trained.name, "weights": self.trained.fingerprint, "kimg": self.trained.kimg}
        categories = [{"id": CATEGORY, "name": self.category}]
        return {"info": by, "images": self.images, "annotations": self.annotations, "categories": categories}


def _drawn(pixels: "np.ndarray", corners: "np.ndarray") -> bytes:
    """A picture with boxes, as a PNG; lines grow with it."""
    import numpy as np
    from PIL import Image

    from ganvas.report.pictures.drawn_boxes import drawn_on
    from ganvas.report.pictures.grid import png

    rgb = np.repeat(pixels, 3, 2) if pixels.shape[2] == 1 else pixels[..., :3]
    thickness = max(1, round(min(rgb.shape[:2]) / 300))
    return png(Image.fromarray(drawn_on(rgb, [corners], thickness=thickness)))
