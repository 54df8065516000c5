"""Memorisation of the training set: are generated pictures nearer to it than to as many pictures that were held out?

Of a generator that learnt the law of the pictures and not the pictures, half are nearer to the training set and half
to a held-out set of the same size; the share has a standard error of ``0.5 / sqrt(n)``. Of one that plays back its
training set, all are. (Metric "auth_pct" asks another question: whether a picture is nearer to a training picture than
that one is to its own neighbour.)
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError


@dataclass(frozen=True, kw_only=True, eq=False)
class Memorised:
    """The result."""

    share: float  # Of pictures that are nearer to the training set; equal distances count half.
    error: float  # Of the share, if nothing was memorised.
    ratio: float  # Median distance to the training set, by that to the held-out set.
    nearest: Int[Tensor, " n"]  # The nearest training picture, and
    nearest_unseen: Int[Tensor, " n"]  # the nearest held-out one.
    distances: Float[Tensor, " n"]  # To them.
    distances_unseen: Float[Tensor, " n"]


def memorised(
    fakes: Float[Tensor, "n d"], seen: Float[Tensor, "m d"], unseen: Float[Tensor, "k d"], *, batch: int = 256
) -> Memorised:
    """By the Euclidean distance of rows: pixels, or features.

    Raises:
        UserError: the two sets differ in size, which alone would make one nearer.
    """
    if len(seen) != len(unseen):
        raise UserError(
            f"{len(seen)} training pictures and {len(unseen)} held out: the larger set is nearer by its size alone. "
            "Give as many of each."
        )
    to_seen, nearest = _nearest(fakes, seen, batch)
    to_unseen, nearest_unseen = _nearest(fakes, unseen, batch)
    share = (to_seen < to_unseen).double().mean() + (to_seen == to_unseen).double().mean() / 2
    return Memorised(
        share=float(share),
        error=0.5 / math.sqrt(len(fakes)),
        ratio=float(to_seen.median() / to_unseen.median()) if to_unseen.median() > 0 else math.nan,
        nearest=nearest,
        nearest_unseen=nearest_unseen,
        distances=to_seen,
        distances_unseen=to_unseen,
    )


def _nearest(rows: Float[Tensor, "n d"], among: Float[Tensor, "m d"], batch: int) -> tuple[Tensor, Tensor]:
    """The distance of each row to the nearest of others, and which that is."""
    found = [torch.cdist(part, among).min(1) for part in rows.split(batch)]
    return torch.cat([each.values for each in found]), torch.cat([each.indices for each in found])
