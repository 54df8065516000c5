"""Text: packed as numbers of tokens, dealt as it is, shown as lines, measured by likelihood where that is known."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.data.sources.locations import lasting_name
from ganvas.data.text.packed_text import PackedText, prepare_text, survey_text, text_source_of
from ganvas.losses.capabilities import HasDensity
from ganvas.losses.game import Game
from ganvas.train.examinations.text_examination import LineDensityExamination, line_examination
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.text_feed import TextFeed
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.picture_checks import refuse_targets, refuse_the_same
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import can_draw
from ganvas.train.sheets.sample_grids import NoSheets, Sheets
from ganvas.train.sheets.text_sheets import LineSheets

MOST_NUMBERS = 5000  # Of an alphabet, where a person names no number: rarer tokens are unknown.


@dataclass
class TextData(RunData):
    """Packed lines, and those that are held out."""

    packed: PackedText
    held_out: PackedText | None
    described: dict[str, Any]

    def __len__(self) -> int:
        return len(self.packed)

    def sentence(self) -> str:
        """How many lines there are, how long, of how many tokens; and what was cut and left out."""
        data, kinds = self.described, len(self.packed.alphabet.tokens)
        said = f"{len(self):,} lines of up to {data['length']} {data['unit']}, of {kinds:,} kinds."
        left = {"cut": "lines are longer and were cut", "blank": "are blank and left out", "unknown": "are unknown"}
        told = [f"{data[name]:,} {word}" for name, word in left.items() if data[name]]
        return said + (f" {', '.join(told)}." if told else "")

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals lines."""
        return TextFeed(self.packed, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Lines that the model says."""
        return LineSheets(folder, self.packed, seed=plan.seed) if can_draw(model) else NoSheets(folder)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """Drawn lines against real ones, and bits of held-out lines of a model that knows its likelihood."""
        found: list[Examination] = []
        if isinstance(model, HasDensity):
            found.append(LineDensityExamination(plan, self.packed, self.held_out))
        if can_draw(model):
            found.append(line_examination(plan, self.packed, self.held_out))
        return found

    def specimens(self, plan: Plan, *, device: torch.device) -> None:
        """None: rows of numbers are no pictures whose distances say anything."""


class TextKind(Kind):
    """Lines of one source."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The length of the longest line, as far as the settings go, and the size of the alphabet."""
        source = text_source_of(request.data)
        unit = given.get("unit", config.unit if source.law is None else "words")
        found = survey_text(request.data, unit)
        fields = {
            "unit": unit,
            "length": min(config.length, found.longest),
            "alphabet": found.numbers if found.closed else min(found.numbers, MOST_NUMBERS),
            "closed": found.closed,
        }
        return {name: value for name, value in fields.items() if name not in given}

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """One source of text, whose alphabet is the model's."""
        _require_one_source(request)
        found = survey_text(request.data, config.unit)
        _require_numbers(min(found.numbers, config.alphabet), config.line, request)
        if request.held_out is not None:
            survey_text(request.held_out, config.unit)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> TextData:
        """The lines packed, the held-out ones by the same alphabet."""
        _require_one_source(request)
        packed = prepare_text(request.data, config.line, quiet=request.quiet)
        _require_numbers(len(packed.alphabet), config.line, request)
        described = _described(request.data, packed)
        held_out = None
        if request.held_out is not None:
            how = {"alphabet": packed.alphabet, "quiet": request.quiet}
            held_out = prepare_text(request.held_out, config.line, **how)
            described["held_out"] = _described(request.held_out, held_out)
        return TextData(packed=packed, held_out=held_out, described=described)


def _described(spec: str, packed: PackedText) -> dict[str, Any]:
    """What run.json says of a source of lines."""
    told = ("unit", "alphabet", "cut", "blank", "unknown", "law")
    return {
        "spec": lasting_name(spec),
        "fingerprint": packed.fingerprint,
        "count": len(packed),
        "length": packed.length,
        **{name: packed.manifest.get(name) for name in told},
    }


def _require_one_source(request: SourceRequest) -> None:
    refuse_targets(request)
    if request.other is not None or request.conditional or request.labelled is not None:
        given = "--other" if request.other else "--conditional" if request.conditional else "--labelled"
        raise UserError(f"{given}: this model learns the lines of one source, without classes. Leave it out.")
    if request.held_out is not None:
        refuse_the_same(lasting_name(request.data), lasting_name(request.held_out), request)


def _require_numbers(numbers: int, line: LineSize, request: SourceRequest) -> None:
    if numbers != line.alphabet:
        raise UserError(
            f"alphabet={line.alphabet}, but the alphabet of {request.data} has {numbers} numbers of {line.unit}. Give "
            "at most that many, or leave alphabet out."
        )
