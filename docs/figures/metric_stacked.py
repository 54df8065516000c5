"""Makes metric_stacked_modes.png: what the number of modes of stacked pictures sees, and what it does not.

python docs/figures/metric_stacked.py

Trains a classifier of grey scenes (four landscapes, so that stacks have 64 modes): about half a minute of one core.
"""

import tempfile
from pathlib import Path

import numpy as np
import torch

from ganvas.data.packing import pack, prepare
from ganvas.features.network_catalogue import load
from ganvas.metrics.stacked_modes import Accumulator, compare
from ganvas.report.drawing.drawing import Drawing, write
from ganvas.report.drawing.primitives import Image, Item, Text
from ganvas.report.pictures.grid import grid
from ganvas.tasks.catalogues.features import Train, train

HERE = Path(__file__).parent
SINGLE, COUNT, SIDE = "scenes:3000,16x16", 1000, 104.0


def main() -> None:
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        pack(SINGLE, folder / "grey", channels=1, quiet=True)
        train(Train(source=str(folder / "grey"), out=folder / "mine.safetensors", epochs=8), quiet=True)
        network = load(str(folder / "mine.safetensors"))
        stacked = prepare(f"stacked,{2 * COUNT}:{folder / 'grey'}", quiet=True)
        pictures, labels = np.asarray(stacked.read(slice(None))), np.asarray(stacked.labels)

    def filled(chosen: np.ndarray) -> Accumulator:
        accumulator = Accumulator(rows_of=network.identity)
        for start in range(0, len(chosen), 100):
            batch = torch.from_numpy(chosen[start : start + 100]).permute(0, 3, 1, 2).contiguous()
            accumulator.update(network.extract(batch, ["channel_logits"])["channel_logits"])
        return accumulator

    real, other = pictures[:COUNT], pictures[COUNT:]
    rng = np.random.default_rng(0)
    first = np.array([np.flatnonzero(labels == mode)[0] for mode in np.unique(labels)])
    sets = {
        "another draw": other,
        "one class never in red": pictures[np.flatnonzero(labels >= 16)[:COUNT]],
        "64 pictures, repeated": pictures[first[rng.integers(0, len(first), COUNT)]],
        "blurred": _blurred(other),
    }
    items: list[Item] = []
    for index, (name, chosen) in enumerate(sets.items()):
        count, divergence = compare(filled(real), filled(chosen))
        x = 6 + index * (SIDE + 8)
        sheet = np.asarray(grid(chosen[:16], columns=4, scale=2, gap=1).convert("RGB"))
        items.append(Image(x=x, y=4, width=SIDE, height=SIDE, pixels=sheet))
        items.append(Text(x=x, y=SIDE + 15, text=name, size=8, weight="bold"))
        said = f"{count.value:.0f} modes, KL {divergence.value:.2f} ± {divergence.standard_error or 0:.2f}"
        items.append(Text(x=x, y=SIDE + 26, text=said, size=8))
    drawing = Drawing(width=6 + 4 * (SIDE + 8), height=SIDE + 34, items=tuple(items), title="Modes of stacked pictures")
    write(drawing, HERE / "metric_stacked_modes.png", dpi=150)


def _blurred(pictures: np.ndarray) -> np.ndarray:
    """Each pixel the mean of its neighbourhood of three by three."""
    floats = torch.from_numpy(pictures).permute(0, 3, 1, 2).float()
    mean = torch.nn.functional.avg_pool2d(floats, 3, 1, 1, count_include_pad=False)
    return mean.round().byte().permute(0, 2, 3, 1).numpy()


if __name__ == "__main__":
    main()
