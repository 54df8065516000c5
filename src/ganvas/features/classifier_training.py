"""Training a small classifier on labelled pictures, in minutes on two processor cores.

Stochastic gradient descent with Nesterov momentum, one rise and one fall of the learning rate (Smith and Topin 2018,
https://arxiv.org/abs/1708.07120), label smoothing, and pictures shifted by up to an eighth and mirrored at random. A
tenth of the pictures, the same share of every class, is held out, and says how good it is.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.files.atomic_files import require_writable
from ganvas.core.process.provenance import versions
from ganvas.core.progress import progress
from ganvas.core.sample_sizes.sound_size import SoundSize
from ganvas.core.seeds import stream
from ganvas.features.classifier import Classifier, Config, Trained, initialise, save, standardised
from ganvas.features.training_pictures import TrainingPictures, training_pictures

HELD_OUT = 0.1
MOMENTUM, WEIGHT_DECAY, SMOOTHING = 0.9, 5e-4, 0.1
WARM_UP = 0.2  # Share of the training in which the learning rate rises.
FINAL = 0.01  # Of the highest learning rate, at the end.


@dataclass(frozen=True, kw_only=True)
class Plan:
    """How a classifier is trained."""

    size: int | None = None  # None: the pictures' own size up to 64.
    epochs: int = 15
    batch_size: int = 64
    lr: float = 0.1
    width: int = 16
    mirror: bool = True
    upwards: bool = True  # Pictures are shifted up and down too.
    sound: SoundSize | None = None  # Of sounds; None: the usual rate and length of the source.
    seed: int = 0

    def __post_init__(self) -> None:
        if min(self.epochs, self.batch_size, self.width) < 1 or not 0 < self.lr < math.inf:
            raise UserError(
                f"epochs={self.epochs}, batch_size={self.batch_size}, width={self.width} and lr={self.lr} "
                "cannot be: all are at least 1, and the learning rate above 0."
            )


@dataclass(frozen=True, kw_only=True)
class Outcome:
    """A trained classifier, and how often it is right on pictures that it has not seen."""

    trained: Trained
    accuracy: float
    standard_error: float  # Binomial: sqrt(a (1 - a) / n).
    held_out: int
    images: int


def train(source: str, out: Path, plan: Plan, *, device: torch.device | str = "cpu", quiet: bool = False) -> Outcome:
    """Trains on the labelled pictures or sounds of a source and writes the classifier to ``out``.

    Raises:
        UserError: the pictures have no labels, or too few of a class, or ``out`` cannot be written.
        TrainingFailed: the loss is no longer a number.
    """
    require_writable(out)  # Before the minutes, not after them.
    material = training_pictures(source, size=plan.size, sound=plan.sound, quiet=quiet)
    labels = material.labels
    seen, held = split(labels, plan.seed)
    pictures = material.pictures
    config = _config(material, pictures[seen], width=plan.width)
    module = Classifier(config)
    initialise(module, stream(plan.seed, "classifier", "weights"))
    module.to(device=device, memory_format=torch.channels_last)  # type: ignore[call-overload]
    _fit(module, config, pictures[seen], labels[seen], _moved(plan, material), quiet=quiet)
    right = _right(module, config, pictures[held], labels[held])
    accuracy = right / len(held)
    error = math.sqrt(accuracy * (1 - accuracy) / len(held))
    notes = {
        "source": Path(source).name,
        "fingerprint": material.fingerprint,
        "images": len(seen),
        "held_out": len(held),
        "accuracy": accuracy,
        "standard_error": error,
        "epochs": plan.epochs,
        "seed": plan.seed,
        "versions": {name: versions()[name] for name in ("ganvas", "torch")},  # No commit: the hash is its identity.
    } | material.notes
    trained = Trained(config=config, module=module.cpu().eval(), notes=notes)
    save(trained, out)
    return Outcome(trained=trained, accuracy=accuracy, standard_error=error, held_out=len(held), images=len(seen))


def split(labels: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """The places of pictures to train on and of those held out: a tenth of every class, at least one.

    Raises:
        UserError: a class has one picture only.
    """
    held = []
    generator = stream(seed, "classifier", "held out")
    for label in labels.unique().tolist():
        places = (labels == label).nonzero().flatten()
        if len(places) < 2:
            raise UserError(
                f"Class number {label} has one picture. Every class needs at least two: one to learn from, one to test."
            )
        order = torch.randperm(len(places), generator=generator)
        held.append(places[order[: max(1, round(HELD_OUT * len(places)))]])
    out = torch.cat(held).sort().values
    kept = torch.ones(len(labels), dtype=torch.bool)
    kept[out] = False
    return kept.nonzero().flatten(), out


def augmented(pictures: Tensor, generator: torch.Generator, *, mirror: bool, upwards: bool = True) -> Tensor:
    """Each picture shifted by up to an eighth of its side (what is missing is mirrored in), and mirrored at random."""
    n, _, side, _ = pictures.shape
    margin = side // 8
    padded = F.pad(pictures, (margin,) * 4, mode="reflect")
    top, left = torch.randint(0, 2 * margin + 1, (2, n, 1), generator=generator)
    top = top if upwards else torch.full_like(top, margin)
    rows, columns = top + torch.arange(side), left + torch.arange(side)
    if mirror:
        flipped = torch.rand(n, 1, generator=generator) < 0.5
        columns = torch.where(flipped, columns.flip(1), columns)
    which = torch.arange(n)[:, None, None]
    return padded.permute(0, 2, 3, 1)[which, rows[:, :, None], columns[:, None, :]].permute(0, 3, 1, 2)


def _augmented(pictures: Tensor, generator: torch.Generator, plan: Plan) -> Tensor:
    return augmented(pictures, generator, mirror=plan.mirror, upwards=plan.upwards)


def _moved(plan: Plan, material: TrainingPictures) -> Plan:
    """The plan with what leaves these pictures what they are."""
    return replace(plan, mirror=False, upwards=False) if material.of_sounds else plan


def learning_rate(at: float, highest: float) -> float:
    """The learning rate at ``at`` in [0, 1]: up along half a cosine over the first fifth, then down along one.

    >>> learning_rate(0.2, 0.1), round(learning_rate(1.0, 0.1), 6)
    (0.1, 0.001)
    """
    if at < WARM_UP:
        return highest * (FINAL + (1 - FINAL) * (1 - math.cos(math.pi * at / WARM_UP)) / 2)
    return highest * (FINAL + (1 - FINAL) * (1 + math.cos(math.pi * (at - WARM_UP) / (1 - WARM_UP))) / 2)


def _fit(module: Classifier, config: Config, pictures: Tensor, labels: Tensor, plan: Plan, *, quiet: bool) -> None:
    device = module.head.weight.device
    decayed = [p for p in module.parameters() if p.ndim > 1]
    plain = [p for p in module.parameters() if p.ndim <= 1]
    groups = [{"params": decayed, "weight_decay": WEIGHT_DECAY}, {"params": plain, "weight_decay": 0.0}]
    optimizer = torch.optim.SGD(groups, lr=plan.lr, momentum=MOMENTUM, nesterov=True)
    total, done = plan.epochs * len(pictures), 0
    module.train()
    with progress("features train", total, unit="pictures", quiet=quiet) as report:
        for places, generator in _batches(len(pictures), plan):
            batch = standardised(_augmented(pictures[places].float(), generator, plan).to(device), config)
            scores = module(batch.contiguous(memory_format=torch.channels_last))
            loss = F.cross_entropy(scores, labels[places].to(device), label_smoothing=SMOOTHING)
            if not torch.isfinite(loss):
                raise TrainingFailed(
                    f"The loss is no longer a number after {done:,} pictures. "
                    f"A lower learning rate may do (--lr {plan.lr / 4:g})."
                )
            for group in optimizer.param_groups:
                group["lr"] = learning_rate(done / total, plan.lr)
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            done += len(places)
            report(done, f"loss {loss.item():.3f}")
    module.eval()


def _batches(count: int, plan: Plan) -> Iterator[tuple[Tensor, torch.Generator]]:
    """Every picture once per epoch, newly ordered; a last batch of one (no batch norm) joins the one before."""
    for epoch in range(plan.epochs):
        generator = stream(plan.seed, "classifier", "epoch", epoch)
        parts = list(torch.randperm(count, generator=generator).split(plan.batch_size))
        if len(parts) > 1 and len(parts[-1]) == 1:
            parts[-2:] = [torch.cat(parts[-2:])]
        for places in parts:
            yield places, generator


@torch.no_grad()
def _right(module: Classifier, config: Config, pictures: Tensor, labels: Tensor) -> int:
    device = module.head.weight.device
    right = 0
    for part, truth in zip(pictures.split(256), labels.split(256), strict=True):
        guess = module(standardised(part.to(device).float(), config)).argmax(1)
        right += int((guess.cpu() == truth).sum())
    return right


def _config(material: TrainingPictures, pictures: Tensor, *, width: int) -> Config:
    each = [pictures[:, channel].double() for channel in range(3)]
    return Config(
        classes=material.class_names,
        size=material.size,
        width=width,
        mean=tuple(round(float(values.mean()), 4) for values in each),
        deviation=tuple(round(max(float(values.std()), 1.0), 4) for values in each),
    )
