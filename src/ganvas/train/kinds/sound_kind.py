"""Sounds: packed at one rate and length, dealt as they are, shown as waves, spectrograms and files to hear."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
import torch

from ganvas.core.progress import say
from ganvas.core.ranks import Ranks
from ganvas.core.sample_sizes.sound_size import doubled_length
from ganvas.core.shapes import Waves
from ganvas.core.waves import to_waves
from ganvas.data.sound.opening_sounds import is_sounds
from ganvas.data.sound.packed_sounds import PackedSounds, prepare_sounds, sound_source
from ganvas.data.sound.sound_source import HELD_WHOLE, SoundSurvey, broken_sound
from ganvas.data.sources.locations import lasting_name
from ganvas.losses.capabilities import classes_of
from ganvas.losses.game import Game
from ganvas.nn.sound.mel_levels import mel_levels
from ganvas.train.examinations.sound_examination import SoundExamination
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.sound_feed import SoundFeed
from ganvas.train.health.specimens import LOOKED_AT, Specimens, specimens
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.picture_checks import (
    conditional_classes,
    refuse_other,
    refuse_targets,
    refuse_the_same,
    require_classes,
)
from ganvas.train.monitors import Examination, some_rows
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import can_draw
from ganvas.train.sheets.sample_grids import NoSheets, Sheets
from ganvas.train.sheets.sound_sheets import SoundSheets


@dataclass
class SoundData(RunData):
    """Packed sounds, and those that are held out."""

    packed: PackedSounds
    held_out: PackedSounds | None
    described: dict[str, Any]

    def __len__(self) -> int:
        return len(self.packed)

    def sentence(self) -> str:
        """How many sounds there are, how long, and what was done to the recordings."""
        size = self.packed.size
        made = f" {self.packed.treated}" if self.packed.treated else ""
        return (
            f"{len(self.packed):,} sounds of {size.seconds:.3g} s ({size.length:,} samples at {size.rate:,} Hz).{made}"
        )

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals sounds."""
        return SoundFeed(self.packed, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Waves and spectrograms, with files to hear."""
        if not can_draw(model):
            return NoSheets(folder)
        return SoundSheets(folder, self.packed, seed=plan.seed, classes=classes_of(model.config))

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """Artefacts, distances and bins, of what is drawn beside real sounds."""
        conditional = classes_of(model.config) > 0
        return [SoundExamination(plan, self.packed, conditional=conditional)] if can_draw(model) else []

    def specimens(self, plan: Plan, *, device: torch.device) -> Specimens:
        """Some of the sounds, and some of those that are held out."""
        held_out = None
        if self.held_out is not None:
            rows = some_rows(len(self.held_out), LOOKED_AT, seed=plan.seed, purpose="held out")
            held_out = _waves(self.held_out, rows, device)
        read = lambda rows: _waves(self.packed, rows, device)  # noqa: E731
        heard = lambda waves: mel_levels(waves, self.packed.size.rate).flatten(1)  # noqa: E731
        return specimens(read, len(self.packed), seed=plan.seed, held_out=held_out, rows=heard)


class SoundKind(Kind):
    """Sounds of one source."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The rate of most recordings, up to the model's own, and a length that holds nearly all of them whole."""
        _require_sounds(request.data)
        found = _surveyed(request.data, request)
        chosen: dict[str, Any] = {}
        if found.rates and "rate" not in given:
            most = next(iter(found.rates))
            chosen["rate"] = most if found.kind == "packed" else min(most, config.rate)
        if found.seconds and "length" not in given:
            rate = {"rate": config.rate, **chosen, **given}["rate"]
            samples = rate * float(np.quantile(found.seconds, HELD_WHOLE))
            chosen["length"] = doubled_length(samples, config.length)
        if request.conditional:
            chosen["num_classes"] = conditional_classes(found, request, config)
        return chosen

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """One source of sounds, none of them broken, and another one held out."""
        _require_one_source(request)
        for spec in filter(None, (request.data, request.held_out)):
            _require_sounds(spec)
            found = _surveyed(spec, request)
            if found.broken and request.broken == "refuse":
                raise broken_sound(*found.broken[0])
            if spec == request.data:
                require_classes(found.labels, config, request)
        if request.held_out is not None:
            refuse_the_same(lasting_name(request.data), lasting_name(request.held_out), request)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> SoundData:
        """The sounds packed at the model's rate and length."""
        _require_one_source(request)
        _require_sounds(request.data)
        packed = _packed(request.data, request, config)
        counts = packed.counts()
        require_classes(dict(zip(packed.class_names, counts, strict=True)) if counts else None, config, request)
        described = _described(request.data, packed) | {
            "rate": packed.size.rate,
            "length": packed.size.length,
            "normalise": packed.size.normalise,
            "class_names": list(packed.class_names),
            "class_counts": counts or [],
            "broken": request.broken,
        }
        held_out = None
        if request.held_out is not None:
            held_out = _packed(request.held_out, request, config)
            refuse_the_same(packed.fingerprint, held_out.fingerprint, request)
            described["held_out"] = _described(request.held_out, held_out)
            if held_out.treated and not request.quiet:
                say(f"--held-out: {held_out.treated}")
        return SoundData(packed=packed, held_out=held_out, described=described)


def _surveyed(spec: str, request: SourceRequest) -> SoundSurvey:
    """What a source holds, read once for all that is asked of it before a run."""
    return _survey(spec, sound_source(spec).identity(), request.quiet)


@lru_cache(maxsize=4)
def _survey(spec: str, identity: str, quiet: bool) -> SoundSurvey:
    del identity  # Other files in the same place are surveyed anew.
    return sound_source(spec).survey(quiet=quiet)


def _packed(spec: str, request: SourceRequest, config: Any) -> PackedSounds:
    return prepare_sounds(spec, config.sound, broken=request.broken, quiet=request.quiet)


def _described(spec: str, packed: PackedSounds) -> dict[str, Any]:
    return {"spec": lasting_name(spec), "fingerprint": packed.fingerprint, "count": len(packed)}


def _waves(packed: PackedSounds, rows: np.ndarray, device: torch.device) -> Waves:
    return to_waves(torch.from_numpy(packed.read(rows)).to(device))


def _require_one_source(request: SourceRequest) -> None:
    refuse_targets(request)
    refuse_other(request)


def _require_sounds(spec: str) -> None:
    """Says what is wanted before the source's own reader says what it finds."""
    if not is_sounds(spec):
        sound_source(spec).survey(quiet=True)
