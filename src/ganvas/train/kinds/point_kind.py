"""Points: packed as numbers, dealt as they are, shown as clouds, measured by the modes of a known mixture."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.points.mixtures import Gaussians
from ganvas.data.points.packed_points import PackedPoints, prepare_points, source_of
from ganvas.data.sources.locations import lasting_name
from ganvas.losses.game import Game
from ganvas.metrics.maths.mode_coverage import mode_results
from ganvas.report.drawing.drawing import write
from ganvas.report.pictures.scatter import scatter
from ganvas.train.drawn import averaged_players, can_draw, drawn_samples
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.point_feed import PointFeed
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sample_grids import NoSheets, Sheets
from ganvas.train.state import State

SHOWN = 2000  # Points of each cloud on a sheet.
SHEET_DPI = 144.0
DRAW_BATCH = 4096


@dataclass
class PointData(RunData):
    """Packed points."""

    packed: PackedPoints
    described: dict[str, Any]

    def __len__(self) -> int:
        return len(self.packed)

    def sentence(self) -> str:
        """How many points there are, and of how many dimensions."""
        return f"{len(self.packed):,} points in {self.packed.dims} dimension{'s' if self.packed.dims > 1 else ''}."

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals points."""
        return PointFeed(self.packed, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Clouds of real and of drawn points."""
        return ScatterSheets(folder, self.packed, seed=plan.seed) if can_draw(model) else NoSheets(folder)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """How many modes are reached, and how much lies at one, where the law is a mixture of Gaussians."""
        return [ModeExamination(plan, self.packed)] if can_draw(model) else []


class PointKind(Kind):
    """Points of one source."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The number of dimensions."""
        return {} if "dims" in given else {"dims": source_of(request.data).dims}

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> PointData:
        """The points packed."""
        if request.other is not None or request.held_out is not None or request.conditional:
            given = "--other" if request.other else "--held-out" if request.held_out else "--conditional"
            raise UserError(f"{given}: this model learns the points of one source, without classes. Leave it out.")
        packed = prepare_points(request.data, quiet=request.quiet)
        if packed.dims != config.dims:
            raise UserError(
                f"dims={config.dims}, but the points of {request.data} have {packed.dims} numbers. Leave dims out."
            )
        described = {
            "spec": lasting_name(request.data),
            "fingerprint": packed.fingerprint,
            "count": len(packed),
            "dims": packed.dims,
            "mixture": packed.manifest["mixture"],
        }
        return PointData(packed=packed, described=described)


class ScatterSheets(Sheets):
    """Clouds: the real points in grey, those of fixed latents over them."""

    def __init__(self, folder: Path, packed: PackedPoints, *, seed: int) -> None:
        super().__init__(folder)
        self.seed = seed
        chosen = np.linspace(0, len(packed) - 1, min(SHOWN, len(packed))).astype(np.int64)
        self.real = packed.read(chosen)

    def reals(self) -> None:
        """The real points alone."""
        self._write("reals", self.real, None, title="Real points")

    def sample(self, state: State, stage: Stage, name: str) -> None:
        """What the averaged model makes of the fixed latents, over the real points."""
        drawn = draw_points(state, stage, SHOWN, seed=self.seed)
        self._write(name, drawn, self.real, title=f"{state.nimg / 1000:,.6g} thousand points shown")

    def _write(self, name: str, points: NDArray[np.float32], real: NDArray[np.float32] | None, *, title: str) -> None:
        write(scatter(points, real, title=title), self.folder / f"{name}.png", dpi=SHEET_DPI)


class ModeExamination(Examination):
    """Modes reached by what the model draws, and the share of it that lies at one."""

    def __init__(self, plan: Plan, packed: PackedPoints) -> None:
        self.plan, self.packed, self.law = plan, packed, packed.mixture

    @property
    def refusal(self) -> str:
        """The law is not known, or has no modes."""
        known = isinstance(self.law, Gaussians)
        return "" if known else "needs points of a known mixture of Gaussians, such as mixtures:grid25."

    @property
    def metrics(self) -> Sequence[str]:
        """Modes, and how good samples are."""
        return ("modes", "modes.high_quality", "modes.reverse_kl")

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of points from latents of their own, and of as many real points."""
        drawn = draw_points(state, stage, self.plan.measure_n, seed=self.plan.seed, purpose="measure")
        order = torch.randperm(len(self.packed), generator=stream(self.plan.seed, "measured reals"))
        real = self.packed.read(order[: self.plan.measure_n].numpy())
        return self._results(drawn), self._results(real)

    def _results(self, points: NDArray[np.float32]) -> list[Result]:
        assert isinstance(self.law, Gaussians)
        law = self.law
        name = str(self.packed.manifest["mixture"])
        return mode_results(points, law.centres, sigma=law.sigma, shares=law.shares, seed=self.plan.seed, law=name)


def draw_points(state: State, stage: Stage, n: int, *, seed: int, purpose: str = "sheet") -> NDArray[np.float32]:
    """``n`` points (n, d) of the model with its averaged players; training notices nothing."""
    with averaged_players(state) as model:
        drawn = [
            part.float().cpu()
            for part in drawn_samples(model, n, seed=seed, purpose=purpose, stage=stage, batch=DRAW_BATCH)
        ]
    return torch.cat(drawn).numpy()
