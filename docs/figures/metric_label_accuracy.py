"""Makes metric_label_accuracy.png: what the share of right classes sees of spoilt sets, and what it does not.

python docs/figures/metric_label_accuracy.py --classifier FILE

The classifier of four kinds of land is trained where its file is not there, on other scenes than those shown.
"""

import argparse
from pathlib import Path

import numpy as np
import torch
from metric_sheets import Column, save, sheet
from spoilt_sets import N, Row, blurred, pair, scenes

from ganvas.data.scenes.scenes import CLASS_NAMES
from ganvas.metrics.label_accuracy import label_accuracy

OUT = Path(__file__).with_name("metric_label_accuracy.png")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--classifier", type=Path, required=True)
    network = pair(parser.parse_args().classifier)
    fresh, asked = scenes(N, 2 * N)
    first = np.array([np.flatnonzero(asked == one)[0] for one in range(len(CLASS_NAMES))])
    others = np.random.default_rng(0).permutation(N)
    mixed = fresh.copy()
    mixed[: N // 4] = fresh[others[: N // 4]]  # Of a quarter, whichever class comes.
    rows = {
        "fresh": Row(title="reals, asked for\nby their class", pictures=fresh, spoilt=False),
        "mixed": Row(title="a quarter of any\nclass at random", pictures=mixed),
        "any": Row(title="all of any class:\nlabels are ignored", pictures=fresh[others]),
        "one": Row(title="one real picture of\neach class, always", pictures=fresh[first[asked]]),
        "blurred": Row(title="blurred over\n2 x 2 pixels", pictures=blurred(fresh)),
        "swapped": Row(title="left and right\nhalf swapped", pictures=np.roll(fresh, 16, axis=2)),
    }
    found = {name: {"label_accuracy": _share(network, row.pictures, asked)} for name, row in rows.items()}
    for name, one in found.items():
        print(name, one["label_accuracy"].value, one["label_accuracy"].standard_error)  # noqa: T201
    save(sheet(rows, found, [Column(metric="label_accuracy", title="share of right classes", places=2)]), OUT)


def _share(network, pictures, asked):
    bytes_ = torch.from_numpy(pictures.copy()).permute(0, 3, 1, 2)
    logits = torch.cat([network.extract(part, ["logits"])["logits"] for part in bytes_.split(100)])
    return label_accuracy(
        torch.from_numpy(asked.astype(np.int64)),
        logits,
        classes=CLASS_NAMES,
        asked_of=CLASS_NAMES,
        seed=0,
        protocol="label_accuracy",
    )[0]


if __name__ == "__main__":
    main()
