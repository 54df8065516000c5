"""The gate of segmentation: classes of pixels are named by shape, and skips bring back what coarse maps lose.

Trains ``--preset small`` of U-Net and of the fully convolutional network, and the latter with scores 8 and 4 pixels
apart, on 2,000 scenes of 64x64, equally many pictures each, and scores 500 others. The mean IU must pass that of a
table from colours to classes by 0.1; finer scores must be better than coarser ones; U-Net must name boundaries better
than scores 8 pixels apart. Twins that are wrong on purpose: the network before training, labels four pixels beside
their places, the finer scores left out, scores added as probabilities.

``OMP_NUM_THREADS=1 python -m benchmarks.gates.gate_segmentation [--kimg K]``; about 7 minutes of one processor core.
"""

import argparse
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from benchmarks.gates.preset_run import preset_run, runs_of
from torch import Tensor

from benchmarks import history
from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images
from ganvas.data.scenes.scenes import MASK_NAMES, Scenes
from ganvas.metrics.accumulators.label_map_counts import LabelMapCounts
from ganvas.metrics.maths.pairs.colour_table import ColourClasses
from ganvas.models.segment import fcn, unet
from ganvas.networks.fully_convolutional import FCN
from ganvas.nn.blocks.skips import crop
from ganvas.nn.layers.initialise import initialise
from ganvas.train.trained import load

CLASSES, TEST = len(MASK_NAMES), 500
DATA = "scenes:2000,64x64,seed=1"
RUNS = {
    "unet": ("segment/unet", ()),
    "fcn2": ("segment/fcn", ("finest=2",)),
    "fcn4": ("segment/fcn", ("finest=4",)),
    "fcn8": ("segment/fcn", ("finest=8",)),
}
ABOVE_TABLE, BOUNDARY_ABOVE_COARSE = 0.1, 0.05
Segmenter = Callable[[Images], Tensor]  # Logits, or anything whose largest is the class.


def main() -> None:
    """Trains, scores, records; ends with an error where a floor is not passed."""
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--kimg", type=float, default=6.0, help="thousands of pictures that each is shown")
    arguments.add_argument("--keep", type=Path, help="where the runs are to stay; removed where left out")
    given = arguments.parse_args()
    kimg = given.kimg
    torch.set_num_threads(1)
    table = colour_table()
    _note("colour table", table)
    _note("untrained", scored(untrained().segment))
    found: dict[str, dict[str, float]] = {}
    with runs_of("gate.segmentation", keep=given.keep) as runs:
        for name in RUNS:
            started = time.process_time()
            model = trained(name, runs / name, kimg)
            found[name] = scored(model.segment)
            _note(name, found[name], kimg=kimg, cpu_sec=time.process_time() - started, threads=1)
            if name == "fcn2":
                assert isinstance(model.network, FCN)
                _note("fcn2, four pixels beside", scored(lambda x, of=model: of.segment(x).roll((4, 4), (2, 3))))
                _note("fcn2, finer scores left out", scored(lambda x, of=model.network: _joined(of, x, "coarse")))
                _note("fcn2, probabilities added", scored(lambda x, of=model.network: _joined(of, x, "softmax")))
    failed = failures(found, table)
    if failed:
        sys.exit(f"Not passed: {'; '.join(failed)}")


def failures(found: dict[str, dict[str, float]], table: dict[str, float]) -> list[str]:
    """What the gate asks and was not met."""
    asked = {
        f"unet {ABOVE_TABLE} above the colour table": found["unet"]["mean_iu"] >= table["mean_iu"] + ABOVE_TABLE,
        f"fcn2 {ABOVE_TABLE} above the colour table": found["fcn2"]["mean_iu"] >= table["mean_iu"] + ABOVE_TABLE,
        "scores 4 apart better than 8 apart": found["fcn4"]["mean_iu"] > found["fcn8"]["mean_iu"],
        "scores 2 apart better on boundaries than 4 apart": found["fcn2"]["boundary_accuracy"]
        > found["fcn4"]["boundary_accuracy"],
        f"boundaries of unet {BOUNDARY_ABOVE_COARSE} above those of fcn8": found["unet"]["boundary_accuracy"]
        >= found["fcn8"]["boundary_accuracy"] + BOUNDARY_ABOVE_COARSE,
    }
    return [what for what, met in asked.items() if not met]


def trained(name: str, out: Path, kimg: float) -> unet.Model | fcn.Model:
    """A run of a small preset."""
    model, changes = RUNS[name]
    loaded = load(preset_run(model, out, DATA, kimg, changes=("measure_kimg=-1", *changes))).model
    assert isinstance(loaded, unet.Model | fcn.Model)
    return loaded


def untrained() -> unet.Model:
    """A U-Net of the same size, as it starts."""
    model = unet.Model(unet.Config(channels=3, pixel_classes=CLASSES, features=12, levels=3, convolutions="same"))
    initialise(model, stream(0, "weights"))
    return model.eval()


def batches(count: int, seed: int) -> list[tuple[Tensor, Tensor]]:
    """Pictures (n, 3, h, w) as bytes and the classes of their pixels."""
    images, masks, _ = Scenes(64, 64, count=count, seed=seed).pictures(0, count)
    pictures, truth = torch.from_numpy(images).permute(0, 3, 1, 2), torch.from_numpy(masks).long()
    return list(zip(pictures.split(50), truth.split(50), strict=True))


@torch.no_grad()
def scored(segmenter: Segmenter) -> dict[str, float]:
    """The scores on scenes that none was trained on."""
    counts = LabelMapCounts(CLASSES)
    for pictures, truth in batches(TEST, seed=9):
        counts.add(truth, segmenter(to_float(pictures)).argmax(1))
    return counts.values()


def colour_table() -> dict[str, float]:
    """The scores of the commonest class of each colour."""
    table, counts = ColourClasses(3, CLASSES), LabelMapCounts(CLASSES)
    for pictures, truth in batches(2000, seed=1):
        table.add(pictures, truth)
    for pictures, truth in batches(TEST, seed=9):
        counts.add(truth, table.named(pictures))
    return counts.values()


def _joined(network: FCN, x: Images, how: str) -> Tensor:
    """The network with its finer scores left out, or with probabilities in the place of scores."""
    pools, y = [], x
    for block in network.blocks:
        y = block(y)
        pools.append(y)
    first, second, score = network.dense
    y = score(second(first(y).relu()).relu())
    for level, (double, of_pool) in enumerate(zip(network.doubles, network.scores, strict=True)):
        finer, offset = of_pool(pools[-2 - level]), network.offsets[1 + level]
        y = double(y)
        y = crop(y, finer, offset=(-offset, -offset)) if offset < 0 else y
        y = y if how == "coarse" else y.softmax(1) + finer.softmax(1)
    return crop(network.enlarge(y), x, offset=(network.offsets[0], network.offsets[0]))


def _note(name: str, values: dict[str, float], **more: float) -> None:
    history.record(f"gate.segmentation.{name}", {**values, **more})


if __name__ == "__main__":
    main()
