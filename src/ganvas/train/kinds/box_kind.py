"""Pictures with boxes: packed at one size, dealt together, shown with boxes drawn, measured by what is missed."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.errors import UserError
from ganvas.core.progress import say
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.boxes.coco import read_coco
from ganvas.data.boxes.packed_boxes import PackedBoxes, coco_file, counts_of, holds_boxes, prepare_boxes
from ganvas.data.packed import Packed
from ganvas.data.sources.locations import lasting_name
from ganvas.data.survey import survey
from ganvas.losses.capabilities import Detects, Shows
from ganvas.losses.game import Game
from ganvas.train.examinations.box_examination import BoxExamination
from ganvas.train.feeds.box_feed import Boxed, BoxFeed
from ganvas.train.feeds.feed import Feed
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.packed_sources import packed_pictures
from ganvas.train.kinds.picture_checks import check_source, refuse_other, refuse_the_same
from ganvas.train.kinds.picture_kind import (
    SHOWN,
    described_pictures,
    described_source,
    picture_fields,
    say_what_is_reduced,
)
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sheets.sample_grids import NoSheets, Sheets, ShownSheets


@dataclass
class BoxData(RunData):
    """Packed pictures with their boxes, and those that are held out."""

    boxed: Boxed
    held_out: Boxed | None
    described: dict[str, Any]

    def __len__(self) -> int:
        return len(self.boxed)

    def sentence(self) -> str:
        """How many pictures there are, with how many boxes, and what became of boxes that could not be taken."""
        packed, counts = self.boxed.pictures, self.described["boxes"]
        ignored = f", {counts['ignored']:,} ignored" if counts["ignored"] else ""
        size = f"{packed.height}x{packed.width} pixels (height x width)"
        return (
            f"{len(self):,} pictures of {size} with {counts['objects']:,} boxes of "
            f"{self.boxed.boxes.category}{ignored}. {self.boxed.boxes.treated}"
        ).rstrip()

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals pictures with boxes."""
        return BoxFeed(self.boxed, mirror=plan.mirror, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Pictures with told boxes over the same with those that are found; held-out ones where there are some."""
        if not isinstance(model, Shows):
            return NoSheets(folder)
        shown = self.held_out or self.boxed
        feed = BoxFeed(shown, mirror=False, seed=plan.seed, device=device, ranks=Ranks())
        batch = feed.batch(0, Stage(batch_size=min(SHOWN, len(shown)), lr=0.0))
        feed.close()
        return ShownSheets(folder, batch)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """What is missed of held-out objects."""
        return [BoxExamination(plan, self.boxed, self.held_out)] if isinstance(model, Detects) else []

    def specimens(self, plan: Plan, *, device: torch.device) -> None:
        """None: nothing is drawn."""


class BoxKind(Kind):
    """Pictures of one source, with boxes of one category."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """Size and channels that fit the pictures."""
        _require_boxes(request)
        found = survey(request.data, quiet=request.quiet)
        chosen = picture_fields(found, config, given, bound=bound)
        say_what_is_reduced(found, config, chosen | dict(given), request)
        return chosen

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """The headers of the pictures, and what the files of boxes say."""
        _require_boxes(request, category=config.category)
        size, channels = config.picture.size, config.picture.channels
        check_source(request.data, request, size=size, channels=channels)
        if request.held_out is not None:
            refuse_the_same(lasting_name(request.data), lasting_name(request.held_out), request)
            check_source(request.held_out, request, size=size, channels=channels)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> BoxData:
        """Pictures and boxes packed at the model's size."""
        _require_boxes(request)
        boxed = _boxed(request.data, request.target, request, config)
        size = config.picture.size
        described = described_pictures(boxed.pictures, request, size) | _described_boxes(boxed, request.target)
        held_out = None
        if request.held_out is not None:
            held_out = _boxed(request.held_out, request.held_out_target, request, config)
            refuse_the_same(boxed.pictures.fingerprint, held_out.pictures.fingerprint, request)
            source = described_source(request.held_out, held_out.pictures)
            described["held_out"] = source | _described_boxes(held_out, request.held_out_target)
            if held_out.boxes.treated and not request.quiet:
                say(f"--held-out: {held_out.boxes.treated}")
        return BoxData(boxed=boxed, held_out=held_out, described=described)


def _boxed(data: str, target: str | None, request: SourceRequest, config: Any) -> Boxed:
    """Pictures and boxes that belong together."""
    size, channels = config.picture.size, config.picture.channels
    how: dict[str, Any] = {"fit": request.fit, "broken": request.broken, "quiet": request.quiet}
    boxes = prepare_boxes(data, target, size=size, category=config.category, **how)
    packed = packed_pictures(data, request, size=size, channels=channels)
    rows, box_rows = _rows(packed, boxes)
    return Boxed(pictures=packed, rows=rows, boxes=boxes, box_rows=box_rows)


def _rows(packed: Packed, boxes: PackedBoxes) -> tuple[np.ndarray, np.ndarray]:
    """By names where the pictures have them, else by places."""
    if boxes.names is None:
        return np.arange(len(packed)), np.arange(len(packed))
    assert packed.names is not None, "boxes of files are of files"
    places = {name: place for place, name in enumerate(packed.names)}
    common = [(places[name], row) for row, name in enumerate(boxes.names) if name in places]
    rows, box_rows = zip(*common, strict=True)
    return np.array(rows), np.array(box_rows)


def _described_boxes(boxed: Boxed, target: str | None) -> dict[str, Any]:
    """What run.json says of boxes."""
    boxes = boxed.boxes
    counts = {"fingerprint": boxes.fingerprint, "category": boxes.category, **counts_of(boxes)}
    return {"boxes": counts} | ({} if target is None else {"target": {"spec": lasting_name(target)}})


def _require_boxes(request: SourceRequest, *, category: str | None = None) -> None:
    """Boxes are there; with a category, files of boxes are read and must hold it."""
    refuse_other(request)
    if request.conditional or request.labelled is not None:
        given = "--conditional" if request.conditional else f"--labelled {request.labelled}"
        raise UserError(f"{given}: this model learns boxes, and no classes. Leave it out.")
    if request.held_out_target is not None and request.held_out is None:
        raise UserError(
            f"--held-out-target {request.held_out_target} belongs to pictures that are kept apart. Name them: "
            "--held-out SRC."
        )
    for data, target in ((request.data, request.target), (request.held_out, request.held_out_target)):
        if data is not None and (target is not None or not holds_boxes(data)):
            file = coco_file(data, target)
            if category is not None:
                read_coco(file, category, broken=request.broken)
