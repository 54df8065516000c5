"""The critical batch of a game on points, by `ganvas critical-batch`; beside it the gradient noise scale there.

A WGAN-GP learns ``mixtures:grid25`` for a while; branches of its state are trained with other batches until the
divergence of its share of every mode from the law's is half of what it was. The average that is measured remembers a
tenth of what the quickest branch sees, and the longest branch is as long as the largest batch needs. ``--write`` puts
the figure into docs/figures/, with a law or without one.

``OMP_NUM_THREADS=1 python -m benchmarks.critical_batch [--runs FOLDER] [--write]``; some minutes of one core.
With ``--runs`` the same command resumes.
"""

import argparse
import shutil
import sys
from pathlib import Path

import torch
from benchmarks.gates.preset_run import finished_run, runs_of

from benchmarks import history
from ganvas.tasks.searching.batch_figure import told
from ganvas.tasks.searching.critical_batch import FIGURE, CriticalBatchTask, critical_batch
from ganvas.tasks.train import Train

MODEL, DATA, METRIC = "gan/wgan_gp", "mixtures:grid25", "modes.reverse_kl"
SETTINGS = ("width=64", "depth=2", "critic_moves=2", "penalty_weight=0.1", "beta1=0.5", "average_decay=0.9")
BATCH, LR, BASE_KIMG, KIMG, FACTORS = 64, 2e-3, 6.0, 24.0, (0.5, 1.0, 2.0, 4.0)
DRAWN = Path(__file__).parents[1] / "docs" / "figures" / "critical_batch.svg"


def main() -> None:
    """Trains the run and its branches, records what each size took, and the law through them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", type=int, default=4)
    parser.add_argument("--kimg", type=float, default=KIMG, help="of a branch, at most")
    parser.add_argument("--batches", type=int, nargs="+", default=[8, 32, 128, 256])
    parser.add_argument("--runs", type=Path, help="a folder to keep, and to resume in")
    parser.add_argument("--write", action="store_true", help="the figure, into docs/")
    given = parser.parse_args()
    torch.set_num_threads(1)
    with runs_of("critical_batch", keep=given.runs) as folder:
        base = finished_run(
            Train(
                model=MODEL,
                data=DATA,
                out=folder / "base",
                kimg=BASE_KIMG,
                set=(*SETTINGS, f"batch_size={BATCH}", f"lr={LR}", "measure_n=1024", *rarely(BASE_KIMG)),
                quiet=True,
            )
        )
        result = critical_batch(
            CriticalBatchTask(
                model=MODEL,
                data=DATA,
                branch=base,
                out=folder / "branches",
                kimg=given.kimg,
                batches=tuple(given.batches),
                factors=FACTORS,
                seeds=given.seeds,
                metric=METRIC,
                device="cpu",
                threads=1,
                quiet=True,
            )
        )
        sys.stdout.write(f"{told(result)}\n")
        for row in result.rows:
            sys.stdout.write(f"{row}\n")
        if result.stopped:
            sys.exit("It was stopped; the same command resumes.")
        record(result)
        if given.write:
            shutil.copy(folder / "branches" / FIGURE, DRAWN)
        if result.critical_batch is None:
            sys.exit(result.note)


def rarely(kimg: float) -> tuple[str, ...]:
    """Settings of a run that is measured at its ends alone."""
    return (f"measure_kimg={kimg}", "sample_kimg=1000", "health_kimg=-1")


def record(result) -> None:
    """A line for each size that came to the value, and one for the law."""
    for row in result.rows:
        if row.steps is not None:
            found = {"batch": row.batch_size, "factor": row.factor, "steps": row.steps, "kimg": row.kimg}
            history.record("critical_batch.size", found | {"reached": row.reached, "branches": row.branches})
    low, high = result.interval or (None, None)
    law = {"critical_batch": result.critical_batch, "low": low, "high": high, "least_steps": result.least_steps}
    scales = {f"noise_scale/{name}": value for name, value in result.noise_scale.items()}
    history.record("critical_batch", law | {"least_kimg": result.least_kimg, "target": result.target} | scales)


if __name__ == "__main__":
    main()
