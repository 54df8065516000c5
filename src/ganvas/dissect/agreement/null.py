"""A permutation test of agreement: units held against the labels of other pictures of the same set.

That keeps how often labels occur, how units are distributed and where in a picture either tends to be ("the top is
sky"), and breaks what ties a unit to its own picture. A unit that is active in a corner fits whatever tends to be
there, before training too; so a fit counts only where it is beyond what the labels of other pictures give.

With the largest score of a whole layer, studentised per unit, level and label, as the statistic, the chance of one
false finding or more among all of them is bounded at once (Westfall & Young 1993, Resampling-Based Multiple Testing,
section 2.3). Mean and variance over all orders are known: with A and L the active and the labelled pixels of every
picture, less their means over pictures at each place, the pixels of both have the variance ``<A'A, L'L> / (n - 1)``
(Hoeffding 1951, A Combinatorial Central Limit Theorem); what neighbouring pixels have in common is in it. So no order,
the true one included, is held against figures that lean on itself.

Passing is not interpretability: units of an untrained network pass too, with some label at some level, since labels and
units are both functions of the picture. It is what a fit needs besides its size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.dissect.agreement.counts import PixelLabels, Values

LEVEL = 0.05  # Of the test, over the whole layer.
UNITS_AT_ONCE = 8  # For the products of pixels.


@dataclass(frozen=True, kw_only=True, eq=False)
class Null:
    """A permutation test of one layer, at some levels of activity; the true order is the first."""

    iou: Float[Tensor, "orders units levels labels"]
    p: Float[Tensor, "orders units levels labels"]  # Over the whole layer; never below 1 / orders.

    @property
    def p_values(self) -> Float[Tensor, " units"]:
        """Of each unit's best label and level."""
        return self.p[0].flatten(1).amin(1)

    @property
    def can_pass(self) -> bool:
        """Whether there are orders enough for anything to pass."""
        return enough_to_pass(len(self.p) - 1)

    def fitting(self, level: int, least: float) -> Int[Tensor, " orders"]:
        """Units that have an IoU above ``least`` with a label that they pass with, at one level; in each order."""
        return ((self.iou[:, :, level] > least) & (self.p[:, :, level] <= LEVEL)).any(2).sum(1)


def enough_to_pass(permutations: int) -> bool:
    """Whether there are so many permutations that anything can pass the test."""
    return permutations + 1 >= 1 / LEVEL


def orders(n: int, permutations: int, seed: int) -> list[Tensor]:
    """Orders of pictures, the true one first."""
    generator = stream(seed, "dissect", "permutations")
    return [torch.arange(n), *(torch.randperm(n, generator=generator) for _ in range(permutations))]


def permuted(
    values: Values,
    masks: PixelLabels,
    labels: int,
    at: Float[Tensor, "units levels"],
    shuffles: Sequence[Tensor],
) -> Null:
    """The test.

    Args:
        at: Thresholds of the units.
        shuffles: Orders of the pictures, the true one first.
    """
    both = shared(values, masks, labels, at, shuffles)
    active = both[0].sum(2, keepdim=True)
    whole = active + torch.bincount(masks.flatten().long(), minlength=labels)
    mean, variance = moments(values, masks, labels, at)
    # By the slope of the IoU. A typical variance is added: a label that is nearly never there would be far out in one
    # order or another.
    spread = variance * (whole / (whole - mean).clamp_min(1).square()).square()
    deviation = (spread + spread.median()).sqrt().clamp_min(1e-6)
    iou = both / (whole - both).clamp_min(1)
    score = (iou - mean / (whole - mean).clamp_min(1)) / deviation
    largest = score.flatten(1).amax(1).sort().values
    exceeding = len(largest) - torch.searchsorted(largest, score)  # An order's own largest is among them.
    return Null(iou=iou.float(), p=(exceeding / len(largest)).float())


def joined_nulls(parts: Sequence[Null]) -> Null:
    """The tests of a layer's portions side by side."""
    return Null(iou=torch.cat([part.iou for part in parts], 1), p=torch.cat([part.p for part in parts], 1))


def shared(
    values: Values, masks: PixelLabels, labels: int, at: Float[Tensor, "units levels"], shuffles: Sequence[Tensor]
) -> Float[Tensor, "orders units levels labels"]:
    """Pixels of all pictures that are above a unit's threshold and have the label, in each order."""
    units, levels = at.shape
    rising, order = at.sort(1)
    there = torch.stack([masks[shuffle].flatten() for shuffle in shuffles])
    cells = levels * labels
    rows = torch.arange(len(shuffles))[:, None] * cells
    both = torch.empty(len(shuffles), units, levels, labels, dtype=torch.float64)
    for unit in range(units):
        above = torch.bucketize(values[:, unit].flatten(), rising[unit].contiguous())  # Thresholds exceeded.
        active = above.nonzero()[:, 0]
        cell = (above[active] - 1) * labels + rows + there[:, active]
        table = torch.bincount(cell.flatten(), minlength=len(shuffles) * cells).view(-1, levels, labels)
        both[:, unit, order[unit]] = table.flip(1).cumsum(1).flip(1).double()
    return both


def moments(
    values: Values, masks: PixelLabels, labels: int, at: Float[Tensor, "units levels"]
) -> tuple[Float[Tensor, "units levels labels"], Float[Tensor, "units levels labels"]]:
    """Mean and variance, over all orders, of the pixels that a unit and a label share."""
    n = len(masks)
    labelled = F.one_hot(masks.long(), labels).permute(2, 0, 1).float()
    theirs, their_products = _products(labelled)
    means, variances = [], []
    for start in range(0, len(at), UNITS_AT_ONCE):
        part = slice(start, start + UNITS_AT_ONCE)
        active = (values[:, part, None] > at[None, part, :, None]).flatten(1, 2).transpose(0, 1).float()
        ours, products = _products(active)
        means.append((ours @ theirs.T) / n)
        variances.append((products.flatten(1) @ their_products.flatten(1).T).clamp_min(0) / max(n - 1, 1))
    shape = (*at.shape, labels)
    return torch.cat(means).double().view(shape), torch.cat(variances).double().view(shape)


def _products(
    marked: Float[Tensor, "maps n pixels"],
) -> tuple[Float[Tensor, "maps pixels"], Float[Tensor, "maps pixels pixels"]]:
    """For each map how many pictures are marked at a pixel, and the products of pixels about their means."""
    centred = marked - marked.mean(1, keepdim=True)
    return marked.sum(1), centred.transpose(1, 2) @ centred
