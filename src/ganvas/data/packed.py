"""Packed pictures: a store whose rows are pictures, with labels and masks where there are some.

::

    manifest.json   as of every store, with class and mask names, source, settings and what was done to the pictures
    images.npy      uint8, count x height x width x channels
    labels.npy      int64, count                       (only with labels)
    masks.npy       uint8, count x height x width      (only with masks)
    names.json      the picture each row came from     (only from files)
"""

from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.data.colour import Pictures
from ganvas.data.packed_store import PackedStore, are_texts
from ganvas.data.sources.picture_source import Block, PictureArray, hash_of
from ganvas.data.store import AGAIN, Column, Store, kind_of

KIND = "pictures"
IMAGES, LABELS, MASKS = "images", "labels", "masks"


class Packed(PackedStore):
    """A packed folder, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.height, self.width, self.channels = store.columns[IMAGES].row_shape
        self.class_names: tuple[str, ...] = tuple(self.manifest["class_names"])
        self.mask_names: tuple[str, ...] = tuple(self.manifest["mask_names"])
        self.labels = _labels(store, len(self.class_names))

    def __reduce__(self) -> tuple[Any, ...]:
        """Worker processes get the folder, not what was read from it."""
        return Packed, (self.store,)

    @cached_property
    def images(self) -> np.memmap:
        """All pictures as a read-only memory map. Touched pages count as memory; :meth:`read` does without."""
        return self.store.map(IMAGES)

    @cached_property
    def masks(self) -> np.memmap | None:
        """The class of every pixel as a read-only memory map, or None."""
        return self.store.map(MASKS) if MASKS in self.store.columns else None

    @cached_property
    def names(self) -> list[str] | None:
        """The file that each row came from, or None when the source had no files.

        Raises:
            UserError: the list is damaged.
        """
        return self._row_names("picture")

    @property
    def treated(self) -> tuple[str, ...]:
        """What was done to pictures before they were written: see :func:`ganvas.data.conversion.treatment`."""
        return tuple(self.manifest["treated"])

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> Pictures:
        """Rows by index, in the order asked, read from the file and not kept: memory is only what is returned."""
        return self.store.read(IMAGES, indices)

    def content(self) -> str:
        """The fingerprint of pixels, labels and masks."""
        return picture_fingerprint(len(self), self.store.columns)

    @staticmethod
    def damage(store: Store) -> str | None:
        """What is wrong with the columns of pictures, or with what is read from the manifest of them."""
        images = store.columns.get(IMAGES)
        bytes_of_pictures = images is not None and images.dtype == np.uint8 and len(images.row_shape) == 3
        if images is None or not bytes_of_pictures or images.row_shape[2] not in (1, 3, 4):
            return "images are bytes of height x width x 1, 3 or 4 channels"
        wanted = {LABELS: (np.dtype("<i8"), ()), MASKS: (np.dtype("u1"), images.row_shape[:2])}
        for name, column in store.columns.items():
            if name != IMAGES and wanted.get(name) != (column.dtype, column.row_shape):
                return f"{name} is not a column of pictures"
        for name in ("class_names", "mask_names", "treated"):
            if not are_texts(store.manifest.get(name)):
                return name
        broken = store.manifest.get("broken")
        if not isinstance(broken, list) or not all(are_texts(pair) and len(pair) == 2 for pair in broken):
            return "broken"
        return None


class PackedRows(PictureArray):
    """A packed folder as a source, to be packed again at another size."""

    kind = "packed"

    def __init__(self, path: Path, *, location: str) -> None:
        self.location, self.pack = location, Packed.open(path)
        self.count = self.total = len(self.pack)
        self.height, self.width, self.channels = self.pack.height, self.pack.width, self.pack.channels
        self.labelled = self.pack.labels is not None
        self.class_names, self.mask_names = self.pack.class_names, self.pack.mask_names
        self.treated = self.pack.treated

    def blocks(self, rows: int) -> Iterator[Block]:
        labels, masks = self.pack.labels, self.pack.masks
        for start in range(0, self.count, rows):
            part = slice(start, min(start + rows, self.count))
            yield Block(
                images=self.pack.read(part),
                labels=None if labels is None else labels[part],
                masks=None if masks is None else np.array(masks[part]),
            )

    def known_labels(self) -> Int[np.ndarray, " n"] | None:
        return self.pack.labels

    def identity(self) -> str:
        """Also with what the fingerprint is not of: equal pixels may have other class names."""
        names = (self.class_names, self.mask_names, self.treated)
        return f"packed:{hash_of(self.pack.fingerprint, *names)}"


def is_packed(folder: Path) -> bool:
    """Whether a folder looks like packed pictures (they may still be damaged)."""
    return kind_of(folder) in (KIND, "damaged")


def picture_fingerprint(count: int, columns: Mapping[str, Column]) -> str:
    """``sha256:`` of shape, pixels, labels and masks. Names, times and places are no part of it."""
    shape = [count, *columns[IMAGES].row_shape]
    pixels, labels, masks = (columns[name].sha256 if name in columns else None for name in (IMAGES, LABELS, MASKS))
    return "sha256:" + hash_of(shape, pixels, labels, masks)


def _labels(store: Store, classes: int) -> Int[np.ndarray, " n"] | None:
    if LABELS not in store.columns:
        return None
    labels = store.read(LABELS, slice(None))
    if labels.min() < 0 or labels.max() >= classes:
        raise UserError(
            f"{store.path(LABELS)} has labels from {labels.min()} to {labels.max()} for {classes} classes: the pack is "
            f"damaged. {AGAIN}"
        )
    return labels
