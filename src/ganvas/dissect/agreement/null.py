"""A permutation test of agreement: units held against the labels of other pictures of the same set.

That keeps how often labels occur, how units are distributed and where in a picture either tends to be ("the top is
sky"), and breaks what ties a unit to its own picture. With the largest score of a whole layer, studentised per unit and
label, as the statistic, the chance of one false finding or more among all of them is bounded at once (Westfall & Young
1993, Resampling-Based Multiple Testing, section 2.3).

All orders are equally likely, those in which a picture keeps its own labels among them. Without these the true order
would stand apart from the others, which have more in common with each other than with it: on white noise of 10 pictures
the test then calls 12 % of layers significant at 5 %.

Significance is not interpretability: nearly every unit of an untrained network passes too, since labels and units are
both functions of the picture. Its count is only of use beside that of the untrained twin.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.dissect.agreement.counts import PixelLabels, Values

PICTURES = 128  # Of the sample, at most: the test has power enough, and its cost is a product of everything.
AT_ONCE = 8
LEVEL = 0.05  # Of the test, over the whole layer.


@dataclass(frozen=True, kw_only=True, eq=False)
class Null:
    """A permutation test of one layer."""

    p_values: Float[Tensor, " units"]  # Of the unit's best label and level, over the whole layer; never below 1/(R+1).
    detectors: Float[Tensor, " permutations"]  # Units above the detector's IoU by chance, in each permutation.
    best: Float[Tensor, " units"]  # The best chance-corrected score over labels and levels, mean over permutations.
    significant: Bool[Tensor, " units"]


def permuted(
    values: Values,
    masks: PixelLabels,
    labels: int,
    at: Float[Tensor, "units levels"],
    *,
    permutations: int,
    seed: int,
    detector: tuple[int, float],
) -> Null:
    """The test, on the first pictures of the sample.

    Args:
        at: Thresholds of the units.
        detector: The level (its number) and the IoU from which on a unit counts as a detector.
    """
    values, masks = values[:PICTURES], masks[:PICTURES]
    generator = stream(seed, "dissect", "permutations")
    orders = [torch.arange(len(masks)), *(torch.randperm(len(masks), generator=generator) for _ in range(permutations))]
    both, active, labelled = _sums(values, masks, labels, at, orders)
    iou = both / (active[:, :, None, None] + labelled - both).clamp_min(1)
    score = iou.permute(3, 0, 1, 2)  # Permutation, unit, level, label.
    # Over the true order as well, else it alone would be held against a mean and deviation without itself. A
    # typical variance is added: a label that is nearly never there would be far out in one order or another.
    spread = score.var(0)
    mean, deviation = score.mean(0), (spread + spread.median()).sqrt().clamp_min(1e-6)
    largest = ((score - mean) / deviation).flatten(2).amax(2)  # Of each unit.
    against = largest[1:].amax(1)
    p_values = (1 + (against[None] >= largest[0][:, None]).sum(1)) / (permutations + 1)
    which, least = detector
    a, g = active[:, :, None] / masks.numel(), labelled[:, 0] / masks.numel()
    chance = a * g / (a + g - a * g).clamp_min(1e-12)
    return Null(
        p_values=p_values,
        detectors=(score[1:, :, which].amax(2) > least).sum(1).float(),
        best=((score[1:] - chance) / (1 - chance).clamp_min(1e-12)).flatten(2).amax(2).mean(0),
        significant=p_values <= LEVEL,
    )


def joined_nulls(parts: Sequence[Null]) -> Null:
    """The tests of a layer's portions side by side."""
    return Null(
        p_values=torch.cat([part.p_values for part in parts]),
        detectors=torch.stack([part.detectors for part in parts]).sum(0),
        best=torch.cat([part.best for part in parts]),
        significant=torch.cat([part.significant for part in parts]),
    )


def _sums(
    values: Values, masks: PixelLabels, labels: int, at: Float[Tensor, "units levels"], orders: Sequence[Tensor]
) -> tuple[Tensor, Tensor, Tensor]:
    """Pixels of both (units, levels, labels, orders), active (units, levels) and labelled (labels, 1), in all."""
    units, levels = at.shape
    both = torch.zeros(units * levels, labels * len(orders))
    active = torch.zeros(units * levels)
    for start in range(0, len(masks), AT_ONCE):
        part = values[start : start + AT_ONCE]
        above = (part[:, :, None] > at[None, :, :, None]).float().flatten(1, 2)
        active += above.sum((0, 2))
        others = [F.one_hot(masks[order[start : start + AT_ONCE]].long(), labels) for order in orders]
        there = torch.stack(others, 3).flatten(2).float()
        both += above.transpose(0, 1).flatten(1) @ there.flatten(0, 1)
    labelled = torch.bincount(masks.flatten().long(), minlength=labels).float()
    return both.view(units, levels, labels, len(orders)), active.view(units, levels), labelled[:, None]
