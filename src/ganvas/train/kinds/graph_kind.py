"""Graphs: packed as tables, dealt as they are, shown as drawings, measured by classes, shares and statistics."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.sample_sizes.graph_size import GraphSize
from ganvas.data.graphs.molecules import valences_of
from ganvas.data.graphs.packed_graphs import PackedGraphs, prepare_graphs, survey_graphs
from ganvas.data.graphs.survey_graphs import size_of
from ganvas.data.sources.locations import lasting_name
from ganvas.losses.capabilities import LearnsOneGraph, TakesValences
from ganvas.losses.game import Game
from ganvas.train.examinations.graph_examination import graph_examination, one_graph_examination
from ganvas.train.feeds.feed import Feed
from ganvas.train.feeds.graph_feed import GraphFeed
from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
from ganvas.train.kinds.picture_checks import refuse_targets
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sampling.drawn import can_draw
from ganvas.train.sheets.graph_sheets import GraphSheets
from ganvas.train.sheets.sample_grids import NoSheets, Sheets


@dataclass
class GraphData(RunData):
    """Packed graphs."""

    packed: PackedGraphs
    described: dict[str, Any]

    def __len__(self) -> int:
        return len(self.packed)

    def sentence(self) -> str:
        """How many graphs there are, of how many nodes, of which kinds; and how many were left out."""
        data = self.described
        kinds = f" of {', '.join(data['node_names'])}" if len(data["node_names"]) > 1 else ""
        said = f"{len(self):,} graphs of up to {data['nodes']} nodes{kinds}."
        left = [f"{count:,} {why}" for why, count in data["left_out"].items()]
        return said + (f" Left out: {', '.join(left)}." if left else "")

    def feed(self, model: Game, plan: Plan, *, device: torch.device, ranks: Ranks) -> Feed:
        """Deals graphs."""
        return GraphFeed(self.packed, seed=plan.seed, device=device, ranks=ranks)

    def sheets(self, folder: Path, model: Game, plan: Plan, *, device: torch.device) -> Sheets:
        """Graphs that the model draws."""
        return GraphSheets(folder, self.packed, seed=plan.seed) if can_draw(model) else NoSheets(folder)

    def examinations(self, model: Game, plan: Plan) -> list[Examination]:
        """Drawn graphs against real ones."""
        if not can_draw(model):
            return []
        one = isinstance(model.config, LearnsOneGraph)
        return [(one_graph_examination if one else graph_examination)(plan, self.packed)]

    def specimens(self, plan: Plan, *, device: torch.device) -> None:
        """None: tables of numbers are no pictures whose distances say anything."""


class GraphKind(Kind):
    """Graphs of one source."""

    def fields_for(
        self, request: SourceRequest, config: Any, given: Mapping[str, Any], *, bound: int | None
    ) -> dict[str, Any]:
        """The nodes of the largest graph, and how many kinds of node and edge there are."""
        found = survey_graphs(request.data, broken=request.broken)
        fields = dict(vars(size_of(found)))
        if isinstance(config, TakesValences):
            fields["valences"] = valences_of(tuple(found.nodes), tuple(found.bonds))
        if isinstance(config, LearnsOneGraph):
            fields["edges"] = max(found.edges)
        return {name: value for name, value in fields.items() if name not in given}

    def check(self, request: SourceRequest, config: Any, plan: Plan) -> None:
        """One source of graphs, with the model's kinds."""
        _require_one_source(request)
        found = survey_graphs(request.data, broken=request.broken)
        _require_size(size_of(found, nodes=config.nodes), config.graph, request)
        _require_number(found.count, config, request)

    def prepare(self, request: SourceRequest, config: Any, plan: Plan) -> GraphData:
        """The graphs packed."""
        _require_one_source(request)
        packed = prepare_graphs(request.data, nodes=config.nodes, broken=request.broken, quiet=request.quiet)
        _require_size(packed.size, config.graph, request)
        _require_number(len(packed), config, request)
        return GraphData(packed=packed, described=_described(request, packed))


def _described(request: SourceRequest, packed: PackedGraphs) -> dict[str, Any]:
    """What run.json says of a source of graphs."""
    told = ("node_names", "edge_names", "left_out", "law")
    return {
        "spec": lasting_name(request.data),
        "fingerprint": packed.fingerprint,
        "count": len(packed),
        "nodes": packed.size.nodes,
        "broken": request.broken,
        **{name: packed.manifest.get(name) for name in told},
    }


def _require_one_source(request: SourceRequest) -> None:
    refuse_targets(request)
    given = {
        "--other": request.other,
        "--held-out": request.held_out,
        "--conditional": request.conditional or None,
        "--labelled": request.labelled,
    }
    if option := next((name for name, value in given.items() if value is not None), ""):
        raise UserError(f"{option}: this model learns the graphs of one source, without classes. Leave it out.")


def _require_size(found: GraphSize, wanted: GraphSize, request: SourceRequest) -> None:
    for name, of in (("node_kinds", "nodes"), ("edge_kinds", "edges")):
        have, want = vars(found)[name], vars(wanted)[name]
        if have != want:
            raise UserError(f"{name}={want}, but {request.data} has {have} kinds of {of}. Leave it out.")


def _require_number(count: int, config: Any, request: SourceRequest) -> None:
    if isinstance(config, LearnsOneGraph) and count != 1:
        raise UserError(
            f"{request.data} has {count:,} graphs, and this model learns one, by walks on it. Name a file of one "
            "graph, or graphs:communities,1."
        )
