"""Two unpaired domains of pictures: packed at their sizes, dealt apart, shown as rows that the model fills."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packed import Packed
from ganvas.data.sources.locations import lasting_name
from ganvas.data.survey import survey
from ganvas.losses.capabilities import Shows, Translates
from ganvas.losses.game import Game
from ganvas.train.examinations.translated_examination import TranslatedExamination
from ganvas.train.feeds.domain_feed import DomainFeed
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.picture_feed import Dealing
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.packed_sources import packed_pictures
from ganvas.train.kinds.picture_checks import channels_of, check_source, refuse_targets
from ganvas.train.kinds.picture_kind import (
    SHOWN,
    described_pictures,
    described_source,
    picture_fields,
    say_what_is_reduced,
    with_margin,
)
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sheets.sample_grids import NoSheets, Sheets, ShownSheets


@dataclass
class DomainData(RunData):
    """The packed pictures of both domains."""

    a: Packed
    b: Packed
    described: dict[str, Any]
    larger: tuple[Packed, Packed] | None = None  # The same pictures with a margin, to crop at random places.

    def __len__(self) -> int:
        return len(self.a)

    def sentence(self) -> str:
        """How many pictures each domain has, and of which size."""
        height, width = self.described["height"], self.described["width"]
        return f"{len(self.a):,} and {len(self.b):,} pictures of {height}x{width} pixels (height x width)."

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals both domains, each in its own order."""
        crop = None if self.larger is None else (self.a.height, self.a.width)
        a, b = self.larger or (self.a, self.b)
        return DomainFeed(a, b, Dealing(mirror=plan.mirror, crop=crop), seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Rows that the model shows of a fixed batch."""
        if not isinstance(model, Shows):
            return NoSheets(folder)
        feed = self.feed(model, plan, device=device, ranks=Ranks())
        batch = feed.batch(0, Stage(batch_size=min(SHOWN, len(self.a), len(self.b)), lr=0.0))
        feed.close()
        return ShownSheets(folder, batch)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """How far translations are from real pictures of the other kind, each way that the model goes."""
        if not isinstance(model, Translates):
            return []
        sides = [(self.a, self.b), (self.b, self.a)]
        return [TranslatedExamination(plan, dict(zip(model.directions, sides, strict=False)))]

    def specimens(self, plan: Plan, *, device: torch.device) -> None:
        """None: two domains have no one discriminator."""


class DomainKind(Kind):
    """Two unpaired sources of pictures."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The size of the first domain's pictures and the channels of both."""
        found, other = (survey(spec, quiet=request.quiet) for spec in (request.data, _second_source(request)))
        chosen = {"other_channels": channels_of(other)} | picture_fields(found, config, given, bound=bound)
        fields = chosen | dict(given)
        _require_channels(request, config, fields)
        say_what_is_reduced(found, config, fields, request)
        say_what_is_reduced(other, config, fields, request, whose="Pictures of --other")
        return {name: value for name, value in chosen.items() if name not in given}

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """The headers of both sources."""
        other = _second_source(request)
        size = config.picture.size
        check_source(request.data, request, size=size, channels=config.picture.channels)
        check_source(other, request, size=size, channels=config.other_picture.channels)
        if lasting_name(request.data) == lasting_name(other):
            raise _same_pictures(other)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> DomainData:
        """Both sources packed at the model's sizes."""
        other = _second_source(request)
        size = config.picture.size
        a, b = _packed_domains(request.data, other, request, config, size)
        if a.fingerprint == b.fingerprint:
            raise _same_pictures(other)
        described = described_pictures(a, request, size) | {
            "other": described_source(other, b) | {"channels": b.channels}
        }
        larger = None
        if plan.crop_margin:
            margin = with_margin(size, plan.crop_margin)
            larger = _packed_domains(request.data, other, request, config, margin)
        return DomainData(a=a, b=b, described=described, larger=larger)


def _require_channels(request: SourceRequest, config: Any, fields: Mapping[str, Any]) -> None:
    """That the model takes sources of unequal channels, if they are; its refusal knows numbers alone.

    Raises:
        UserError: it does not.
    """
    channels, others = fields.get("channels", config.channels), fields["other_channels"]
    if channels == others:
        return
    try:
        replace(config, **fields)
    except UserError as error:
        raise UserError(
            f"--data {request.data} is taken as {_colours(channels)}, and --other {request.other} as "
            f"{_colours(others)}. {error}"
        ) from None


def _colours(channels: int) -> str:
    return {1: "grey", 3: "RGB", 4: "RGBA"}.get(channels, f"pictures of {channels} channels")


def _second_source(request: SourceRequest) -> str:
    refuse_targets(request)
    if request.other is None:
        raise UserError(
            "This model translates between two kinds of pictures, and one was given. Name the second: --other SRC."
        )
    return request.other


def _same_pictures(other: str) -> UserError:
    return UserError(f"--other {other} holds the pictures of --data. Name pictures of another kind.")


def _packed_domains(
    data: str, other: str, request: SourceRequest, config: Any, size: tuple[int, int]
) -> tuple[Packed, Packed]:
    a = packed_pictures(data, request, size=size, channels=config.picture.channels)
    return a, packed_pictures(other, request, size=size, channels=config.other_picture.channels)
