"""Feature networks: which there are, fetching their weights, training one's own. Torch-free until there is work."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ganvas.core.errors import UserError

if TYPE_CHECKING:
    from ganvas.features.network_catalogue import Entry


@dataclass(frozen=True, kw_only=True)
class List:
    """List the networks that pictures can be compared by, and whether their weights are here.

    Examples:
      ganvas features
      ganvas features list
    """


@dataclass(frozen=True, kw_only=True)
class Fetch:
    """Bring the published weights of a network into the cache, and check them.

    Examples:
      ganvas features fetch inception
    """

    name: Annotated[str, tyro.conf.Positional]
    """The network, as `ganvas features` lists it."""


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a small classifier on your own labelled pictures or sounds, to measure your domain by its own features.

    Examples:
      ganvas features train pictures/ -o mine.safetensors
      ganvas features train cifar10.tar.xz::train -o mine.safetensors --epochs 20
      ganvas measure generated/ pictures/ --features mine.safetensors
      ganvas features train words/ --sound 8192@8000 -o words.safetensors
    """

    source: Annotated[str, tyro.conf.Positional]
    """Pictures or sounds with labels: a folder per class, or any source that `ganvas data describe` finds labels in."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The file to write (.safetensors)."""
    size: int | None = None
    """Side that pictures are resized to; by default their own, up to 64."""
    sound: str | None = None
    """Of sounds: samples and samples per second, as the run to be measured has them, such as 8192@8000; by default what
    holds nearly all recordings whole."""
    epochs: int = 15
    """How often each picture is shown."""
    batch_size: int = 64
    """Pictures per step."""
    lr: float = 0.1
    """The highest learning rate."""
    width: int = 16
    """Channels of the first layer; a row of features has 8 times as many numbers."""
    no_mirror: bool = False
    """Never mirror pictures left to right: for writing, and whatever else has a handedness."""
    seed: int = 0
    """Of the weights, the order, the shifts, and the choice of the pictures held out."""
    device: str = "cpu"
    """Where to train: cpu, cuda."""


@dataclass(frozen=True, kw_only=True)
class NetworkLine:
    """One network of the list."""

    name: str
    summary: str
    paper: str
    taps: dict[str, int]
    weights: str  # "here", "not here", "needs none".
    file: str  # The weights' file: where it lies, or where it is published.
    megabytes: float
    licence: str


@dataclass(frozen=True, kw_only=True)
class NetworkList:
    """The feature networks."""

    networks: list[NetworkLine]


@dataclass(frozen=True, kw_only=True)
class FetchedWeights:
    """Where fetched weights lie."""

    name: str
    path: str
    downloaded_bytes: int  # In this call; 0 when they were there.
    sha256: str
    licence: str


@dataclass(frozen=True, kw_only=True)
class TrainedClassifier:
    """A classifier that was trained and tested."""

    path: str
    classes: list[str]
    size: int
    features: int  # Length of a row.
    images: int  # Trained on.
    held_out: int
    accuracy: float  # On the pictures held out.
    standard_error: float
    seconds: float


def list_networks(task: List) -> NetworkList:
    """Reads the shelf without running any of its files."""
    from ganvas.features import network_catalogue

    return NetworkList(networks=[_line(entry) for entry in network_catalogue.entries()])


def fetch(task: Fetch, *, quiet: bool = False) -> FetchedWeights:
    """Fetches a network's weights."""
    from ganvas.features import finding, network_catalogue

    release = network_catalogue.entry(task.name).release
    if release is None:
        raise UserError(f"{task.name} needs no weights: there is nothing to fetch.")
    path, fetched = finding.fetch(task.name, release, quiet=quiet)
    return FetchedWeights(
        name=task.name, path=str(path), downloaded_bytes=fetched, sha256=release.sha256, licence=release.licence
    )


def train(task: Train, *, quiet: bool = False) -> TrainedClassifier:
    """Trains a classifier and writes it."""
    import time

    if task.out.suffix != ".safetensors":
        raise UserError(f"-o {task.out}: a classifier is written as .safetensors. Give it that ending.")
    from ganvas.features.classifier_training import Plan
    from ganvas.features.classifier_training import train as train_classifier
    from ganvas.tasks.data import parse_sound

    plan = Plan(
        size=task.size,
        sound=None if task.sound is None else parse_sound(task.sound),
        epochs=task.epochs,
        batch_size=task.batch_size,
        lr=task.lr,
        width=task.width,
        mirror=not task.no_mirror,
        seed=task.seed,
    )
    started = time.monotonic()
    done = train_classifier(task.source, task.out, plan, device=_device(task.device), quiet=quiet)
    config = done.trained.config
    return TrainedClassifier(
        path=str(task.out),
        classes=list(config.classes),
        size=config.size,
        features=8 * config.width,
        images=done.images,
        held_out=done.held_out,
        accuracy=done.accuracy,
        standard_error=done.standard_error,
        seconds=time.monotonic() - started,
    )


def _line(entry: "Entry") -> NetworkLine:
    release, found = entry.release, None
    if release is not None:
        from ganvas.features import finding

        try:
            found = finding.find(entry.name, release)
        except UserError:  # The environment names a file that is not there: it is not here.
            found = None
    return NetworkLine(
        name=entry.name,
        summary=entry.summary,
        paper=entry.link,
        taps=entry.taps,
        weights="needs none" if release is None else "here" if found else "not here",
        file="" if release is None else str(found or release.url),
        megabytes=0.0 if release is None else round(release.size_bytes / 1e6, 1),
        licence="" if release is None else release.licence,
    )


def _device(name: str) -> str:
    import torch

    if name.startswith("cuda") and not torch.cuda.is_available():
        raise UserError(f"--device {name}: there is no CUDA device here. Leave it out to train on the processor.")
    if not name.startswith(("cuda", "cpu")):
        raise UserError(f"--device {name} is not a choice. Choices: cpu, cuda.")
    return name
