"""The gate of graphs: laws whose classes are known, so that no statistic has to be chosen.

GraphRNN on trees of 5 nodes and on the 35 isomers of nonane: nine graphs of ten strictly valid, nine tenths of the
law's probability reached, and a chi-square of classes of at most 10 times its mean over 1,000 graphs. MolGAN on the
trees, without and with the reward, has to be strictly valid; how far its classes are from the law is recorded, beside
the baseline's, and no verdict is asked for.

Twins that must fail: the networks before their first step; one valid tree drawn again and again, valid but of one
class; and dust, single atoms that papers' validity takes for molecules.

NetGAN on one graph of two communities: its share of the graph's edges must grow from below that of the graph with its
edges exchanged to more than half, where the authors stop, with clustering nearer to the graph's than the exchanged
one's. Every measure on the way is recorded: a copy has every statistic right, so that overlap is the axis.

GraphRNN and MolGAN on the molecules of QM9, read by RDKit: validity, uniqueness, novelty and discrepancies are recorded
beside the floor and the untrained networks, which must draw fewer new valid molecules. Without RDKit, or without the
data, this is passed over, and said.

``OMP_NUM_THREADS=1 GANVAS_TEST_DATA=... python -m benchmarks.gates.gate_graphs [trees] [alkanes] [molgan] [netgan]
[molecules]``; about 20 minutes of one core.
"""

import importlib.util
import math
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import numpy as np
from benchmarks.gates.preset_run import finished_run, measured, run_parts, runs_of

from benchmarks import history
from ganvas.core.results import Result
from ganvas.data.graphs.graph_laws import Communities
from ganvas.data.graphs.graph_tables import edges_of, table_of
from ganvas.data.graphs.molecules import within_valence
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.graph_judge import GraphJudge
from ganvas.metrics.graphs.one_graph import OneGraphJudge
from ganvas.tasks.train import Train
from ganvas.train.trained import Trained, load

TREES, ALKANES = "graphs:trees,20000,nodes=5", "graphs:alkanes,20000,nodes=9"
DRAWN, SEED = 1000, 0
VALID, COVERED, CHI2 = 0.9, 0.9, 10.0
MOLGAN = {"molgan": ("reward=none",), "molgan reward=tree": ("reward=tree", "reward_kimg=40")}
KEPT = ("valid", "unique", "novel", "vun", "class_chi2", "class_p", "class_covered", "degree_mmd", "orbit_mmd")
OVERLAP, COMMUNITIES_SEED = 0.5, 3
NETGAN_KIMG, NETGAN_MEASURES = 300, 6
QM9, QM9_RUNS = "qm9-smiles.txt.xz", {"autoregressive": (60.0, ("hidden=96",)), "molgan": (150.0, ())}
QM9_KEPT = ("valid", "valid.loose", "unique", "novel", "vun", "degree_mmd", "clustering_mmd", "orbit_mmd")

Figures = Mapping[str, float]


def main() -> None:
    """Trains, records what is reached, and ends with an error where the gate is missed."""
    run_parts(PARTS, __doc__)


def trees() -> list[str]:
    """What is not as it should be of the baseline on trees."""
    return _baseline("trees", TREES, kimg=80.0)


def alkanes() -> list[str]:
    """What is not as it should be of the baseline on isomers of nonane."""
    return _baseline("alkanes", ALKANES, kimg=120.0)


def molgan() -> list[str]:
    """What is not as it should be of MolGAN on trees."""
    missed = []
    for name, changes in MOLGAN.items():
        with runs_of(f"gate_graphs.{name}") as folder:
            found, untrained, seconds, _ = _trained("molgan", folder, TREES, kimg=400.0, changes=changes)
        history.record(f"gate_graphs.{name}", {**found, "cpu_sec": seconds})
        missed += [f"{name} untrained is valid."] if untrained["valid"] >= VALID else []
        missed += [] if found["valid"] >= VALID else [f"graphs/{name}: {dict(found)}"]
    return missed


def netgan() -> list[str]:
    """What is not as it should be of NetGAN on one graph."""
    with runs_of("gate_graphs.netgan") as folder:
        source = folder / "communities.edges"
        (table,) = Communities().drawn(1, seed=COMMUNITIES_SEED)
        source.write_text("".join(f"{one} {other}\n" for one, other in edges_of(table)))
        settings = (f"measure_kimg={NETGAN_KIMG / NETGAN_MEASURES}", "measure_n=32", "sample_kimg=1000")
        started = time.process_time()
        run = finished_run(
            Train(
                model="graphs/netgan",
                data=str(source),
                out=folder / "run",
                preset="small",
                kimg=NETGAN_KIMG,
                set=settings,
                quiet=True,
            )
        )
        seconds = time.process_time() - started
        found = measured(run)
        exchanged = _values(OneGraphJudge(load(run).real_graphs(quiet=True), seed=SEED).floor(32))
    for number, one in enumerate(found):
        history.record(f"gate_graphs.netgan {number} of {len(found) - 1}", one)
    history.record("gate_graphs.netgan exchanged edges", exchanged)
    history.record("gate_graphs.netgan", {**found[-1], "cpu_sec": seconds})
    first, last = found[0], found[-1]
    away = [abs(one["clustering"] - last["clustering.real"]) for one in (last, exchanged)]
    wrong = {
        f"NetGAN begins with an overlap of {first['edge_overlap']:.2f}": first["edge_overlap"] >= OVERLAP,
        f"an exchanged graph has an overlap of {exchanged['edge_overlap']:.2f}": exchanged["edge_overlap"] >= OVERLAP,
        f"NetGAN ends with an overlap of {last['edge_overlap']:.2f}": last["edge_overlap"] < OVERLAP,
        f"its clustering is {away[0]:.3f} away, that of exchanged edges {away[1]:.3f}": away[0] >= away[1],
    }
    return [miss for miss, holds in wrong.items() if holds]


