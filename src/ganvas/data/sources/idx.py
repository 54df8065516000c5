"""The IDX files of MNIST and its relatives: ``train-images-idx3-ubyte.gz`` and its labels, alone or in a folder.

A header of big-endian numbers (two zero bytes, the type 8 for unsigned bytes, the number of dimensions, one 32-bit
length for each), then the bytes. Names of the classes may stand in a ``classes.txt`` beside them, one per line.
"""

import gzip
import math
import struct
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.sources.arrays import read_fully
from ganvas.data.sources.damage import DAMAGE, explain_damage, refuse_huge_row
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.picture_source import Block, PictureArray, Readable, hash_of

_UNSIGNED_BYTE = 8
CLASSES = "classes.txt"


class Idx(PictureArray):
    """Pictures of one or several IDX files, training set first, with their labels where those are found.

    ``selected`` keeps the files whose name begins with it: ``train``, or ``t10k`` (``test`` is taken as that).
    """

    kind = "idx"

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        self.location = location
        self._files = _pictures_in(path, location, selected) if path.is_dir() else [path]
        shapes = [self._shape(file) for file in self._files]
        if len({shape[1:] for shape in shapes}) > 1:
            raise UserError(f"{location} holds pictures of several sizes. Choose some by name, as {location}::train.")
        self._counts = [shape[0] for shape in shapes]
        self.count = sum(self._counts)
        self.height, self.width, self.channels = (*shapes[0][1:], 1)[:3]
        self.total = self.count
        self._labels_files = [_labels_of(file) for file in self._files]
        self.labelled = all(file is not None for file in self._labels_files)
        self._labels = self._read_labels() if self.labelled else None
        if self._labels is not None:
            self.class_names = _class_names(self._files[0].parent, self._labels)

    def blocks(self, rows: int) -> Iterator[Block]:
        done = 0
        for path, count in zip(self._files, self._counts, strict=True):
            with explain_damage(self._name(path)), _opened(path) as file:
                read_header(file, self._name(path))
                for start in range(0, count, rows):
                    n = min(rows, count - start)
                    flat = np.empty(n * self.height * self.width * self.channels, np.uint8)
                    read_fully(file, flat, self._name(path))
                    labels = self._labels[done : done + n] if self._labels is not None else None
                    yield Block(images=flat.reshape(n, self.height, self.width, self.channels), labels=labels)
                    done += n
                if file.read(1):
                    raise UserError(f"{self._name(path)} holds more than its header says: it is damaged.")

    def known_labels(self) -> Int[np.ndarray, " n"] | None:
        return self._labels

    def identity(self) -> str:
        files = [*self._files, *(file for file in self._labels_files if file)]
        return "idx:" + hash_of([[file.name, content_hash(file)] for file in files], self.class_names)

    def _name(self, path: Path) -> str:
        return self.location if path.name in self.location else f"{self.location}/{path.name}"

    def _shape(self, path: Path) -> tuple[int, ...]:
        with explain_damage(self._name(path)), _opened(path) as file:
            shape = read_header(file, self._name(path))
        if len(shape) == 1:
            raise UserError(f"{self._name(path)} holds labels, not pictures. Name the images file or their folder.")
        if len(shape) not in (3, 4) or 0 in shape or (len(shape) == 4 and shape[3] not in (1, 3, 4)):
            raise UserError(f"{self._name(path)} has the shape {list(shape)}; pictures are N x H x W or N x H x W x C.")
        refuse_huge_row(math.prod(shape[1:]), self._name(path))
        return shape

    def _read_labels(self) -> np.ndarray:
        parts = []
        for path, count in zip(self._labels_files, self._counts, strict=True):
            assert path is not None
            with explain_damage(self._name(path)), _opened(path) as file:
                shape = read_header(file, self._name(path))
                if shape != (count,):
                    raise UserError(
                        f"{self._name(path)} has {math.prod(shape)} labels for {count} pictures: the two do not belong "
                        "together. Fetch both again."
                    )
                flat = np.empty(count, np.uint8)
                read_fully(file, flat, self._name(path))
            parts.append(flat.astype(np.int64))
        return np.concatenate(parts)


def read_header(file: Readable, location: str) -> tuple[int, ...]:
    """The lengths of the dimensions; leaves the file at its first byte of data."""
    start = file.read(4)
    if len(start) < 4 or start[:2] != b"\0\0":
        raise UserError(f"{location} is not an IDX file. Fetch it again.")
    if start[2] != _UNSIGNED_BYTE:
        raise UserError(f"{location} holds numbers of IDX type {start[2]}; pictures are unsigned bytes (type 8).")
    lengths = file.read(4 * start[3])
    if len(lengths) < 4 * start[3]:
        raise UserError(f"{location} is cut short. Fetch it again.")
    return struct.unpack(f">{start[3]}I", lengths)


def is_idx(path: Path) -> bool:
    """Whether a single file is named like one and begins like one."""
    if "idx" not in path.name:
        return False
    try:
        with _opened(path) as file:
            start = file.read(4)
    except DAMAGE:
        return True  # A damaged one: named as such when it is opened.
    return start[:2] == b"\0\0" or path.name.removesuffix(".gz").endswith("ubyte")


def holds_idx(folder: Path) -> bool:
    """Whether a folder has IDX pictures in it."""
    return any(_is_images(path.name) for path in folder.iterdir())


def _is_images(name: str) -> bool:
    plain = name.lower().removesuffix(".gz").replace(".", "-")
    return plain.endswith(("idx3-ubyte", "idx4-ubyte")) and not name.startswith(".")


def _pictures_in(folder: Path, location: str, selected: str) -> list[Path]:
    named: dict[str, Path] = {}
    for path in sorted(folder.iterdir()):  # The unpacked file comes first and is preferred to its .gz.
        if _is_images(path.name):
            named.setdefault(path.name.lower().removesuffix(".gz").replace(".", "-"), path)
    start = "t10k" if selected == "test" and any(name.startswith("t10k") for name in named) else selected
    kept = [path for name, path in named.items() if name.startswith(start)]
    if not kept:
        raise UserError(f"{location} has no pictures named '{selected}...'. There are: {', '.join(named)}.")
    return sorted(kept, key=lambda path: (not path.name.startswith("train"), path.name))


def _labels_of(images: Path) -> Path | None:
    name = images.name.replace("images", "labels").replace("idx3", "idx1").replace("idx4", "idx1")
    candidates = [images.with_name(name), images.with_name(name.removesuffix(".gz")), images.with_name(name + ".gz")]
    return next((path for path in candidates if path.exists() and path != images), None)


def _class_names(folder: Path, values: np.ndarray) -> tuple[str, ...]:
    try:
        names = (folder / CLASSES).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return numbered_classes(values)
    return tuple(names) if len(names) > int(values.max()) else numbered_classes(values)


def _opened(path: Path) -> AbstractContextManager[Readable]:
    with path.open("rb") as file:
        packed = file.read(2) == b"\x1f\x8b"
    return gzip.open(path) if packed else path.open("rb")
