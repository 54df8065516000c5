"""The draw of pictures to be measured: a random order of a packed set that its length and the seed alone decide.

A run's examiner, ``ganvas measure``, ``ganvas skill`` and ``ganvas likelihood`` draw here: one seed shows all of them
the same real pictures. Sources of as many pictures are drawn at the same places, so that pairs stay pairs.
"""

from collections.abc import Iterator

import torch
from jaxtyping import Int64
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.core.shapes import Bytes
from ganvas.data.packed import Packed

BATCH = 64  # Pictures read at a time.


def order(count: int, *, seed: int) -> Int64[Tensor, " count"]:
    """The places ``0 .. count - 1`` in the order in which they are drawn."""
    return torch.randperm(count, generator=stream(seed, "measure", "order"))


def draw(
    packed: Packed, n: int, *, seed: int, batch: int = BATCH, start: int = 0, among: Int64[Tensor, " m"] | None = None
) -> Iterator[Bytes]:
    """The pictures from the ``start``-th to the ``n``-th of the order, each once, as batches uint8 (b, c, h, w).

    Args:
        among: The places that may be drawn; all where left out.
    """
    among = torch.arange(len(packed)) if among is None else among
    for places in among[order(len(among), seed=seed)][start:n].split(batch):
        yield torch.from_numpy(packed.read(places.numpy())).permute(0, 3, 1, 2)
