"""One set of scenes spoilt in many ways, and the networks that look at them: what metric_figures.py measures."""

import functools
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from ganvas.core.results import Result
from ganvas.data.scenes.scenes import CLASS_NAMES, Scenes
from ganvas.features import classifier, classifier_training
from ganvas.features.colours import Colours
from ganvas.features.untrained import Untrained
from ganvas.metrics.accumulators.feature_pass import Extractor, Metrics
from ganvas.metrics.measuring.flow import measure, reference

N, SIZE = 800, 32
TAUGHT = f"scenes:4000,{SIZE}x{SIZE},seed=7"  # Other scenes than those that are measured.

Pictures = UInt8[np.ndarray, "n h w c"]


@dataclass(frozen=True, kw_only=True)
class Row:
    """One spoilt set."""

    title: str
    pictures: Pictures
    spoilt: bool = True  # Whether a measure should object.


class Pair:
    """The classifier's ``features`` and ``logits``, and the ``spatial`` of the random network, as one network.

    It remembers what it has seen: many figures show the same pictures.
    """

    def __init__(self, path: Path) -> None:
        self._known, self._random = classifier.load(path, device=torch.device("cpu")), Untrained()
        self._seen: dict[bytes, dict[str, Tensor]] = {}
        self.identity = f"{self._known.identity}+{self._random.identity}"
        self.taps = {**self._known.taps, "spatial": self._random.taps["spatial"]}

    def extract(self, pictures: Tensor, taps: Sequence[str] = ("features",)) -> dict[str, Tensor]:
        key = hashlib.sha256(pictures.numpy().tobytes()).digest()
        if key not in self._seen:
            known = self._known.extract(pictures, ["features", "logits"])
            self._seen[key] = known | self._random.extract(pictures, ["spatial"])
        return {tap: self._seen[key][tap] for tap in taps}


@functools.cache
def pair(path: Path) -> Pair:
    """One for all figures; trains the classifier where its file is not there."""
    if not path.exists():
        classifier_training.train(TAUGHT, path, classifier_training.Plan(epochs=5))
    return Pair(path)


def networks(path: Path, names: Sequence[str]) -> dict[str, Pair | Colours]:
    """The network of every metric."""
    return {name: Colours() if name == "segmentation_distance" else pair(path) for name in names}


def scenes(start: int, stop: int) -> tuple[Pictures, np.ndarray]:
    """Pictures and their classes."""
    pictures, _, labels = Scenes(SIZE, SIZE, count=10 * N, seed=0).pictures(start, stop)
    return pictures, labels


