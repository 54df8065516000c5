"""Agreement of the units of a layer with labels, at several levels of activity at once.

The rotated twin is made here, and that of the labels of other pictures.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.dissect.agreement.counts import PixelGrid, PixelLabels, Values, counted, thresholds
from ganvas.dissect.agreement.null import Null, joined_nulls, orders, permuted
from ganvas.dissect.agreement.scores import Scores, scores
from ganvas.dissect.instrument import Maps

LEVELS = (0.002, 0.005, 0.01, 0.02, 0.04, 0.07, 0.1, 0.15, 0.2, 0.3, 0.4, 0.55, 0.75)
TOP = 0.01  # The level of the top-q rule, and
DETECTOR = (
    0.04  # the IoU from which on a unit counts as a detector (Bau et al. 2020, https://arxiv.org/abs/2009.05041).
)
TESTED = (0.01, 0.05, 0.2)  # Levels of the permutation test.
UNITS_AT_ONCE = 64


@dataclass(frozen=True, kw_only=True, eq=False)
class Agreement:
    """The scores of every unit of a layer."""

    scores: Scores  # Of the levels LEVELS.
    halves: Float[Tensor, " units"]  # 1 where odd and even pictures give a unit the same label by the top-q rule.
    null: Null | None = None  # The permutation test, where it was asked for, at the levels TESTED.
    best_permuted: Float[Tensor, " units"] | None = None  # ``best`` with the labels of other pictures.

    @property
    def detectors(self) -> Tensor:
        """Which units reach the detector's IoU by the top-q rule, be it by their position alone."""
        return self.scores.iou[:, LEVELS.index(TOP)].amax(1) > DETECTOR

    @property
    def fitting(self) -> float:
        """How many units fit a label: a detector's IoU, and more of it than position gives, where that was tested."""
        if self.null is None or not self.null.can_pass:
            return float(self.detectors.sum())
        return float(self.null.fitting(TESTED.index(TOP), DETECTOR)[0])

    @property
    def fitting_permuted(self) -> float | None:
        """The same with the labels of other pictures, in the mean over orders."""
        if self.null is None or not self.null.can_pass:
            return None
        return float(self.null.fitting(TESTED.index(TOP), DETECTOR)[1:].float().mean())

    @property
    def detectors_permuted(self) -> float | None:
        """How many detectors there are with the labels of other pictures, in the mean over orders."""
        if self.null is None:
            return None
        others = self.null.iou[1:, :, TESTED.index(TOP)]
        return float((others.amax(2) > DETECTOR).sum(1).float().mean())

    @property
    def best(self) -> Tensor:
        """The best chance-corrected score of each unit over levels and labels."""
        return self.scores.corrected.flatten(1).amax(1)


def agreement(
    maps: Maps, masks: PixelLabels, labels: int, grid: PixelGrid, *, permutations: int = 0, seed: int = 0
) -> Agreement:
    """Scores all units of a layer, so many at a time that memory is bounded by the maps alone.

    Args:
        masks: The labels of the grid's pixels.
        permutations: Of the test, which is over the units that are scored together.
    """
    shuffles = orders(len(maps), permutations, seed)
    parts = []
    for first in range(0, maps.shape[1], UNITS_AT_ONCE):
        values = grid.values(maps[:, first : first + UNITS_AT_ONCE])
        parts.append(_scored(values, masks, labels, shuffles))
    return joined(parts)


def _scored(values: Values, masks: PixelLabels, labels: int, shuffles: Sequence[Tensor]) -> Agreement:
    """Of units that are tested together."""
    at = thresholds(values, LEVELS)
    counts = counted(values, masks, labels, at)
    top = counts.at(LEVELS.index(TOP))
    odd, even = (scores(top.of(slice(start, None, 2))).iou[:, 0].argmax(1) for start in (0, 1))
    found = Agreement(scores=scores(counts), halves=(odd == even).float())
    if len(shuffles) == 1:
        return found
    other = Agreement(scores=scores(counted(values, masks[shuffles[1]], labels, at)), halves=found.halves)
    null = permuted(values, masks, labels, thresholds(values, TESTED), shuffles)
    return replace(found, null=null, best_permuted=other.best)


def rotated(maps: Maps, seed: int) -> Maps:
    """The same layer in other axes: its channels turned by a random orthogonal matrix (uniform, Stewart 1980)."""
    units = maps.shape[1]
    normal = torch.randn(units, units, generator=stream(seed, "dissect", "rotation"), dtype=torch.float64)
    q, r = torch.linalg.qr(normal)
    turn = (q * r.diagonal().sign()).to(maps.dtype)
    return torch.einsum("uv,nvhw->nuhw", turn, maps)


def joined(parts: Sequence[Agreement]) -> Agreement:
    """The agreement of a layer whose units came in portions. The permutation test is then over each portion."""
    if len(parts) == 1:
        return parts[0]
    nulls = [part.null for part in parts if part.null is not None]
    best = [part.best_permuted for part in parts if part.best_permuted is not None]
    return Agreement(
        scores=_joined([part.scores for part in parts]),
        halves=torch.cat([part.halves for part in parts]),
        null=joined_nulls(nulls) if nulls else None,
        best_permuted=torch.cat(best) if best else None,
    )


def _joined(parts: Sequence[Scores]) -> Scores:
    def whole(of: Callable[[Scores], Tensor]) -> Tensor:
        return torch.cat([of(part) for part in parts])

    return Scores(
        iou=whole(lambda part: part.iou),
        iou_error=whole(lambda part: part.iou_error),
        most=whole(lambda part: part.most),
        chance=whole(lambda part: part.chance),
        corrected=whole(lambda part: part.corrected),
        corrected_error=whole(lambda part: part.corrected_error),
        information=whole(lambda part: part.information),
        shares=parts[0].shares,
    )
