"""Measures graphs while a model trains: drawn graphs against real ones."""

from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.graph_judge import GraphJudge
from ganvas.metrics.graphs.one_graph import OneGraphJudge
from ganvas.train.examinations.judged_examination import JudgedExamination
from ganvas.train.plan import Plan
from ganvas.train.sheets.graph_sheets import draw_graphs

FEWEST = 4  # Real graphs: two are held against two others.
ENOUGH = 16  # Graphs like one: each is put together from hundreds of walks.


def graph_examination(plan: Plan, packed: PackedGraphs) -> JudgedExamination:
    """Drawn graphs beside as many real ones that are no part of the reference."""
    enough = len(packed) >= FEWEST and plan.measure_n >= 2
    lacking = "" if enough else f"needs at least {FEWEST} graphs."
    return JudgedExamination(plan, GraphJudge(packed, seed=plan.seed), draw_graphs, n=plan.measure_n, lacking=lacking)


def one_graph_examination(plan: Plan, packed: PackedGraphs) -> JudgedExamination:
    """Drawn graphs against the one that they should be like, beside that graph with its edges exchanged."""
    n = min(plan.measure_n, ENOUGH)
    return JudgedExamination(plan, OneGraphJudge(packed, seed=plan.seed), draw_graphs, n=n)
