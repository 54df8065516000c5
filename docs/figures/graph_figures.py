"""Figures of docs/graphs.md: sets of known laws, drawn molecules beside real ones, and what flatters.

``python docs/figures/graph_figures.py [sets] [dust] [molecules SMILES_FILE]``; molecules need RDKit and take some
minutes of one core.
"""

import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np

from ganvas.data.graphs.graph_laws import Alkanes, Communities, ErdosRenyi, GraphLaw, Trees, free_trees
from ganvas.data.graphs.graph_tables import AnyRows
from ganvas.metrics.graphs.graph_mmd import STATISTICS, compared
from ganvas.report.drawing.curves import Curve
from ganvas.report.drawing.drawing import write
from ganvas.report.drawing.panels import chart
from ganvas.report.drawing.plot_frame import Axes
from ganvas.report.drawing.primitives import Drawing
from ganvas.report.pictures.graph_sheet import graph_sheet
from ganvas.tasks.train import Train, train
from ganvas.train.trained import load

HERE = Path(__file__).parent
SHOWN, COLUMNS, DPI = 12, 6, 110.0
SMALL, REPEATS = (10, 20, 40, 80), 60


def sets() -> None:
    """Three graphs of each built-in law."""
    laws: list[GraphLaw] = [Trees(), Alkanes(), ErdosRenyi(), Communities()]
    tables = [table for law in laws for table in law.drawn(3, seed=2)]
    words = [f"graphs:{law.name}" for law in laws for _ in range(3)]
    write(graph_sheet(tables, words=words, columns=COLUMNS), HERE / "graph_sets.svg")


def isomers() -> None:
    """All isomers of heptane."""
    tables = list(free_trees(7, 4).values())
    write(graph_sheet(tables, node_names=("C",), columns=9, title="The nine isomers of heptane"), HERE / "heptane.svg")


def floors() -> None:
    """Both estimates of two draws of one law, by how many graphs there are: means over draws, with their errors."""
    statistic, law = STATISTICS["degree"], Communities()
    found: dict[str, list[list[float]]] = {"published, biased": [], "unbiased": []}
    for n in SMALL:
        pairs = [_two_draws(law, n, repeat) for repeat in range(REPEATS)]
        both = [compared(statistic, statistic.rows(a), statistic.rows(b)) for a, b in pairs]
        found["published, biased"].append([one.published["graphrnn"] for one in both])
        found["unbiased"].append([one.own.unbiased for one in both])
    curves = [
        Curve(
            name=name,
            x=np.array(SMALL, float),
            y=np.mean(values, 1),
            error=np.std(values, 1, ddof=1) / np.sqrt(REPEATS),
            marks=True,
        )
        for name, values in found.items()
    ]
    axes = Axes(x_title="graphs on each side", y_title="discrepancy of degrees", log_x=True)
    place = (10.0, 6.0, 390.0, 224.0)
    title = "Two draws of one law are apart in the published form"
    write(Drawing(width=410, height=240, items=chart(curves, place, axes=axes), title=title), HERE / "graph_floor.svg")


def molecules(source: str) -> None:
    """Molecules that the baseline draws after some minutes, under real ones."""
    with tempfile.TemporaryDirectory() as temporary:
        settings = ("measure_kimg=-1", "sample_kimg=1000", "hidden=96")
        task = Train(
            model="graphs/autoregressive",
            data=f"molecules:{source}",
            out=Path(temporary) / "run",
            preset="small",
            kimg=130,
            set=settings,
            threads=1,
            estimate=False,
        )
        train(task)
        trained = load(Path(temporary) / "run")
        real = trained.real_graphs(quiet=True).read(np.linspace(0, 10**5, SHOWN).astype(np.int64))
        drawn = trained.sample_graphs(SHOWN, seed=1)
        names = trained.graph_names[0]
    for name, tables in (("real", real), ("drawn", drawn)):
        write(graph_sheet(list(tables), node_names=names, columns=COLUMNS), HERE / f"molecules_{name}.png", dpi=DPI)


def _two_draws(law: GraphLaw, n: int, repeat: int) -> tuple[AnyRows, AnyRows]:
    return np.stack(list(law.drawn(n, seed=2 * repeat))), np.stack(list(law.drawn(n, seed=2 * repeat + 1)))


FIGURES: dict[str, Callable[[], None]] = {"sets": sets, "isomers": isomers, "floors": floors}

if __name__ == "__main__":
    if sys.argv[1:2] == ["molecules"]:
        molecules(sys.argv[2])
    else:
        for chosen in sys.argv[1:] or FIGURES:
            FIGURES[chosen]()
