"""The classes that a conditional run was asked for, beside those that a classifier sees in what it drew."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ganvas.core.errors import UserError
from ganvas.tasks.measuring.picture_options import PictureOptions
from ganvas.tasks.measuring.sides import Side

if TYPE_CHECKING:
    from ganvas.core.results import Result
    from ganvas.features.classifier import OwnClassifier
    from ganvas.train.trained import Trained


def share_of_right_classes(
    task: PictureOptions, file: Path, side: Side, *, n: int, seed: int, label: str | None
) -> tuple[list["Result"], list["Result"]]:
    """Label accuracy of what a run draws and of as many of the pictures that it learnt from, where these are there.

    Args:
        file: The classifier.
        label: The only class that is asked for; None asks for all, each with its share of the data.

    Raises:
        UserError: the side is no run of classes, or the file is no classifier of them.
    """
    trained, network = require_classes(file, side), _classifier(task, file)
    asked = trained.labels(n, seed=seed, label=label)
    assert asked is not None
    assert side.batches is not None
    wanted = f"class-{label}" if label is not None else "classes-as-in-data"
    found = _measured(network, side.batches(0, n, n), asked, trained, seed=seed, wanted=wanted)
    return found, _of_reals(task, network, trained, n=n, label=label, wanted=wanted)


def require_classes(file: Path, side: Side) -> "Trained":
    """The run, which must be one of classes.

    Raises:
        UserError: it was trained without labels, or is no run.
    """
    if side.trained is None:
        raise UserError(f"--classifier {file} asks which classes a run draws, and {side.spec} is no run. Leave it out.")
    if not side.trained.conditional:
        raise UserError(
            f"--classifier {file}: {side.spec} was trained without labels, so it is asked for no class. Leave it out."
        )
    return side.trained


def _of_reals(
    task: PictureOptions, network: "OwnClassifier", trained: "Trained", *, n: int, label: str | None, wanted: str
) -> list["Result"]:
    """Of real pictures with their own labels; none where the data is not there any more."""
    import torch

    from ganvas.metrics.measuring.draws import draw, order

    try:
        packed = trained.reals(quiet=task.quiet)
    except UserError:
        return []
    if packed.labels is None:
        return []
    labels = torch.from_numpy(packed.labels).long()
    among = torch.arange(len(packed))
    if label is not None:
        chosen = trained.labels(1, seed=0, label=label)
        assert chosen is not None
        among = (labels == chosen[0]).nonzero().flatten()
    own = labels[among[order(len(among), seed=task.seed)][:n]]
    pictures = draw(packed, n, seed=task.seed, among=among)
    return _measured(network, pictures, own, trained, seed=task.seed, wanted=wanted)


def _measured(
    network: "OwnClassifier", pictures: Iterable[Any], asked: Any, trained: "Trained", *, seed: int, wanted: str
) -> list["Result"]:
    import torch

    from ganvas.metrics.label_accuracy import NAME, label_accuracy

    logits = torch.cat([network.extract(batch, ["logits"])["logits"] for batch in pictures])
    return label_accuracy(
        asked,
        logits,
        classes=network.config.classes,
        asked_of=trained.class_names,
        seed=seed,
        protocol=f"{NAME}:n{len(asked)}:{network.identity}:{wanted}",
    )


def _classifier(task: PictureOptions, file: Path) -> "OwnClassifier":
    from ganvas.features import classifier
    from ganvas.tasks.train import pick_device

    path = file.expanduser()
    if not path.is_file():
        raise UserError(f"--classifier {file}: there is no such file. `ganvas features train SRC -o FILE` makes one.")
    if not classifier.is_classifier(path):
        raise UserError(
            f"--classifier {file} is no classifier of Ganvas. `ganvas features train SRC -o FILE` makes one."
        )
    return classifier.load(path, device=pick_device(task.device), precision=task.precision)
