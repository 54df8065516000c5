"""Things of one picture at random places of another: so that a labeller learns what a thing looks like, not where.

A labeller that learnt "houses stand on the ground" finds no house in the sky, whether a generator drew one or not, and
whoever asks where a generator can put a house measures the labeller. Ghiasi et al. 2021, Simple Copy-Paste is a Strong
Data Augmentation Method for Instance Segmentation, https://arxiv.org/abs/2012.07177, found the means; the reason here
is another one.

A thing is a connected part of what has its label, and lies whole within the picture that it is laid into.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.dissect.labellers.labeller import LabelMaps

Rows = Int[Tensor, " _"]
Marked = Bool[Tensor, "n h w"]

FEWEST_PIXELS = 8  # Of a label in a picture that gives a thing of it: less is no thing.
GROUND = 0.25  # A label that covers more of the pictures that it is in, on average, is ground and no thing.


def things(masks: LabelMaps, labels: int) -> list[int]:
    """The labels that are things rather than ground, of those that occur."""
    shares = torch.stack([(masks == label).flatten(1).float().mean(1) for label in range(labels)], 1)
    present = shares > 0
    mean = shares.sum(0) / present.sum(0).clamp_min(1)
    return (present.any(0) & (mean < GROUND)).nonzero().flatten().tolist()


def donors(masks: LabelMaps, label: int) -> Rows:
    """The pictures that give a thing of a label."""
    return ((masks == label).flatten(1).sum(1) >= FEWEST_PIXELS).nonzero().flatten()


def drawn_donors(
    of_label: Sequence[Rows], labels: Sequence[int], n: int, generator: torch.Generator
) -> tuple[Rows, Rows]:
    """``n`` times a label, each as often as any other, and a picture that gives it."""
    which = torch.randint(len(labels), (n,), generator=generator)
    part = torch.rand(n, generator=generator)
    rows = [
        of_label[at][int(share * len(of_label[at]))] for at, share in zip(which.tolist(), part.tolist(), strict=True)
    ]
    return torch.tensor(labels)[which], torch.stack(rows)


def thing_of(marked: Marked, generator: torch.Generator) -> Marked:
    """One connected part of each mask: that around a marked pixel at random."""
    n, height, width = marked.shape
    chance = torch.rand(n, height * width, generator=generator) * marked.flatten(1)
    seed = F.one_hot(chance.argmax(1), height * width).view_as(marked).bool() & marked
    while True:
        grown = F.max_pool2d(seed[:, None].float(), 3, 1, 1)[:, 0].bool() & marked
        if torch.equal(grown, seed):
            return seed
        seed = grown


def pasted(
    images: Float[Tensor, "n c h w"],
    masks: LabelMaps,
    donors: Float[Tensor, "n c h w"],
    things: Marked,
    labels: Rows,
    at: Float[Tensor, "n 2"],
) -> tuple[Float[Tensor, "n c h w"], LabelMaps, Marked]:
    """A thing of each donor laid whole into the picture of the same number.

    Args:
        things: Which pixels of the donor it is; none leaves the picture as it is.
        labels: What it is.
        at: Where, down and across, from 0 (the first place that holds it whole) to 1 (the last).

    Returns:
        The pictures, their masks, and what was laid in.
    """
    shift = _shift(things, at)
    laid = _moved(things[:, None], shift)[:, 0]
    colours = _moved(donors, shift)
    return (
        torch.where(laid[:, None], colours, images),
        torch.where(laid, labels[:, None, None].to(masks.dtype), masks),
        laid,
    )


def _shift(things: Marked, at: Float[Tensor, "n 2"]) -> Int[Tensor, "n 2"]:
    """By how many pixels each thing moves down and to the right."""
    moves = []
    for axis, size in enumerate(things.shape[1:]):
        along = things.any(2 - axis).int()
        first, last = along.argmax(1), size - 1 - along.flip(1).argmax(1)
        room = size - (last - first)  # Places where it lies whole.
        moves.append((at[:, axis] * room).long().clamp_max(room - 1) - first)
    return torch.stack(moves, 1)


def _moved(x: Tensor, shift: Int[Tensor, "n 2"]) -> Tensor:
    """Pictures (n, c, h, w) moved down and right by whole pixels; zeros (or False) come in."""
    n, channels, height, width = x.shape
    rows, columns = torch.arange(height) - shift[:, :1], torch.arange(width) - shift[:, 1:]
    inside = ((rows >= 0) & (rows < height))[:, :, None] & ((columns >= 0) & (columns < width))[:, None, :]
    at = rows.clamp(0, height - 1)[:, :, None] * width + columns.clamp(0, width - 1)[:, None, :]
    found = x.flatten(2).gather(2, at.flatten(1)[:, None].expand(n, channels, -1)).view_as(x)
    return torch.where(inside[:, None], found, torch.zeros((), dtype=x.dtype))
