"""Two unpaired domains of pictures: packed at their sizes, dealt apart, shown as rows that the model fills."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.data.packed import Packed
from ganvas.data.survey import survey
from ganvas.losses.capabilities import Shows
from ganvas.losses.game import Game
from ganvas.train.feeds.domain_feed import DomainFeed
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.picture_feed import Dealing
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.picture_kind import (
    SHOWN,
    channels_of,
    described_pictures,
    described_source,
    packed_pictures,
    picture_fields,
    with_margin,
)
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sample_grids import NoSheets, Sheets, ShownSheets


@dataclass
class DomainData(RunData):
    """The packed pictures of both domains."""

    a: Packed
    b: Packed
    described: dict[str, Any]
    crop: tuple[int, int] | None = None

    def __len__(self) -> int:
        return len(self.a)

    def sentence(self) -> str:
        """How many pictures each domain has, and of which size."""
        height, width = self.described["height"], self.described["width"]
        return f"{len(self.a):,} and {len(self.b):,} pictures of {height}x{width} pixels (height x width)."

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals both domains, each in its own order."""
        dealing = Dealing(mirror=plan.mirror, crop=self.crop)
        return DomainFeed(self.a, self.b, dealing, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Rows that the model shows of a fixed batch."""
        if not isinstance(model, Shows):
            return NoSheets(folder)
        feed = self.feed(model, plan, device=device, ranks=Ranks())
        batch = feed.batch(0, Stage(batch_size=min(SHOWN, len(self.a), len(self.b)), lr=0.0))
        feed.close()
        return ShownSheets(folder, batch)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """Nothing yet."""
        return []


class DomainKind(Kind):
    """Two unpaired sources of pictures."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The size of the first domain's pictures and the channels of both."""
        chosen = picture_fields(survey(request.data, quiet=request.quiet), config, given, bound=bound)
        if request.other is not None and "other_channels" not in given:
            chosen["other_channels"] = channels_of(survey(request.other, quiet=request.quiet))
        return chosen

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> DomainData:
        """Both sources packed at the model's sizes."""
        if request.other is None:
            raise UserError(
                "This model translates between two kinds of pictures, and one was given. Name the second: --other SRC."
            )
        size = config.picture.size
        packing = with_margin(size, plan.crop_margin)
        a = packed_pictures(request.data, request, size=packing, channels=config.picture.channels)
        b = packed_pictures(request.other, request, size=packing, channels=config.other_picture.channels)
        if a.fingerprint == b.fingerprint:
            raise UserError(f"--other {request.other} holds the pictures of --data. Name pictures of another kind.")
        described = described_pictures(a, request, size) | {
            "other": described_source(request.other, b) | {"channels": b.channels}
        }
        return DomainData(a=a, b=b, described=described, crop=size if plan.crop_margin else None)
