"""Measuring graphs: those of a source, or what a run draws, against the graphs that they should be like."""

import hashlib
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.run_folder import is_run_or_model
from ganvas.tasks.measuring.measured_samples import MeasuredSamples, chosen_results, is_own

if TYPE_CHECKING:
    from ganvas.data.graphs.graph_tables import GraphRows
    from ganvas.data.graphs.packed_graphs import PackedGraphs
    from ganvas.train.trained import Trained

MOST = 1024  # Graphs that are measured where the number is left out.
MOST_OF_ONE = 16  # The same of graphs like one, each of which is put together from hundreds of walks.


def measured_graphs(
    a: str,
    b: str | None,
    *,
    n: int | None,
    seed: int,
    metrics: tuple[str, ...] | None,
    kimg: float | None,
    quiet: bool,
) -> MeasuredSamples:
    """Measures graphs against those of a source.

    Args:
        a: A source of graphs, or a run that draws them.
        b: The source; None is what the run was trained on.
        n: How many; None is at most :data:`MOST`.
        metrics: Which values, by the first part of their names; None is all.

    Raises:
        UserError: there are no graphs to measure against, there are too few, or a metric is not of graphs.
    """
    from ganvas.losses.capabilities import LearnsOneGraph
    from ganvas.metrics.graphs.graph_judge import GraphJudge
    from ganvas.metrics.graphs.one_graph import OneGraphJudge
    from ganvas.train.trained import load

    path = Path(a).expanduser()
    trained = load(path, kimg=kimg) if is_run_or_model(path) else None
    real = _real_graphs(a, b, trained, quiet=quiet)
    one = trained is not None and isinstance(trained.model.config, LearnsOneGraph)
    tables = _tables(a, trained, real, n or (MOST_OF_ONE if one else MOST), seed=seed)
    if len(tables) < (n or 2) or (len(real) < 4 and not one):
        raise UserError(
            f"{a} has {len(tables):,} graphs and {b or 'its source'} {len(real):,}. At least 2 are measured against 4; "
            "leave -n out, or ask for at most as many as there are."
        )
    judge = (OneGraphJudge if one else GraphJudge)(real, seed=seed)
    return MeasuredSamples(
        against=b or str(trained.data["spec"] if trained else ""),
        n=len(tables),
        results=chosen_results(judge.judge(tables), metrics, of="graphs"),
        floor=chosen_results(judge.floor(len(tables)), metrics, of="graphs"),
        fakes=hashlib.sha256(tables.tobytes()).hexdigest()[:16],
        reals=real.fingerprint,
        trained=trained,
        own=is_own(trained, real.fingerprint),
    )


def _real_graphs(a: str, b: str | None, trained: "Trained | None", *, quiet: bool) -> "PackedGraphs":
    from ganvas.data.graphs.packed_graphs import prepare_graphs, survey_graphs

    if b is None and trained is None:
        raise UserError(f"{a} is no run, so what its graphs should be like is not known: ganvas measure {a} REALS.")
    if b is None and trained is not None:
        return trained.real_graphs(quiet=quiet)
    if trained is None:
        largest = max(survey_graphs(spec).largest for spec in (a, b or ""))  # None of either side is left out.
        return prepare_graphs(b or "", nodes=largest, quiet=quiet)
    return prepare_graphs(b or "", nodes=trained.graph.nodes, names=trained.graph_names, quiet=quiet)


def _tables(a: str, trained: "Trained | None", real: "PackedGraphs", n: int, *, seed: int) -> "GraphRows":
    """The graphs to be measured, numbered as the real ones are."""
    import numpy as np

    from ganvas.data.graphs.packed_graphs import prepare_graphs

    if trained is not None:
        return trained.sample_graphs(n, seed=seed)
    packed = prepare_graphs(a, nodes=real.size.nodes, names=(real.node_names, real.edge_names), quiet=True)
    return packed.read(np.random.default_rng(seed).permutation(len(packed))[:n])
