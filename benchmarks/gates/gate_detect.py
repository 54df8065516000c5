"""The gate of detection: people are found where they are, and better than by knowing where people usually are.

Trains ``--preset small`` of CSP on 4,000 streets of 128x192, with centres and with anchors, equally many pictures each,
and measures 500 others. Of centres the log-average miss rate must be 0.25 at most and average precision at half
overlap 0.7 at least; both must miss less than the boxes that training pictures have most often. Twins that are wrong
on purpose: the network before training, offsets with the other sign, boxes of one height.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_detect [--kimg K] [--heads centres]``; about 8 minutes of one
processor core for each head.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.gates.preset_run import measured, preset_run, runs_of
from torch import Tensor

from benchmarks import history
from ganvas.core.pixels import to_float
from ganvas.core.shapes import Images
from ganvas.data.street.street import Street
from ganvas.metrics.detection.detection_results import detection_results
from ganvas.metrics.detection.matches import DetectedPicture, detected_picture
from ganvas.models.detect import csp
from ganvas.train.trained import load

DATA, HELD_OUT, TEST = "street:4000,seed=1", "street:500,seed=9", 500
MISSED, PRECISE = 0.25, 0.7
VALUES = ("miss_rate", "ap", "ap50")


def main() -> None:
    """Trains, measures, records; ends with an error where a floor is not passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kimg", type=float, default=16.0, help="thousands of pictures that each is shown")
    arguments.add_argument("--heads", nargs="*", default=["centres", "anchors"], help="centres, anchors")
    given = arguments.parse_args()
    torch.set_num_threads(1)
    found: dict[str, dict[str, float]] = {}
    with runs_of("detect") as runs:
        for head in given.heads:
            run, cpu_sec = trained(head, runs / head, given.kimg)
            first, *_, last = measured(run)
            found["untrained"] = {name: first[name] for name in VALUES}
            found["prior boxes"] = {name: last[f"{name}.prior_boxes"] for name in VALUES}
            found[head] = {name: value for name, value in last.items() if not name.endswith("prior_boxes")}
            history.record(f"gate.detect.{head}", {**found[head], "kimg": given.kimg, "cpu_sec": cpu_sec, "threads": 1})
        history.record("gate.detect.untrained", found["untrained"])
        history.record("gate.detect.prior boxes", found["prior boxes"])
        if "centres" in found:
            model = load(runs / "centres").model
            assert isinstance(model, csp.Model)
            found |= {name: scored(model, spoil) for name, spoil in TWINS.items()}
            for name in TWINS:
                history.record(f"gate.detect.{name}", found[name])
    failed = failures(found)
    if failed:
        sys.exit(f"Not passed: {'; '.join(failed)}")


def failures(found: dict[str, dict[str, float]]) -> list[str]:
    """What the gate asks and was not met."""
    prior = found["prior boxes"]
    asked = {
        f"{head} miss less than the prior": found[head]["miss_rate"] < prior["miss_rate"]
        for head in ("centres", "anchors")
        if head in found
    }
    if "centres" in found:
        asked |= {
            f"centres miss {MISSED} at most": found["centres"]["miss_rate"] <= MISSED,
            f"centres are precise to {PRECISE}": found["centres"]["ap50"] >= PRECISE,
        }
        asked |= {f"{name} is worse": found[name]["ap"] < found["centres"]["ap"] for name in TWINS}
    return [what for what, met in asked.items() if not met]


def trained(head: str, out: Path, kimg: float) -> tuple[Path, float]:
    """A run of the small preset, and the seconds of a processor that it took."""
    started = time.process_time()
    run = preset_run("detect/csp", out, DATA, kimg, held_out=HELD_OUT, changes=(f"head={head}",))
    return run, time.process_time() - started


@torch.no_grad()
def scored(model: csp.Model, spoil: Callable[[Tensor], Tensor]) -> dict[str, float]:
    """The values of a model whose maps of numbers are spoilt."""
    handle = model.network.register_forward_hook(lambda module, given, maps: (maps[0], spoil(maps[1])))
    street, pictures = Street(count=TEST, seed=9), list[DetectedPicture]()
    for start in range(0, TEST, 50):
        truth = street.boxes(start, start + 50)
        images: Images = to_float(torch.from_numpy(street.pictures(start, start + 50)).permute(0, 3, 1, 2))
        found = model.detect(images, least_score=0.01)
        pictures += [detected_picture(one, truth, row) for row, one in enumerate(found)]
    handle.remove()
    results = detection_results(pictures, least_height=model.config.least_height, seed=0, protocol="gate")
    return {one.metric: one.value for one in results if one.metric in VALUES}


def _other_sign(maps: Tensor) -> Tensor:
    return torch.cat([maps[:, :1], -maps[:, 1:]], 1)


def _one_height(maps: Tensor) -> Tensor:
    return torch.cat([maps[:, :1].median().expand_as(maps[:, :1]), maps[:, 1:]], 1)


TWINS = {"offsets with the other sign": _other_sign, "one height": _one_height}


if __name__ == "__main__":
    main()