def molecules() -> list[str]:
    """What is not as it should be of the molecules of QM9."""
    data = Path(os.environ.get("GANVAS_TEST_DATA", "")) / QM9
    if not data.is_file() or importlib.util.find_spec("rdkit") is None:
        sys.stdout.write(f"gate_graphs.molecules is passed over: it needs RDKit, and {QM9} in GANVAS_TEST_DATA.\n")
        return []
    wrong = []
    with runs_of("gate_graphs.molecules") as folder:
        for name, (kimg, changes) in QM9_RUNS.items():
            first, last, seconds, real = _models(name, folder / name, f"molecules:{data}", kimg=kimg, changes=changes)
            judge = GraphJudge(real, seed=SEED)
            untrained, found = (
                _values(judge.judge(one.sample_graphs(DRAWN, seed=SEED)), QM9_KEPT) for one in (first, last)
            )
            history.record(f"gate_graphs.molecules {name} untrained", untrained)
            history.record(f"gate_graphs.molecules {name}", {**found, "cpu_sec": seconds})
            wrong += [f"graphs/{name} is as new and valid untrained."] if untrained["vun"] >= found["vun"] else []
        history.record("gate_graphs.molecules floor", _values(judge.floor(DRAWN), QM9_KEPT))
    return wrong


def passes(figures: Figures) -> bool:
    """Whether graphs are valid, of nearly all classes, as often as the law has it."""
    many = figures["valid"] >= VALID and figures["class_covered"] >= COVERED
    return many and figures["class_chi2"] <= CHI2


def _baseline(part: str, source: str, *, kimg: float) -> list[str]:
    with runs_of(f"gate_graphs.{part}") as folder:
        found, untrained, seconds, real = _trained("autoregressive", folder, source, kimg=kimg)
        judge = GraphJudge(real, seed=SEED)
        nodes = real.size.nodes
        path = table_of(nodes, [(node, node + 1) for node in range(nodes - 1)])
        twins = {
            "untrained": untrained,
            "one path": _figures(judge, np.stack([path] * DRAWN)),
            "dust": _figures(judge, np.stack([table_of(nodes, [])] * DRAWN)),
        }
        floor = _values(judge.floor(DRAWN))
    loosely = float(within_valence(table_of(nodes, [])[None], ("C",)).mean())
    history.record(f"gate_graphs.{part} floor", {name: floor[name] for name in KEPT})
    for name, figures in twins.items():
        history.record(
            f"gate_graphs.{part} {name}", {**figures, **({"valid_loose": loosely} if name == "dust" else {})}
        )
    history.record(f"gate_graphs.{part}", {**found, "cpu_sec": seconds})
    wrong = [f"graphs/autoregressive passes {name} on {part}." for name, one in twins.items() if passes(one)]
    return wrong + ([] if passes(found) else [f"graphs/autoregressive on {part}: {dict(found)}"])


def _trained(
    name: str, folder: Path, source: str, *, kimg: float, changes: tuple[str, ...] = ()
) -> tuple[Figures, Figures, float, PackedGraphs]:
    """Figures of a model, of what it began as, and the seconds that it took."""
    first, trained, seconds, real = _models(name, folder, source, kimg=kimg, changes=changes)
    judge = GraphJudge(real, seed=SEED)
    return _of_model(judge, trained), _of_model(judge, first), seconds, real


def _models(
    name: str, folder: Path, source: str, *, kimg: float, changes: tuple[str, ...] = ()
) -> tuple[Trained, Trained, float, PackedGraphs]:
    """A model as it began, as it ended, the seconds between, and what it was trained on."""
    settings = (*changes, "measure_kimg=-1", "sample_kimg=1000", "keep_last=100", "checkpoint_minutes=1000")
    started = time.process_time()
    run = finished_run(
        Train(model=f"graphs/{name}", data=source, out=folder / "run", preset="small", kimg=kimg, set=settings)
    )
    seconds = time.process_time() - started
    trained, first = load(run), load(sorted((run / "model").iterdir())[0])
    return first, trained, seconds, trained.real_graphs(quiet=True)


def _of_model(judge: GraphJudge, model: Trained) -> Figures:
    return _figures(judge, model.sample_graphs(DRAWN, seed=SEED))


def _figures(judge: GraphJudge, tables: np.ndarray) -> Figures:
    found = _values(judge.judge(tables))
    return {name: found[name] if math.isfinite(found[name]) else 0.0 for name in KEPT}  # Of no valid graph: nothing.


def _values(results: Iterable[Result], kept: Iterable[str] = ()) -> dict[str, float]:
    """Values by name, those of some names where any are given."""
    found = {one.metric: one.value for one in results}
    return {name: found[name] for name in kept or found}


PARTS: dict[str, Callable[[], list[str]]] = {
    "trees": trees,
    "alkanes": alkanes,
    "molgan": molgan,
    "netgan": netgan,
    "molecules": molecules,
}

if __name__ == "__main__":
    main()
