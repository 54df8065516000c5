"""The gate of graphs: laws whose classes are known, so that no statistic has to be chosen.

GraphRNN on trees of 5 nodes and on the 35 isomers of nonane: nine graphs of ten strictly valid, nine tenths of the
law's probability reached, and a chi-square of classes of at most 10 times its mean over 1,000 graphs. MolGAN on the
trees, without and with the reward, has to be strictly valid; how far its classes are from the law is recorded, beside
the baseline's, and no verdict is asked for.

Twins that must fail: the networks before their first step; one valid tree drawn again and again, valid but of one
class; and dust, single atoms that papers' validity takes for molecules.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_graphs [trees] [alkanes] [molgan]``; about 10 minutes of one core.
"""

import math
import time
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
from benchmarks.gates.preset_run import finished_run, run_parts, runs_of

from benchmarks import history
from ganvas.data.graphs.graph_tables import table_of
from ganvas.data.graphs.molecules import within_valence
from ganvas.data.graphs.packed_graphs import PackedGraphs
from ganvas.metrics.graphs.graph_judge import GraphJudge
from ganvas.tasks.train import Train
from ganvas.train.trained import Trained, load

TREES, ALKANES = "graphs:trees,20000,nodes=5", "graphs:alkanes,20000,nodes=9"
DRAWN, SEED = 1000, 0
VALID, COVERED, CHI2 = 0.9, 0.9, 10.0
MOLGAN = {"molgan": ("reward=none",), "molgan reward=tree": ("reward=tree", "reward_kimg=40")}
KEPT = ("valid", "unique", "novel", "vun", "class_chi2", "class_p", "class_covered", "degree_mmd", "orbit_mmd")

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
        floor = {one.metric: one.value for one in judge.floor(DRAWN)}
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
    settings = (*changes, "measure_kimg=-1", "sample_kimg=1000", "keep_last=100", "checkpoint_minutes=1000")
    started = time.process_time()
    run = finished_run(
        Train(model=f"graphs/{name}", data=source, out=folder / "run", preset="small", kimg=kimg, set=settings)
    )
    seconds = time.process_time() - started
    trained, first = load(run), load(sorted((run / "model").iterdir())[0])
    real = trained.real_graphs(quiet=True)
    judge = GraphJudge(real, seed=SEED)
    return _of_model(judge, trained), _of_model(judge, first), seconds, real


def _of_model(judge: GraphJudge, model: Trained) -> Figures:
    return _figures(judge, model.sample_graphs(DRAWN, seed=SEED))


def _figures(judge: GraphJudge, tables: np.ndarray) -> Figures:
    found = {one.metric: one.value for one in judge.judge(tables)}
    return {name: found[name] if math.isfinite(found[name]) else 0.0 for name in KEPT}  # Of no valid graph: nothing.


PARTS: dict[str, Callable[[], list[str]]] = {"trees": trees, "alkanes": alkanes, "molgan": molgan}

if __name__ == "__main__":
    main()
