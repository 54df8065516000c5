"""The classes that pictures are to be of, beside those that a classifier sees in them.

A conditional run was asked for its classes; of pictures that were made into a class by something else (translated, or
given the style of a painter) a person says which. The share of those that pass is the deception rate of Sanakoyeu et
al. 2018, https://arxiv.org/abs/1807.10201.
"""

from collections.abc import Iterable, Sequence
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
    task: PictureOptions, file: Path, side: Side, *, beside: Side | None, n: int, seed: int, label: str | None
) -> tuple[list["Result"], list["Result"]]:
    """Label accuracy, and what it is compared with.

    Of a run that is of what it draws, beside as many of the pictures that it learnt from, where these are there; of
    pictures, beside those of the other side, which they were made of.

    Args:
        file: The classifier.
        label: The only class that is asked for; None asks for all, each with its share of the data.

    Raises:
        UserError: the side is a run without classes, or the file is no classifier of them.
    """
    require_classes(file, side, label=label)
    network, wanted = _classifier(task, file), f"class-{label}" if label is not None else "classes-as-in-data"
    how = {"seed": seed, "wanted": wanted}
    if side.trained is None:
        assert label is not None
        asked = [_pictures(one, n) for one in (side, beside) if one is not None and one.batches is not None]
        found = [_measured(network, pictures, _of_one_class(n), [label], **how) for pictures in asked]
        return found[0], found[1] if len(found) > 1 else []
    asked_of_run = side.trained.labels(n, seed=seed, label=label)
    assert asked_of_run is not None
    found = _measured(network, _pictures(side, n), asked_of_run, side.trained.class_names, **how)
    return found, _of_reals(task, network, side.trained, n=n, label=label, wanted=wanted)


def require_classes(file: Path, side: Side, *, label: str | None) -> None:
    """A run must be one of classes; of other pictures a class must be named.

    Raises:
        UserError: it was trained without labels, or no class is named.
    """
    if side.trained is None and label is None:
        raise UserError(
            f"--classifier {file}: {side.spec} is no run, so which class its pictures are to pass for is not known. "
            "Say it: --label CLASS."
        )
    if side.trained is not None and not side.trained.conditional:
        raise UserError(
            f"--classifier {file}: {side.spec} was trained without labels, so it is asked for no class. Leave it out."
        )


def _pictures(side: Side, n: int) -> Iterable[Any]:
    assert side.batches is not None
    return side.batches(0, n, n)


def _of_one_class(n: int) -> Any:
    import torch

    return torch.zeros(n, dtype=torch.long)


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
    return _measured(network, pictures, own, trained.class_names, seed=task.seed, wanted=wanted)


def _measured(
    network: "OwnClassifier", pictures: Iterable[Any], asked: Any, asked_of: Sequence[str], *, seed: int, wanted: str
) -> list["Result"]:
    import torch

    from ganvas.metrics.label_accuracy import NAME, label_accuracy

    logits = torch.cat([network.extract(batch, ["logits"])["logits"] for batch in pictures])
    return label_accuracy(
        asked,
        logits,
        classes=network.config.classes,
        asked_of=asked_of,
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
