"""The gate of discriminators that see a batch: those that do keep more modes than the same net that does not.

Trains ``--preset mixtures`` of ``gan/minibatch_discrimination`` on ``mixtures:ring8`` from five seeds each: with its
kernels (part ``kernels``), with the minibatch standard deviation in their place (part ``deviation``), and with neither,
which both parts are held against. A game without them swings from mode to mode, so what counts is the mean number of
modes over the second half of a run. Wanted of either part: strictly more than without, over the five seeds. Beside
stand the same networks before their first step, and the share of samples that lie at a mode.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_minibatch [PART ...]``; some 5 to 8 minutes of one core a part. With
``GANVAS_GATE_RUNS=FOLDER`` the same command goes on where it was stopped.
"""

import functools
from collections.abc import Mapping
from pathlib import Path
from statistics import mean

from benchmarks.gates.preset_run import NOTHING_BESIDE, finished_run, measured, run_parts, runs_of

from benchmarks import history
from ganvas.tasks.train import Train

SEEDS = range(10, 15)  # Settings were chosen on others.
NETS = {"kernels": (), "deviation": ("kernels=0", "deviation=true"), "neither": ("kernels=0",)}


def main() -> None:
    """Trains, records the modes of each net, and ends with an error where one that sees its batch keeps no more."""
    with runs_of("gate_minibatch") as runs:
        run_parts({net: functools.partial(failures, net, runs) for net in NETS if net != "neither"}, __doc__)


def failures(net: str, runs: Path) -> list[str]:
    """What is not as it should be of one net."""
    seeing, blind = (modes_kept(name, runs) for name in (net, "neither"))
    return [] if sum(seeing) > sum(blind) else [f"{net}: {seeing} modes are no more than {blind} without."]


@functools.cache
def modes_kept(net: str, runs: Path) -> list[float]:
    """The modes of a run of each seed, over its second half; records them."""
    found = [run_of(net, seed, runs) for seed in SEEDS]
    modes = [late(run, "modes") for run in found]
    shares = [late(run, "modes.high_quality") for run in found]
    values = {"modes": modes, "share": round(mean(shares), 3), "untrained": [run[0]["modes"] for run in found]}
    history.record(f"gate_minibatch.{net}", {**values, "seeds": list(SEEDS)})
    return modes


def run_of(net: str, seed: int, runs: Path) -> list[Mapping[str, float]]:
    """What a run measured, before its first step and then at equal distances."""
    out = runs / f"{net}-{seed}"
    task = Train(
        model="gan/minibatch_discrimination",
        data="mixtures:ring8",
        out=out,
        preset="mixtures",
        seed=seed,
        set=(*NOTHING_BESIDE, *NETS[net]),
        quiet=True,
    )
    return [*measured(finished_run(task))]


def late(lines: list[Mapping[str, float]], metric: str) -> float:
    """The mean over the second half of a run."""
    return mean(line[metric] for line in lines[len(lines) // 2 :])


if __name__ == "__main__":
    main()
