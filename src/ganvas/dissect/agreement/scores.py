"""Scores of agreement between a unit and a label, each beside what it would be by chance, and what it can be at most.

With a, g the shares of pixels that are active and labelled, and i the share of both:

- ``IoU = i / (a + g - i)``, over all pictures together (Bau et al. 2017, Network Dissection, section 2.3,
  https://arxiv.org/abs/1704.05796). Since i <= min(a, g), IoU <= min(a, g) / max(a, g): what is active on a hundredth
  of the pixels cannot reach 0.04 on a label that covers more than a quarter.
- an independent unit has ``a g / (a + g - a g)``, which is g where the unit is always active: at free thresholds
  everything becomes "sky". The chance-corrected score ``(IoU - chance) / (1 - chance)`` is 0 for it, 1 for equality.
- the information quality ratio ``I(u; c) / H(u, c)``, which is also 1 for a unit that is active exactly where the label
  is not; GAN dissection counts it only where unit and label agree on 0.8 of the pixels.

Standard errors are over pictures, since the pixels of one picture depend on each other: of the ratio of two sums, by
its linearisation. That of the corrected score takes the chance level as known.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.dissect.agreement.counts import Counts

FEWEST = 1e-3  # Share of pixels that a label needs to be scored by its information.
AGREEING = 0.8  # Share of pixels on which unit and label must agree for their information to count.

Scored = Float[Tensor, "units levels labels"]


@dataclass(frozen=True, kw_only=True, eq=False)
class Scores:
    """Of every unit, level and label."""

    iou: Scored
    iou_error: Scored
    most: Scored  # What the IoU can be at the most.
    chance: Scored  # What it would be of an independent unit.
    corrected: Scored
    corrected_error: Scored
    information: Scored  # Quality ratio; 0 where unit and label do not agree, or the label is rare.
    shares: Float[Tensor, " labels"]  # Of pixels, by label.


def scores(counts: Counts) -> Scores:
    """All scores, in float64."""
    both, active = counts.both.double(), counts.active.double()[..., None]
    labelled = counts.labelled.double()[:, None, None, :]
    union = active + labelled - both
    whole = union.sum(0).clamp_min(1)
    iou = both.sum(0) / whole
    n = len(both)
    residual = (both - iou * union).square().sum(0)
    error = (residual * n / max(n - 1, 1)).sqrt() / whole
    pixels = n * counts.pixels
    a, g = (active.sum(0) / pixels).expand_as(iou), (labelled.sum(0) / pixels).expand_as(iou)
    chance = a * g / (a + g - a * g).clamp_min(1e-300)
    rest = (1 - chance).clamp_min(1e-12)
    return Scores(
        iou=iou,
        iou_error=error,
        most=torch.minimum(a, g) / torch.maximum(a, g).clamp_min(1e-300),
        chance=chance,
        corrected=(iou - chance) / rest,
        corrected_error=error / rest,
        information=information(both.sum(0) / pixels, a, g),
        shares=g[0, 0],
    )


def information(i: Tensor, a: Tensor, g: Tensor) -> Tensor:
    """``I(u; c) / H(u, c)`` of shares: of both, of the unit, of the label; 0 where it does not count."""
    cells = torch.stack([i, a - i, g - i, 1 - a - g + i]).clamp_min(0)
    joint = _entropy(cells)
    mutual = _entropy(torch.stack([a, 1 - a])) + _entropy(torch.stack([g, 1 - g])) - joint
    ratio = mutual / joint.clamp_min(1e-300)
    counts = (cells[0] + cells[3] > AGREEING) & (g >= FEWEST) & (a > 0)
    return ratio.clamp(0, 1) * counts


def _entropy(shares: Tensor) -> Tensor:
    return -torch.special.xlogy(shares, shares).sum(0)
