"""The gate of searches: what settings make of a loss differs more than what losses make of pictures.

Lucic et al. 2018 (Are GANs created equal, https://arxiv.org/abs/1711.10337) found that most games come near each other
when enough settings are tried. Here it is small: four losses by six settings each, ``ganvas search --recipe
created-equal-wide-as-coded`` on triangles of 16x16 pixels, a quarter of the maps, 1,000 moves of the discriminator
where the study has 15,625. Wanted: the root mean variance of the SWD over the settings of a loss is above the standard
deviation of the losses' means. A run that diverges counts as the net before its first step. The twin that is wrong on
purpose looks at one setting alone, the default, where every loss seems to have its rank; it must not pass.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_created_equal [LOSS ...]``; some ten minutes of one processor core.
With ``GANVAS_GATE_RUNS=FOLDER`` the same command goes on where it was stopped.
"""

import argparse
import statistics
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import torch
from benchmarks.gates.preset_run import runs_of

from benchmarks import history
from ganvas.tasks.searching.search import Search, search
from ganvas.tasks.searching.search_folder import SearchFolder

LOSSES = ("gan/dcgan", "gan/lsgan", "gan/wgan", "gan/wgan_gp")
DATA, RECIPE = "triangles:4000,16x16", "created-equal-wide-as-coded"
SETTINGS, KIMG = 6, 64.0  # 1,000 moves on batches of 64.
SMALL = ("resolution=16", "channels=1", "features=16", "latent_size=64", f"measure_kimg={KIMG}", "measure_n=1000",
         "sample_kimg=100000", "health_kimg=-1")  # fmt: skip

Scores = Mapping[str, list[float]]  # SWD of each setting, the default first, by loss.


def main() -> None:
    """Searches each loss, records, and ends with an error where the gate is missed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("losses", nargs="*", metavar="LOSS", help=f"of {', '.join(LOSSES)}: only trains them")
    given = parser.parse_args()
    torch.set_num_threads(1)
    started = time.process_time()
    with runs_of("gate_created_equal") as runs:
        scores = {loss: scores_of(loss, runs) for loss in given.losses or LOSSES}
    if given.losses:
        return
    for loss, values in scores.items():
        history.record(f"gate_created_equal.{loss}", {"swd": [round(value, 1) for value in values]})
    whole, default = spreads(scores), spreads({loss: values[:1] for loss, values in scores.items()})
    cost = {"cpu_sec": round(time.process_time() - started, 1), "threads": 1, "settings": SETTINGS, "kimg": KIMG}
    history.record("gate_created_equal", whole | cost)
    history.record("gate_created_equal one setting", default)
    if passes(default):
        sys.exit("One setting a loss passes.")
    if not passes(whole):
        sys.exit(f"Losses differ more than their settings: {whole}.")


def scores_of(loss: str, runs: Path) -> list[float]:
    """SWD of every setting of a loss."""
    out = runs / loss.replace("/", "-")
    task = Search(model=loss, data=DATA, out=out, recipe=RECIPE, settings=SETTINGS, kimg=KIMG, set=SMALL, device="cpu",
                  threads=1, quiet=True)  # fmt: skip
    if search(task).stopped:
        sys.exit(f"{out} was stopped.")
    values = [trial.start if trial.value is None else trial.value for trial in SearchFolder(out).trials()]
    return [value for value in values if value is not None]


def spreads(scores: Scores) -> dict[str, float]:
    """Over the settings of a loss, and over the means of losses."""
    variances = [statistics.variance(values) if len(values) > 1 else 0.0 for values in scores.values()]
    over_losses = statistics.stdev(statistics.fmean(values) for values in scores.values())
    return {"over_settings": round(statistics.fmean(variances) ** 0.5, 2), "over_losses": round(over_losses, 2)}


def passes(found: Mapping[str, float]) -> bool:
    """Whether settings matter more than losses."""
    return found["over_settings"] > found["over_losses"]


if __name__ == "__main__":
    main()
