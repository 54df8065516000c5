"""The packed form: one folder with one array of bytes, which training reads row by row.

::

    manifest.json   format, version, count, height, width, channels, class and mask names, fingerprint, source, settings
    images.npy      uint8, count x height x width x channels
    labels.npy      int64, count                       (only with labels)
    masks.npy       uint8, count x height x width      (only with masks)
    names.json      the picture each row came from     (only from files)

The arrays are plain NumPy files: ``numpy.load(folder / "images.npy", mmap_mode="r")`` reads them anywhere.
"""

import hashlib
import itertools
import json
import os
import weakref
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy.lib import format as npy_format

from ganvas.core.atomic_files import read_json
from ganvas.core.errors import UserError
from ganvas.data.colour import Pictures
from ganvas.data.sources.picture_source import Block, PictureArray, hash_of

FORMAT, VERSION = "ganvas-pack", 1
MANIFEST, IMAGES, LABELS, MASKS, NAMES = "manifest.json", "images.npy", "labels.npy", "masks.npy", "names.json"
HEADER_BYTES = 128  # Of images.npy and masks.npy: a .npy header padded so that the count can be written last.


class Packed:
    """A packed folder, open for reading. Safe to share between threads, and between processes after a fork."""

    def __init__(self, folder: Path, manifest: dict[str, Any], labels: Int[np.ndarray, " n"] | None) -> None:
        self.folder, self.manifest, self.labels = folder, manifest, labels
        self.height: int = manifest["height"]
        self.width: int = manifest["width"]
        self.channels: int = manifest["channels"]
        self.class_names: tuple[str, ...] = tuple(manifest["class_names"])
        self.mask_names: tuple[str, ...] = tuple(manifest["mask_names"])
        self.fingerprint: str = manifest["fingerprint"]
        self._row_bytes = self.height * self.width * self.channels

    @classmethod
    def open(cls, folder: Path) -> "Packed":
        """Opens a packed folder after checking that every file has the size that the manifest says.

        Raises:
            UserError: there is no packed folder, or it is damaged.
        """
        manifest = _read_manifest(folder)
        count, height, width = manifest["count"], manifest["height"], manifest["width"]
        _check_size(folder / IMAGES, HEADER_BYTES + count * height * width * manifest["channels"])
        if manifest["masks"]:
            _check_size(folder / MASKS, HEADER_BYTES + count * height * width)
        return cls(folder, manifest, _read_labels(folder, count) if manifest["labels"] else None)

    def __len__(self) -> int:
        return self.manifest["count"]

    @cached_property
    def images(self) -> np.memmap:
        """All pictures as a read-only memory map. Touched pages count as memory; :meth:`read` does without."""
        shape = (len(self), self.height, self.width, self.channels)
        return np.memmap(self.folder / IMAGES, np.uint8, "r", HEADER_BYTES, shape)

    @cached_property
    def masks(self) -> np.memmap | None:
        """The class of every pixel as a read-only memory map, or None."""
        if not self.manifest["masks"]:
            return None
        shape = (len(self), self.height, self.width)
        return np.memmap(self.folder / MASKS, np.uint8, "r", HEADER_BYTES, shape)

    @cached_property
    def names(self) -> list[str] | None:
        """The file that each row came from, or None when the source had no files."""
        path = self.folder / NAMES
        return read_json(path) if path.exists() else None

    @property
    def treated(self) -> tuple[str, ...]:
        """What was done to pictures before they were written: see :func:`ganvas.data.conversion.treatment`."""
        return tuple(self.manifest.get("treated", self.manifest.get("resampling", ())))

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> Pictures:
        """Rows by index, in the order asked, read from the file and not kept: memory is only what is returned."""
        rows = np.arange(len(self))[indices] if isinstance(indices, slice) else np.asarray(indices, np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows {rows.min()}..{rows.max()} are asked of a pack of {len(self)} pictures")
        out = np.empty((len(rows), self.height, self.width, self.channels), np.uint8)
        flat = out.reshape(len(rows), self._row_bytes)
        for start, stop in _runs(rows):
            self._read_at(flat[start:stop], HEADER_BYTES + int(rows[start]) * self._row_bytes)
        return out

    def verify(self) -> None:
        """Reads everything and compares it with the fingerprint.

        Raises:
            UserError: a byte changed since packing.
        """
        if fingerprint(self.folder, self.manifest, self.labels) != self.fingerprint:
            raise UserError(
                f"{self.folder} is damaged: its pixels do not match its fingerprint. Pack the source again."
            )

    def __getstate__(self) -> dict[str, Any]:
        """Worker processes get the folder, not the open file."""
        kept = ("folder", "manifest", "labels")
        return {name: self.__dict__[name] for name in kept}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__init__(**state)  # type: ignore[misc]

    @cached_property
    def _file(self) -> "_OpenFile":
        return _OpenFile(self.folder / IMAGES)

    def _read_at(self, into: np.ndarray, offset: int) -> None:
        view = into.reshape(-1).data
        while view:
            got = self._file.read_into(view, offset)
            if not got:
                raise UserError(f"{self.folder / IMAGES} is cut short. Pack the source again.")
            view, offset = view[got:], offset + got


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
        return f"packed:{self.pack.fingerprint}"


class _OpenFile:
    """Reads at an offset without moving a shared position; closes with the last reference to it."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        weakref.finalize(self, os.close, self._handle)

    def read_into(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._handle, [view], offset)
        data = os.pread(self._handle, len(view), offset)
        view[: len(data)] = data
        return len(data)


def is_packed(folder: Path) -> bool:
    """Whether a folder looks like a packed one (it may still be damaged)."""
    try:
        return json.loads((folder / MANIFEST).read_bytes()).get("format") == FORMAT
    except (OSError, ValueError, AttributeError):
        return (folder / MANIFEST).exists() and (folder / IMAGES).exists()


def fingerprint(folder: Path, manifest: dict[str, Any], labels: np.ndarray | None) -> str:
    """``sha256:`` of shape, pixels, labels and masks, computed from the files."""
    pixels = _hash_after_header(folder / IMAGES)
    masks = _hash_after_header(folder / MASKS) if manifest["masks"] else None
    shape = [manifest[side] for side in ("count", "height", "width", "channels")]
    return combined_fingerprint(shape, pixels=pixels, masks=masks, labels=labels)


def combined_fingerprint(
    shape: Sequence[int], *, pixels: str, masks: str | None, labels: Int[np.ndarray, " n"] | None
) -> str:
    """The fingerprint from the hashes of its parts. Names, times and places are no part of it."""
    labels_hash = None if labels is None else hashlib.sha256(labels.astype("<i8").tobytes()).hexdigest()
    return "sha256:" + hash_of(list(shape), pixels, labels_hash, masks)


def _hash_after_header(path: Path) -> str:
    with path.open("rb") as file:
        file.seek(HEADER_BYTES)
        digest = hashlib.sha256()
        while block := file.read(1 << 22):
            digest.update(block)
    return digest.hexdigest()


def _runs(rows: np.ndarray) -> Iterator[tuple[int, int]]:
    """Stretches of consecutive rows, each of which is one read."""
    breaks = np.flatnonzero(np.diff(rows) != 1) + 1
    edges = [0, *breaks.tolist(), len(rows)]
    return ((start, stop) for start, stop in itertools.pairwise(edges) if stop > start)


def _read_manifest(folder: Path) -> dict[str, Any]:
    if not folder.is_dir():
        raise UserError(f"{folder} is not a packed folder: there is no such folder. `ganvas data pack` makes one.")
    if not (folder / MANIFEST).exists():
        raise UserError(f"{folder} is not a packed folder: it has no {MANIFEST}. `ganvas data pack` makes one.")
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{folder} is not a packed folder: its {MANIFEST} is something else's.")
    if manifest.get("version") != VERSION:
        raise UserError(
            f"{folder} was packed in version {manifest.get('version')} of the form, and this Ganvas reads "
            f"{VERSION}. Pack the source again."
        )
    kinds = {"count": int, "height": int, "width": int, "channels": int, "labels": bool, "masks": bool}
    kinds |= {"class_names": list, "mask_names": list, "fingerprint": str}
    wrong = next((name for name, kind in kinds.items() if not isinstance(manifest.get(name), kind)), None)
    if (
        wrong
        or min(manifest[name] for name in ("count", "height", "width")) < 1
        or manifest["channels"] not in (1, 3, 4)
    ):
        raise UserError(f"{folder / MANIFEST} is damaged ({wrong or 'a size is not possible'}). Pack the source again.")
    return manifest


def _check_size(path: Path, expected: int) -> None:
    found = path.stat().st_size if path.exists() else None
    if found != expected:
        state = "is missing" if found is None else f"has {found:,} bytes and should have {expected:,}"
        raise UserError(f"{path} {state}: the pack is damaged. Pack the source again.")


def _read_labels(folder: Path, count: int) -> Int[np.ndarray, " n"]:
    path = folder / LABELS
    try:
        with path.open("rb") as file:
            labels = npy_format.read_array(file, allow_pickle=False)
    except (OSError, ValueError, EOFError):
        raise UserError(f"{path} is missing or damaged. Pack the source again.") from None
    if labels.shape != (count,) or labels.dtype != np.int64:
        raise UserError(f"{path} does not have one label per picture: the pack is damaged. Pack the source again.")
    return labels
