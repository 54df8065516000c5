"""The gate of the semi-supervised GAN: few labels and many pictures without, against the few labels alone.

Trains ``gan/ssgan_semi --preset small --conditional`` on 4,000 scenes (four landscapes, 8 labels: with 100 everything
names all of them) and on 5,000 pictures of CIFAR-10 (100 labels), both at 16x16 pixels, and counts how many of 4,000
others it names rightly (chance: a quarter, a tenth). Beside it stand the supervised twin, which is the same classifier
under the same steps and the same labels with ``hidden_weight=0``, so that pictures without a label teach it nothing,
and a floor without learning, the class of the nearest labelled picture. Wanted on both sets: more than the supervised
twin by ``WANTED`` standard errors of their difference.

``OMP_NUM_THREADS=1 GANVAS_TEST_DATA=FOLDER python -m benchmarks.gates.gate_ssgan [scenes | cifar]``; about 8 minutes of
one processor core.
"""

import math
import os
import sys
import tempfile
import time
from pathlib import Path

import numpy as np
import torch
from benchmarks.gates.preset_run import finished_run

from benchmarks import history
from ganvas.core.pixels import to_float
from ganvas.data.packed import Packed
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import Classifies
from ganvas.tasks.train import Train
from ganvas.train.feeds.picture_feed import told_labels
from ganvas.train.trained import load

LABELLED, SEED, SIZE = {"scenes": 8, "cifar": 100}, 0, (16, 16)
SEEN, TESTED, WANTED = 5000, 4000, 2.0
KIMG = {"scenes": 30.0, "cifar": 60.0}


def main() -> None:
    """Trains on both sets, or on the one that is named, records, and ends with an error where a gate is missed."""
    torch.set_num_threads(1)
    sources = {"scenes": ("scenes:4000,16x16", "scenes:4000,16x16,seed=9")}
    cifar = Path(os.environ.get("GANVAS_TEST_DATA", ".")) / "cifar10-jpg.tar.xz"
    if cifar.exists():
        sources["cifar"] = (f"{cifar}::train", f"{cifar}::test")
    missed = [name for name in sys.argv[1:] or list(sources) if not passes(name, *sources[name])]
    if missed:
        sys.exit(f"On {' and '.join(missed)} the pictures without labels do not help.")


def passes(name: str, seen: str, tested: str) -> bool:
    """Whether the classifier is better than its supervised twin, by more than chance."""
    with tempfile.TemporaryDirectory() as temporary:
        few = Path(temporary) / "seen.npz"
        write_some(prepare(seen, size=SIZE, channels=3, fit="stretch", quiet=True), few)
        pool, test = prepare(str(few), size=SIZE, quiet=True), prepare(tested, size=SIZE, fit="stretch", quiet=True)
        rows = chosen(test, TESTED)
        note(name, "nearest labelled picture", right_by_nearest(name, pool, test, rows))
        semi = trained_and_tested(name, few, test, rows)
        supervised = trained_and_tested(name, few, test, rows, "hidden_weight=0")
    return semi - supervised > WANTED * math.sqrt((semi * (1 - semi) + supervised * (1 - supervised)) / len(rows))


def chosen(packed: Packed, most: int) -> np.ndarray:
    """Rows at random, as many as there are or ``most``."""
    return torch.randperm(len(packed), generator=torch.Generator().manual_seed(1))[:most].numpy()


def write_some(packed: Packed, path: Path) -> None:
    """Some of the pictures with their labels."""
    rows = chosen(packed, SEEN)
    np.savez(path, images=np.array(packed.images[rows]), labels=labels(packed)[rows])


def trained_and_tested(name: str, seen: Path, test: Packed, rows: np.ndarray, *changes: str) -> float:
    """The share of test pictures that a trained classifier names rightly."""
    started = time.process_time()
    with tempfile.TemporaryDirectory() as temporary:
        out = Path(temporary) / "run"
        finished_run(
            Train(
                model="gan/ssgan_semi",
                preset="small",
                data=str(seen),
                out=out,
                kimg=KIMG[name],
                set=(*changes, "measure_kimg=-1", f"sample_kimg={KIMG[name]:g}"),
                seed=SEED,
                conditional=True,
                labelled=LABELLED[name],
                quiet=True,
            )
        )
        model = load(out).model
    assert isinstance(model, Classifies)
    with torch.no_grad():
        named = torch.cat([model.classify(part).argmax(1) for part in pictures(test, rows).split(500)])
    share = float((named.numpy() == labels(test)[rows]).mean())
    note(name, changes[0] if changes else "ssgan_semi", share, cpu_sec=round(time.process_time() - started, 1))
    return share


def right_by_nearest(name: str, pool: Packed, test: Packed, rows: np.ndarray) -> float:
    """The share that the class of the nearest of the labelled pictures names rightly, by colours alone."""
    told = told_labels(np.array(labels(pool)), LABELLED[name], seed=SEED)
    known = np.flatnonzero(told >= 0)
    distances = torch.cdist(pictures(test, rows).flatten(1), pictures(pool, known).flatten(1))
    return float((told[known[distances.argmin(1).numpy()]] == labels(test)[rows]).mean())


def pictures(packed: Packed, rows: np.ndarray) -> torch.Tensor:
    """Some pictures (n, c, h, w) in [-1, 1]."""
    return to_float(torch.from_numpy(np.array(packed.images[rows])).permute(0, 3, 1, 2))


def labels(packed: Packed) -> np.ndarray:
    """The class of each picture."""
    assert packed.labels is not None
    return packed.labels


def note(data: str, what: str, share: float, **more: float) -> None:
    """A line of the history."""
    history.record(f"gate_ssgan.{data}.{what}", {"right": round(share, 4), "labelled": LABELLED[data], **more})


if __name__ == "__main__":
    main()