def rows(path: Path) -> tuple[Pictures, dict[str, Row]]:
    """The reals, and every set that is measured against them. ``path``: the classifier's file."""
    reals, _ = scenes(0, N)
    fresh, labels = scenes(N, 2 * N)
    more, more_labels = scenes(2 * N, 4 * N)
    random = np.random.default_rng(0)
    noise = random.permuted(more[:N].reshape(N, -1, 3), axis=1).reshape(fresh.shape)
    few = np.concatenate([np.flatnonzero(labels == kind)[:10] for kind in range(len(CLASS_NAMES))])
    chances = pair(path).extract(torch.from_numpy(fresh).permute(0, 3, 1, 2), ["logits"])["logits"].softmax(1)
    surest = chances.argmax(0).numpy()
    found = {
        "fresh": Row(title="another draw\nof the reals", pictures=fresh, spoilt=False),
        "copies": Row(title="the reals themselves,\nmemorised", pictures=reals),
        "repeated": Row(title="40 pictures,\neach 20 times", pictures=_shuffled(fresh[few].repeat(20, 0))),
        "surest": Row(
            title="the surest picture of each\nclass, 200 times", pictures=_shuffled(fresh[surest].repeat(200, 0))
        ),
        "one": Row(title="one picture,\n800 times", pictures=fresh[2:3].repeat(N, 0)),
        "missing": Row(title="no winter", pictures=more[more_labels != CLASS_NAMES.index("winter")][:N]),
        "swapped": Row(title="left and right\nhalf swapped", pictures=np.roll(fresh, SIZE // 2, axis=2)),
        "blurred": Row(title="blurred over\n2 x 2 pixels", pictures=blurred(fresh)),
        "darker": Row(title="darker and paler", pictures=(fresh * 0.5 + 20).astype(np.uint8)),
        "noisy": Row(title="grain of 12 levels", pictures=grain(fresh, 12)),
        "tenth": Row(title="one in ten is noise", pictures=_mixed(fresh, noise, 10)),
        "half": Row(title="every second\nis noise", pictures=_mixed(fresh, noise, 2)),
        "half_outlier": Row(title="the same, and one in 100\nreals is noise as well", pictures=_mixed(fresh, noise, 2)),
        "noise": Row(title="noise of the\nsame colours", pictures=noise),
        "grain_copies": Row(title="memorised, with\ngrain of 12 levels", pictures=grain(reals, 12)),
        "mirrored": Row(title="memorised,\nand mirrored", pictures=reals[:, :, ::-1].copy()),
        "turned": Row(title="upside down", pictures=fresh[:, ::-1].copy()),
        "shuffled": Row(title="quarters in\nrandom order", pictures=quarters(fresh)),
    }
    return reals, found


def with_outliers(reals: Pictures, noise: Pictures) -> Pictures:
    """One in a hundred replaced."""
    return _mixed(reals, noise[::-1], 100)


def blurred(pictures: Pictures) -> Pictures:
    """Means of 2 x 2 pixels in their place."""
    n, h, w, c = pictures.shape
    return pictures.reshape(n, h // 2, 2, w // 2, 2, c).mean((2, 4)).repeat(2, 1).repeat(2, 2).astype(np.uint8)


def grain(pictures: Pictures, deviation: float) -> Pictures:
    """Normal noise on every value."""
    added = np.random.default_rng(1).normal(0, deviation, pictures.shape)
    return (pictures + added).round().clip(0, 255).astype(np.uint8)


def quarters(pictures: Pictures) -> Pictures:
    """The four quarters of each picture in an order of its own."""
    n, h, w, c = pictures.shape
    tiles = pictures.reshape(n, 2, h // 2, 2, w // 2, c).transpose(0, 1, 3, 2, 4, 5).reshape(n, 4, h // 2, w // 2, c)
    order = np.random.default_rng(2).random((n, 4)).argsort(1)
    tiles = tiles[np.arange(n)[:, None], order].reshape(n, 2, 2, h // 2, w // 2, c)
    return tiles.transpose(0, 1, 3, 2, 4, 5).reshape(pictures.shape)


def batches(pictures: Pictures) -> Iterator[Tensor]:
    """As the engine takes them."""
    for start in range(0, len(pictures), 100):
        yield torch.from_numpy(pictures[start : start + 100].copy()).permute(0, 3, 1, 2)


def measured(
    reals: Pictures, sets: Mapping[str, Row], metrics: Metrics, seen: Mapping[str, Extractor]
) -> dict[str, dict[str, Result]]:
    """Every result by set and name."""
    kept = reference(batches(reals), metrics=metrics, n=len(reals), networks=seen, floor=False)
    found = {}
    for name, row in sets.items():
        results = measure(kept, batches(row.pictures), networks=seen).results
        found[name] = {result.metric: result for result in results}
    return found


def _shuffled(pictures: Pictures) -> Pictures:
    return pictures[np.random.default_rng(3).permutation(len(pictures))]


def _mixed(pictures: Pictures, others: Pictures, every: int) -> Pictures:
    """Each ``every``-th picture replaced, so that a strip shows them."""
    mixed = pictures.copy()
    mixed[1::every] = others[1::every]
    return mixed
