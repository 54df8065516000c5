"""Pictures: packed at the model's size, dealt with labels, shown as grids, measured by SWD, MS-SSIM and likelihood."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.pixels import to_float
from ganvas.core.progress import say
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images
from ganvas.data.holes.hole_laws import known_law
from ganvas.data.packed import Packed
from ganvas.data.sources.locations import lasting_name
from ganvas.data.survey import Survey, survey
from ganvas.losses.capabilities import (
    Classifies,
    Fills,
    HasDensity,
    HasLatents,
    Segments,
    Shows,
    SizesPoints,
    Translates,
    WeighsPixels,
    classes_of,
)
from ganvas.losses.game import Game
from ganvas.metrics.likelihood.density import ABOUT_JPEG, were_jpeg
from ganvas.train.examinations.class_examination import ClassExamination
from ganvas.train.examinations.filled_examination import FilledExamination
from ganvas.train.examinations.paired_examination import PairedExamination
from ganvas.train.examinations.segment_examination import SegmentExamination
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.paired_feed import PairedFeed, Pairs
from ganvas.train.feeds.picture_feed import Dealing, PictureFeed
from ganvas.train.health.specimens import LOOKED_AT, Specimens, specimens
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.packed_sources import packed_pictures
from ganvas.train.kinds.paired_sources import (
    check_targets,
    described_target,
    held_out_target_of,
    prepare_pairs,
    target_fields,
    target_of,
)
from ganvas.train.kinds.picture_checks import (
    DRAWN_AT_ANY_SIZE,
    channels_of,
    check_source,
    conditional_classes,
    refuse_dims,
    refuse_other,
    refuse_the_same,
    require_classes,
)
from ganvas.train.monitors import DensityExamination, DrawnExamination, Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import can_draw
from ganvas.train.sheets.sample_grids import DrawnAndShownSheets, DrawnSheets, NoSheets, Sheets, ShownSheets

SHOWN = 8  # Pictures in a row of a sheet that a model fills itself.


@dataclass
class PictureData(RunData):
    """Packed pictures, and held-out ones where they were named."""

    packed: Packed
    held_out: Packed | None
    described: dict[str, Any]
    labelled: int | None = None
    larger: Packed | None = None  # The same pictures with a margin, where windows at random places are dealt.
    pairs: Pairs | None = None  # What belongs to each picture, where pairs are learnt.
    larger_pairs: Pairs | None = None
    held_out_pairs: Pairs | None = None

    def __len__(self) -> int:
        return len(self.packed)

    def sentence(self) -> str:
        """How many pictures there are, and of which size."""
        return f"{len(self.packed):,} pictures of {self.packed.height}x{self.packed.width} pixels (height x width)."

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals pictures, with labels where the model has classes."""
        dealing = Dealing(
            mirror=plan.mirror,
            crop=None if self.larger is None else (self.packed.height, self.packed.width),
            labels=classes_of(model.config) > 0,
            labelled=self.labelled,
            holes=known_law(model.holes) if isinstance(model, Fills) else None,
            guides=tuple(model.guides) if isinstance(model, Fills) else (),
        )
        if self.pairs is not None:
            pairs = self.larger_pairs or self.pairs
            weigh = model.pixel_weights if isinstance(model, WeighsPixels) else None
            return PairedFeed(pairs, dealing, seed=plan.seed, device=device, ranks=ranks, weigh=weigh)
        return PictureFeed(self.larger or self.packed, dealing, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Grids of what the model draws, or of what it shows of a fixed batch."""
        drawn = shown = None
        if can_draw(model):
            drawn = DrawnSheets(folder, seed=plan.seed, packed=self.packed, classes=classes_of(model.config))
        if isinstance(model, Shows):
            feed = self.feed(model, plan, device=device, ranks=Ranks())
            shown = ShownSheets(folder, feed.batch(0, Stage(batch_size=min(SHOWN, len(self)), lr=0.0)))
            feed.close()
        if drawn and shown:
            return DrawnAndShownSheets(drawn, shown)
        return drawn or shown or NoSheets(folder)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """The distance between drawn and real pictures, and the likelihood, the classes and the fillings of
        held-out ones."""
        found: list[Examination] = []
        if self.pairs is not None and isinstance(model, Segments):
            found.append(SegmentExamination(plan, self.pairs, self.held_out_pairs))
        if self.pairs is not None and isinstance(model, Translates):
            found.append(PairedExamination(plan, self.pairs, self.held_out_pairs, direction=model.directions[0]))
        if isinstance(model, HasLatents):  # Others draw too slowly to be measured again and again.
            found.append(DrawnExamination(plan, self.packed, conditional=classes_of(model.config) > 0))
        if isinstance(model, HasDensity):
            found.append(DensityExamination(plan, self.packed, self.held_out))
        if isinstance(model, Fills):
            found.append(FilledExamination(plan, known_law(model.holes), self.packed, self.held_out))
        if isinstance(model, Classifies) and classes_of(model.config):
            found.append(ClassExamination(plan, self.packed.class_names, self.held_out))
        return found

    def specimens(self, plan: Plan, *, device: torch.device) -> Specimens:
        """Some of the pictures, and some of those that are held out."""
        held_out = None
        if self.held_out is not None:
            order = torch.randperm(len(self.held_out), generator=stream(plan.seed, "held out")).numpy()
            held_out = _floats(self.held_out, order[:LOOKED_AT], device)
        return specimens(
            lambda rows: _floats(self.packed, rows, device), len(self.packed), seed=plan.seed, held_out=held_out
        )


class PictureKind(Kind):
    """Pictures of one source."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """Size, channels and classes that fit the source."""
        found = survey(request.data, quiet=request.quiet)
        chosen = picture_fields(found, config, given, bound=bound)
        if isinstance(config, SizesPoints) and "dims" not in given:
            chosen["dims"] = 0
        say_what_is_reduced(found, config, chosen | dict(given), request)
        chosen |= target_fields(request, config, chosen, given)
        if request.conditional:
            chosen["num_classes"] = conditional_classes(found, request, config)
        return chosen

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """The headers of the pictures, the number of classes, and the held-out source."""
        refuse_other(request)
        refuse_dims(config, request)
        size, channels = config.picture.size, config.picture.channels
        found = check_source(request.data, request, size=size, channels=channels)
        require_classes(found.labels, config, request)
        check_targets(request, config)
        if request.held_out is not None:
            refuse_the_same(lasting_name(request.data), lasting_name(request.held_out), request)
            check_source(request.held_out, request, size=size, channels=channels)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> PictureData:
        """The pictures packed at the model's size."""
        refuse_other(request)
        refuse_dims(config, request)
        size, channels = config.picture.size, config.picture.channels
        target, held_out_target = target_of(request, config), held_out_target_of(request, config)
        packed = packed_pictures(request.data, request, size=size, channels=channels)
        pairs = prepare_pairs(request.data, target, packed, request, config, size=size)
        larger = larger_pairs = None
        if plan.crop_margin:
            margin = with_margin(size, plan.crop_margin)
            larger = packed_pictures(request.data, request, size=margin, channels=channels)
            larger_pairs = prepare_pairs(request.data, target, larger, request, config, size=margin)
        counts = dict(zip(packed.class_names, class_counts(packed), strict=True)) if packed.labels is not None else None
        require_classes(counts, config, request)
        held_out = held_out_pairs = None
        if request.held_out is not None:
            held_out = packed_pictures(request.held_out, request, size=size, channels=channels)
            refuse_the_same(packed.fingerprint, held_out.fingerprint, request)
            held_out_pairs = prepare_pairs(request.held_out, held_out_target, held_out, request, config, size=size)
            if were_jpeg(held_out) and not request.quiet:
                say(ABOUT_JPEG)
        return PictureData(
            packed=packed,
            held_out=held_out,
            described=described_pictures(packed, request, size)
            | ({} if held_out is None else {"held_out": described_source(request.held_out or "", held_out)})
            | ({} if request.labelled is None else {"labelled": request.labelled})
            | _described_pairs(target, pairs, held_out_target, held_out_pairs),
            labelled=request.labelled,
            larger=larger,
            pairs=pairs,
            larger_pairs=larger_pairs,
            held_out_pairs=held_out_pairs,
        )


def _described_pairs(
    target: str | None, pairs: Pairs | None, held_out_target: str | None, held_out_pairs: Pairs | None
) -> dict[str, Any]:
    """What run.json says of pairs."""
    found = {"target": (target, pairs), "held_out_target": (held_out_target, held_out_pairs)}
    return {
        name: described_target(spec, of) for name, (spec, of) in found.items() if spec is not None and of is not None
    }


def _floats(packed: Packed, rows: np.ndarray, device: torch.device) -> Images:
    """Pictures in [-1, 1]."""
    return to_float(torch.from_numpy(packed.read(rows)).to(device).permute(0, 3, 1, 2))


def picture_fields(found: Survey, config: Any, given: Mapping[str, Any], *, bound: int | None) -> dict[str, Any]:
    """The fields of size and channels that fit the pictures of a survey."""
    chosen: dict[str, Any] = {}
    if found.sizes:
        size = max(found.sizes, key=lambda size: (found.sizes[size], size))
        chosen |= config.picture.fields_for(size, given=given, bound=bound)
    if found.count and "channels" not in given:
        chosen["channels"] = channels_of(found)
    return chosen


def say_what_is_reduced(
    found: Survey, config: Any, fields: Mapping[str, Any], request: SourceRequest, *, whose: str = "Pictures"
) -> None:
    """Pictures that the settings reduce are told: their owner may want other settings.

    Args:
        fields: Those that the sources have decided and that a person gave.
        whose: "Pictures", or "Pictures of --other".
    """
    if not found.sizes or request.quiet or found.kind in DRAWN_AT_ANY_SIZE:
        return
    height, width = max(found.sizes, key=lambda size: (found.sizes[size], size))
    to_height, to_width = replace(config, **fields).picture.size
    if (to_height, to_width) != (height, width) and to_height <= height:
        say(
            f"{whose} of {height}x{width} pixels are reduced to {to_height}x{to_width}, the size that these settings "
            "are made for. Another preset, or --set of the size, trains larger ones."
        )


def described_source(spec: str, packed: Packed) -> dict[str, Any]:
    """What run.json says of one source."""
    return {"spec": lasting_name(spec), "fingerprint": packed.fingerprint, "count": len(packed)}


def described_pictures(packed: Packed, request: SourceRequest, size: tuple[int, int]) -> dict[str, Any]:
    """What run.json says of the first source and of how it was read."""
    return described_source(request.data, packed) | {
        "height": size[0],
        "width": size[1],
        "channels": packed.channels,
        "class_names": list(packed.class_names),
        "class_counts": class_counts(packed),
        "fit": request.fit,
        "background": request.background,
        "broken": request.broken,
    }


def class_counts(packed: Packed) -> list[int]:
    """Pictures by class; empty without labels."""
    labels = packed.labels
    return [] if labels is None else np.bincount(labels, minlength=len(packed.class_names)).tolist()


def with_margin(size: tuple[int, int], margin: float) -> tuple[int, int]:
    """The size at which pictures are packed, so that a window of ``size`` can be cropped at a random place."""
    return round(size[0] * (1 + margin)), round(size[1] * (1 + margin))
