"""Shares of each picture that labels have, with and without an edit, and the standard error of the difference.

An effect is paired: the same picture with the edit and without it. Its standard error is that of a mean over pictures
(or of a ratio of two sums over pictures, by linearisation), never over pixels, which depend on each other. Labels part
the picture, so what an edit takes from some labels it gives to others: changes add up to 0 exactly.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.dissect.instrument import UnitEdit
from ganvas.dissect.labellers.labeller import Labeller, LabelMaps
from ganvas.dissect.subject import Subject

Shares = Float[Tensor, "n labels"]


@dataclass(frozen=True, kw_only=True)
class Effect:
    """What an edit does to one label, on average over pictures."""

    label: str
    before: float  # Mean share of the picture.
    after: float
    error: float  # Standard error of after - before.
    relative: float  # (after - before) / before; nan where there was none of it.
    relative_error: float

    @property
    def change(self) -> float:
        """Of the mean share."""
        return self.after - self.before

    @property
    def t(self) -> float:
        """The change in standard errors."""
        return self.change / self.error if self.error > 0 else math.copysign(math.inf, self.change) * bool(self.change)


def shares(masks: LabelMaps, labels: int) -> Shares:
    """The share of each picture's pixels that has each label."""
    return F.one_hot(masks.flatten(1).long(), labels).double().mean(1)


def drawn_shares(
    subject: Subject, labeller: Labeller, count: int, *, of: str, edits: Sequence[UnitEdit] = (), start: int = 0
) -> Shares:
    """The shares of a series of pictures, edited."""
    parts = [
        shares(labeller.segment(pictures), len(labeller.labels))
        for pictures, _ in subject.seen(count, of=of, edits=edits, start=start)
    ]
    return torch.cat(parts)


def effects(before: Shares, after: Shares, labels: Sequence[str]) -> list[Effect]:
    """The effect on each label of pictures seen twice."""
    n = len(before)
    change = after - before
    found = []
    for at, label in enumerate(labels):
        base, mean = float(before[:, at].mean()), float(change[:, at].mean())
        relative = mean / base if base else math.nan
        residual = change[:, at] - (relative if base else 0.0) * before[:, at]
        error = float(residual.square().sum().div(max(n - 1, 1) * n).sqrt()) / base if base else math.nan
        found.append(
            Effect(
                label=label,
                before=base,
                after=base + mean,
                error=float(change[:, at].std()) / math.sqrt(n) if n > 1 else math.nan,
                relative=relative,
                relative_error=error,
            )
        )
    return found
