"""Measures graphs while a model trains: drawn graphs against real ones."""

from collections.abc import Sequence

from ganvas.core.results import Result
from ganvas.core.schedule import Stage
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.graph_judge import GraphJudge
from ganvas.metrics.graphs.one_graph import OneGraphJudge
from ganvas.train.monitors import Examination
from ganvas.train.plan import Plan
from ganvas.train.sheets.graph_sheets import draw_graphs
from ganvas.train.state import State

FEWEST = 4  # Real graphs: two are held against two others.
ENOUGH = 16  # Graphs like one: each is put together from hundreds of walks.


class GraphExamination(Examination):
    """Drawn graphs beside as many real ones that are no part of the reference."""

    def __init__(self, plan: Plan, packed: PackedGraphs) -> None:
        self.plan, self.judge = plan, GraphJudge(packed, seed=plan.seed)
        self.n = plan.measure_n
        self.enough = len(packed) >= FEWEST and plan.measure_n >= 2
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """Too few graphs."""
        return "" if self.enough else f"needs at least {FEWEST} graphs."

    @property
    def metrics(self) -> Sequence[str]:
        """All that graphs get."""
        return self.judge.metrics

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of graphs of their own, and of real ones."""
        if self._floor is None:
            self._floor = self.judge.floor(self.n)
        return self.judge.judge(draw_graphs(state, stage, self.n, seed=self.plan.seed, purpose="measure")), self._floor


class OneGraphExamination(Examination):
    """Drawn graphs against the one that they should be like, beside graphs that know less of it."""

    def __init__(self, plan: Plan, packed: PackedGraphs) -> None:
        self.plan, self.judge = plan, OneGraphJudge(packed, seed=plan.seed)
        self.n = min(plan.measure_n, ENOUGH)
        self._floor: list[Result] | None = None

    @property
    def refusal(self) -> str:
        """None."""
        return ""

    @property
    def metrics(self) -> Sequence[str]:
        """All that graphs get."""
        return self.judge.metrics

    def measure(self, state: State, stage: Stage) -> tuple[list[Result], list[Result]]:
        """Of graphs of their own, and of the graph itself with its edges exchanged."""
        if self._floor is None:
            self._floor = self.judge.floor(self.n)
        return self.judge.judge(draw_graphs(state, stage, self.n, seed=self.plan.seed, purpose="measure")), self._floor
