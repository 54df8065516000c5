"""A table that grows by rows, in slabs of a fixed size, in memory or on the disk.

Slabs have the same borders whatever batches the rows came in, so that sums over them round in one way only.
"""

import errno
import os
import tempfile
from collections.abc import Iterator
from math import prod

import numpy as np
import torch
from torch import Tensor

from ganvas.core.errors import UserError

SLAB_BYTES = 16 << 20


class RowTable:
    """Rows of one shape and type, appended and read in order."""

    def __init__(self) -> None:
        self._slabs: list[Tensor] = []
        self._size = 0
        self.count = 0

    @property
    def nbytes(self) -> int:
        """Bytes held, in memory or on the disk."""
        return sum(slab.nbytes for slab in self._slabs)

    def append(self, rows: Tensor, *, on_disk: bool = False) -> None:
        """Adds rows at the end. A new slab is an unnamed temporary file when ``on_disk``, else memory."""
        if not self._slabs:
            self._size = max(1, SLAB_BYTES // max(1, rows[:1].nbytes)) if len(rows) else 0
        done = 0
        while done < len(rows):
            filled = self.count % self._size
            if filled == 0:
                self._slabs.append(_empty((self._size, *rows.shape[1:]), rows.dtype, on_disk=on_disk))
            part = rows[done : done + self._size - filled]
            self._slabs[-1][filled : filled + len(part)] = part
            done += len(part)
            self.count += len(part)

    def slabs(self) -> Iterator[Tensor]:
        """The rows in order, a slab at a time, not copied."""
        left = self.count
        for slab in self._slabs:
            yield slab[: min(left, self._size)]
            left -= self._size

    def take(self, places: Tensor) -> Tensor:
        """The rows of these places, in their order, as one new tensor."""
        size = max(1, self._size)
        out = torch.empty(len(places), *self._slabs[0].shape[1:], dtype=self._slabs[0].dtype)
        slab_of = places // size
        if bool((slab_of[1:] >= slab_of[:-1]).all()):  # Slab after slab: each row is copied once.
            numbers, counts = slab_of.unique_consecutive(return_counts=True)
            parts = zip(numbers.tolist(), places.split(counts.tolist()), out.split(counts.tolist()), strict=True)
            for number, wanted, into in parts:
                torch.index_select(self._slabs[number], 0, wanted - number * size, out=into)
            return out
        for number in slab_of.unique().tolist():
            here = slab_of == number
            out[here] = self._slabs[number][places[here] - number * size]
        return out

    def all_equal(self) -> bool:
        """Whether all rows are one; read as far as the first part with one that is not."""
        first = next(self.slabs())[:1]
        parts = (part for slab in self.slabs() for part in slab.split(64))
        return all(bool((part == first).all()) for part in parts)

    def all(self) -> Tensor:
        """All rows as one new tensor."""
        return torch.cat(list(self.slabs())) if self._slabs else torch.empty(0)


def _empty(shape: tuple[int, ...], dtype: torch.dtype, *, on_disk: bool) -> Tensor:
    if not on_disk:
        return torch.empty(shape, dtype=dtype)
    size = prod(shape) * dtype.itemsize
    with tempfile.TemporaryFile(prefix="ganvas-") as file:  # The map outlives the closed and unnamed file.
        _reserve(file.fileno(), size)
        bytes_on_disk = np.memmap(file, dtype=np.uint8, mode="w+", shape=(size,))
    return torch.from_numpy(bytes_on_disk).view(dtype).view(shape)


def _reserve(handle: int, size: int) -> None:
    """Takes the room at once: writing to a map of a disk that has filled up would end the process without a word."""
    if not hasattr(os, "posix_fallocate"):
        return
    try:
        os.posix_fallocate(handle, 0, size)
    except OSError as error:
        if error.errno != errno.ENOSPC:
            return  # A file system that cannot reserve.
        raise UserError(
            f"The disk of temporary files ({tempfile.gettempdir()}) is full, and {size / 1e6:.0f} MB of rows are to be "
            "kept there. Free some space, or name another folder in the environment variable TMPDIR."
        ) from None
