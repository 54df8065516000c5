"""Points: packed as numbers, dealt as they are, shown as clouds, measured against their law where it is known."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.data.points.packed_points import PackedPoints, prepare_points, source_of
from ganvas.data.sources.locations import lasting_name
from ganvas.losses.capabilities import HasDensity, HasLatents, KnowsDensity
from ganvas.losses.game import Game
from ganvas.metrics.points.exact_likelihood import likelihood_results, names_of_likelihood
from ganvas.metrics.points.point_results import names_of, point_results
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.point_feed import PointFeed
from ganvas.train.generator_slope import generator_slope
from ganvas.train.health.specimens import Specimens, specimens
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.picture_checks import refuse_targets
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import averaged_players, can_draw
from ganvas.train.sheets.point_sheets import GameSheets, ScatterSheets, draw_points
from ganvas.train.sheets.sample_grids import NoSheets, Sheets
from ganvas.train.state import State


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
        """Clouds of real and of drawn points; in a plane also what the critic thinks, and what latents become."""
        if not can_draw(model):
            return NoSheets(folder)
        plane = self.packed.dims == 2 and isinstance(model, HasLatents)
        return (GameSheets if plane else ScatterSheets)(folder, self.packed, seed=plan.seed)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """Whatever can be measured against the law of the points."""
        known = isinstance(model, KnowsDensity | HasDensity)
        return [PointExamination(plan, self.packed, known=known)] if can_draw(model) else []

    def specimens(self, plan: Plan, *, device: torch.device) -> Specimens:
        """Some of the points."""
        read = lambda rows: torch.from_numpy(self.packed.read(rows)).to(device)  # noqa: E731
        return specimens(read, len(self.packed), seed=plan.seed)


class PointKind(Kind):
    """Points of one source."""

    def defaults(self, module: ModuleType) -> Any:
        """Those for points, ``POINTS``, of a model that also takes pictures."""
        return module.POINTS if len(module.Model.takes) > 1 else module.Config()

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The number of dimensions."""
        return {} if "dims" in given else {"dims": source_of(request.data).dims}

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """One source, of as many dimensions as the model's."""
        _require_one_source(request)
        _require_dims(source_of(request.data).dims, config, request)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> PointData:
        """The points packed."""
        _require_one_source(request)
        packed = prepare_points(request.data, quiet=request.quiet)
        _require_dims(packed.dims, config, request)
        described = {
            "spec": lasting_name(request.data),
            "fingerprint": packed.fingerprint,
            "count": len(packed),
            "dims": packed.dims,
            "mixture": packed.manifest["mixture"],
        }
        return PointData(packed=packed, described=described)


def _require_one_source(request: SourceRequest) -> None:
    refuse_targets(request)
    if request.other is not None or request.held_out is not None or request.conditional:
        given = "--other" if request.other else "--held-out" if request.held_out else "--conditional"
        raise UserError(f"{given}: this model learns the points of one source, without classes. Leave it out.")


def _require_dims(dims: int, config: Any, request: SourceRequest) -> None:
    if dims != config.dims:
        raise UserError(f"dims={config.dims}, but the points of {request.data} have {dims} numbers. Leave dims out.")


class PointExamination(Examination):
    """What the model draws against the law that the points were drawn from.

    Args:
        known: Whether the model knows or bounds its density, which then is measured on fresh draws of the law.
    """

    def __init__(self, plan: Plan, packed: PackedPoints, *, known: bool = False) -> None:
        self.plan, self.packed, self.law, self.known = plan, packed, packed.mixture, known
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """The law is not known."""
        return "needs points of a known law, such as mixtures:grid25." if self.law is None else ""

    @property
    def metrics(self) -> Sequence[str]:
        """Those that the law allows."""
        if self.law is None:
            return ()
        return [*names_of(self.law), *(names_of_likelihood(self.law) if self.known else ())]

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of points from latents of their own, and of as many real points."""
        drawn = draw_points(state, stage, self.plan.measure_n, seed=self.plan.seed, purpose="measure")
        lipschitz = None
        if self.law is not None and self.law.gap is not None:
            with averaged_players(state) as model:
                lipschitz = generator_slope(model, seed=self.plan.seed, stage=stage)
        if self._floor is None:
            order = torch.randperm(len(self.packed), generator=stream(self.plan.seed, "measured reals"))
            self._floor = self._results(self.packed.read(order[: self.plan.measure_n].numpy()))
        return self._results(drawn, lipschitz) + self._likelihood(state), self._floor

    def _likelihood(self, state: State) -> list[Result]:
        """Of a model that knows its density, or bounds it."""
        if not self.known or self.law is None:
            return []
        name, device = str(self.packed.manifest["mixture"]), next(state.model.parameters()).device
        how = {"name": name, "n": self.plan.measure_n, "seed": self.plan.seed, "device": device}
        with averaged_players(state) as model:
            if isinstance(model, KnowsDensity):
                return likelihood_results(model.log_density, self.law, **how)
            assert isinstance(model, HasDensity)
            rng = stream(self.plan.seed, "density of points", device=device)
            kind = "exact density" if model.density == "exact" else model.density
            return likelihood_results(partial(model.log_prob, rng=rng), self.law, kind=kind, **how)

    def _results(self, points: NDArray[np.float32], lipschitz: float | None = None) -> list[Result]:
        assert self.law is not None
        name = str(self.packed.manifest["mixture"])
        return point_results(points, self.law, name=name, seed=self.plan.seed, lipschitz=lipschitz)
