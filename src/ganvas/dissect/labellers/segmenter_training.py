"""Training a segmenter in about a minute of one processor core, with things pasted at random places.

Adam with half a cosine of the learning rate, pictures mirrored, a little noise. In most pictures something of another
one lies at a random place (:mod:`~ganvas.dissect.labellers.paste`), and what it is has to be told there too. Without
that the held-out score is about as high and the labeller useless for asking what can be put where: it has learnt where
things stand, and vetoes what is elsewhere by itself.

A sixteenth of the pictures is held out. The card says how well it does on them, and how often it recognises their
things at random places, by what they were laid on.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.progress import progress
from ganvas.core.seeds import stream
from ganvas.dissect.labellers.labeller import LabelMaps
from ganvas.dissect.labellers.paste import Rows, donors, drawn_donors, pasted, thing_of, things
from ganvas.dissect.labellers.segmenter import Card, SegmenterNetwork
from ganvas.nn.layers.initialise import initialise

BATCH = 32
NOISE = 0.03  # Standard deviation, colours in [-1, 1].
HELD_OUT = 1 / 16
FEWEST = 5  # Pictures.
PASTES = 500  # Of each label, for the recall of the card.
FEWEST_PASTED = 200  # Pixels on one ground, for a recall to be said.


@dataclass(frozen=True, kw_only=True)
class SegmenterPlan:
    """How a segmenter is trained."""

    steps: int = 900
    lr: float = 4e-3
    width: int = 12
    paste: float = 0.8  # Share of pictures with something pasted in.
    mirror: bool = True
    seed: int = 0


def train(
    images: Float[Tensor, "n c h w"],
    masks: LabelMaps,
    labels: Sequence[str],
    plan: SegmenterPlan,
    *,
    source: str,
    quiet: bool = False,
) -> tuple[SegmenterNetwork, Card]:
    """A network that tells the labels apart, and its card.

    Args:
        images: Of three channels, colours in [-1, 1].
        source: What the pictures are, for the card.

    Raises:
        UserError: there are too few pictures.
        TrainingFailed: the loss is no longer a number.
    """
    if len(images) < FEWEST:
        raise UserError(
            f"{source} has {len(images)} pictures with masks, and a segmenter learns from {FEWEST} or more."
        )
    held = max(round(len(images) * HELD_OUT), 2)
    network = SegmenterNetwork(images.shape[1], len(labels), plan.width)
    initialise(network, stream(plan.seed, "segmenter", "weights"))
    network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    _fit(network, Shelf(images[held:], masks[held:].long(), len(labels)), plan, quiet=quiet)
    return network, _card(network, Shelf(images[:held], masks[:held].long(), len(labels)), labels, plan, source)


class Shelf:
    """Pictures with masks, and which of them give a thing of which label."""

    def __init__(self, images: Float[Tensor, "n c h w"], masks: LabelMaps, labels: int) -> None:
        self.images, self.masks = images, masks
        given = {label: donors(masks, label) for label in things(masks, labels)}
        self.donors: dict[int, Rows] = {label: rows for label, rows in given.items() if len(rows)}

    def pasted(
        self, rows: Rows, labels: Sequence[int], generator: torch.Generator, *, share: float = 1.0
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """Pictures with a thing of some label laid in, the label of each, their masks, and what was laid in."""
        x, y = self.images[rows], self.masks[rows]
        label, donor = drawn_donors([self.donors[one] for one in labels], labels, len(rows), generator)
        thing = thing_of(self.masks[donor] == label[:, None, None], generator)
        thing &= (torch.rand(len(rows), generator=generator) < share)[:, None, None]
        at = torch.rand(len(rows), 2, generator=generator)
        x, y, laid = pasted(x, y, self.images[donor], thing, label, at)
        return x, label, y, laid


def _fit(network: SegmenterNetwork, shelf: Shelf, plan: SegmenterPlan, *, quiet: bool) -> None:
    optimizer = torch.optim.Adam(network.parameters(), lr=plan.lr)
    network.train()
    with progress("labeller", plan.steps, unit="steps", quiet=quiet) as report:
        for step in range(plan.steps):
            x, y = _batch(shelf, plan, step)
            for group in optimizer.param_groups:
                group["lr"] = plan.lr * (1 + math.cos(math.pi * step / plan.steps)) / 2
            loss = F.cross_entropy(network(x.contiguous(memory_format=torch.channels_last)), y)
            if not torch.isfinite(loss):
                raise TrainingFailed(f"The segmenter's loss is no longer a number after {step} steps.")
            optimizer.zero_grad(set_to_none=True)
            loss.backward()
            optimizer.step()
            report(step + 1, f"loss {loss.item():.3f}")
    network.eval().requires_grad_(False)


def _batch(shelf: Shelf, plan: SegmenterPlan, step: int) -> tuple[Tensor, Tensor]:
    """Pictures with something of others in most of them, and their masks; a function of the step."""
    generator = stream(plan.seed, "segmenter", step)
    rows = torch.randint(len(shelf.images), (BATCH,), generator=generator)
    if shelf.donors:
        x, _, y, _ = shelf.pasted(rows, list(shelf.donors), generator, share=plan.paste)
    else:
        x, y = shelf.images[rows], shelf.masks[rows]
    if plan.mirror and torch.rand((), generator=generator) < 0.5:
        x, y = x.flip(3), y.flip(2)
    return x + NOISE * torch.randn(x.shape, generator=generator), y


def _card(network: SegmenterNetwork, shelf: Shelf, labels: Sequence[str], plan: SegmenterPlan, source: str) -> Card:
    guess, masks, names = _guessed(network, shelf.images), shelf.masks, list(labels)
    ious = {}
    for number, label in enumerate(names):
        either = ((guess == number) | (masks == number)).sum()
        if either:
            ious[label] = round(float(((guess == number) & (masks == number)).sum() / either), 4)
    found, found_on = paste_recall(network, shelf, names, seed=plan.seed)
    return Card(
        labels=names,
        width=plan.width,
        source=source,
        size=list(masks.shape[1:]),
        accuracy=round(float((guess == masks).float().mean()), 4),
        mean_iou=round(sum(ious.values()) / len(ious), 4),
        iou=ious,
        paste_recall=found,
        paste_recall_on=found_on,
        notes={"held_out": len(masks), "steps": plan.steps, "paste": plan.paste, "seed": plan.seed},
    )


def paste_recall(
    network: SegmenterNetwork, shelf: Shelf, names: Sequence[str], *, seed: int
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Share of a thing's pixels that are recognised where it was laid: anywhere, and by what it was laid on."""
    generator = stream(seed, "segmenter", "recall")
    found, found_on = dict[str, float](), dict[str, dict[str, float]]()
    for number in shelf.donors:
        ground = torch.randint(len(shelf.images), (PASTES,), generator=generator)
        x, _, _, laid = shelf.pasted(ground, [number], generator)
        right, under = (_guessed(network, x) == number) & laid, shelf.masks[ground]
        found[names[number]] = round(float(right.sum() / laid.sum().clamp_min(1)), 3)
        on = {name: laid & (under == at) for at, name in enumerate(names)}
        found_on[names[number]] = {
            name: round(float((right & there).sum() / there.sum()), 3)
            for name, there in on.items()
            if there.sum() >= FEWEST_PASTED
        }
    return found, found_on


@torch.no_grad()
def _guessed(network: SegmenterNetwork, images: Tensor) -> Int[Tensor, "n h w"]:
    parts = images.split(64)
    return torch.cat([network(part.contiguous(memory_format=torch.channels_last)).argmax(1) for part in parts])
