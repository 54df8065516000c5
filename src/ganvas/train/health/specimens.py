"""The samples that every check-up of a run looks at: some training ones, some held-out ones, and many in small."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.seeds import stream
from ganvas.core.shapes import Samples

LOOKED_AT = 64  # Samples of each kind: the share that D tells apart has a standard error of at most 0.05.
GALLERY = 2048  # Training samples among which copies are looked for.
SMALL = 16  # Longest side in pixels at which pictures are compared with each other.

Rows = Float[Tensor, "n k"]


def rows_of(samples: Samples) -> Rows:
    """Samples as rows to be compared: pictures averaged down to at most ``SMALL`` pixels, points as they are."""
    if samples.ndim == 4:
        height, width = (min(side, SMALL) for side in samples.shape[-2:])
        samples = F.adaptive_avg_pool2d(samples, (height, width))
    return samples.flatten(1).float()


@dataclass(frozen=True, kw_only=True)
class Specimens:
    """Samples of a run's data, the same at every check-up."""

    train: Samples
    held_out: Float[Tensor, "m *shape"] | None  # Never trained on, where there are such.
    gallery: Float[Tensor, "all k"]  # Training samples as rows, ``train`` among them.
    rows: Callable[[Samples], Rows] = rows_of  # As what samples are compared with each other.

    def __post_init__(self) -> None:
        assert len(self.train) <= len(self.gallery)


def specimens(
    read: Callable[[np.ndarray], Samples],
    count: int,
    *,
    seed: int,
    held_out: Float[Tensor, "m *shape"] | None = None,
    rows: Callable[[Samples], Rows] = rows_of,
) -> Specimens:
    """Specimens of a source, chosen by the seed.

    Args:
        read: The samples of some rows.
        count: Rows of the source.
        held_out: Samples that are not trained on.
        rows: As what samples are compared with each other.
    """
    order = torch.randperm(count, generator=stream(seed, "specimens")).numpy()
    gallery = torch.cat([rows(read(part)) for part in np.array_split(order[:GALLERY], -(-min(count, GALLERY) // 256))])
    return Specimens(train=read(order[:LOOKED_AT]), held_out=held_out, gallery=gallery, rows=rows)
