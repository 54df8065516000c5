"""A folder of columns with one row per sample: arrays of any dtype and row shape, read row by row.

::

    manifest.json   format, version, kind, count, columns (dtype, row shape and SHA-256 of each), fingerprint, and more
    NAME.npy        one file per column: its header is padded to 128 bytes, so that row i begins at 128 + i * row bytes

The columns are plain NumPy files: ``numpy.load(folder / "points.npy", mmap_mode="r")`` reads them anywhere. What the
columns of a kind of sample are called, the wing of that kind says; :mod:`ganvas.data.packed` is the one of pictures.
"""

import hashlib
import itertools
import json
import os
import re
import threading
import weakref
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int
from numpy.lib import format as npy_format

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json

FORMAT, VERSION = "ganvas-pack", 2
MANIFEST = "manifest.json"
HEADER_BYTES = 128  # Of every column: a .npy header padded so that the count can be written last.
AGAIN = "Pack the source again."


@dataclass(frozen=True, kw_only=True)
class Column:
    """One array of a store."""

    name: str
    dtype: np.dtype
    row_shape: tuple[int, ...]  # Of one row; () where a row is one number.
    sha256: str  # Of the rows, without the header.

    @property
    def row_bytes(self) -> int:
        return self.dtype.itemsize * int(np.prod(self.row_shape, dtype=np.int64))

    def header(self, count: int) -> bytes:
        """The first bytes of the file of ``count`` rows."""
        return npy_header((count, *self.row_shape), self.dtype)


class Store:
    """A folder of columns, open for reading. Safe to share between threads, and between processes after a fork."""

    def __init__(self, folder: Path, manifest: dict[str, Any]) -> None:
        self.folder, self.manifest = folder, manifest
        self.columns: Mapping[str, Column] = _columns(folder, manifest)
        self.fingerprint: str = manifest["fingerprint"]

    @classmethod
    def open(cls, folder: Path, *, kind: str) -> "Store":
        """Opens a folder after comparing every column's size and header with the manifest.

        Args:
            folder: Where it lies.
            kind: What its samples must be: "pictures", "points".

        Raises:
            UserError: there is no store, it holds another kind of sample, or it is damaged.
        """
        store = cls(folder, _read_manifest(folder, kind))
        for column in store.columns.values():
            _check_file(store.path(column.name), column, len(store))
        return store

    def __len__(self) -> int:
        return self.manifest["count"]

    def path(self, column: str) -> Path:
        """The file of a column."""
        return self.folder / f"{column}.npy"

    def files(self) -> list[Path]:
        """The files of all columns."""
        return [self.path(name) for name in self.columns]

    def map(self, column: str) -> np.memmap:
        """All rows as a read-only memory map. Touched pages count as memory; :meth:`read` does without."""
        known = self.columns[column]
        return np.memmap(self.path(column), known.dtype, "r", HEADER_BYTES, (len(self), *known.row_shape))

    def read(self, column: str, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> np.ndarray:
        """Rows by index, in the order asked, read from the file and not kept: memory is only what is returned."""
        known = self.columns[column]
        rows = np.arange(len(self))[indices] if isinstance(indices, slice) else np.asarray(indices, np.int64)
        if rows.size and (rows.min() < 0 or rows.max() >= len(self)):
            raise IndexError(f"rows {rows.min()}..{rows.max()} are asked of {len(self)} rows")
        out = np.empty((len(rows), *known.row_shape), known.dtype)
        flat = out.reshape(-1).view(np.uint8).reshape(len(rows), known.row_bytes)
        for start, stop in _runs(rows):
            self._read_at(column, flat[start:stop], HEADER_BYTES + int(rows[start]) * known.row_bytes)
        return out

    def verify(self) -> None:
        """Reads everything and compares it with the hashes of the manifest.

        Raises:
            UserError: a byte changed since it was written.
        """
        for column in self.columns.values():
            if _hash_after_header(self.path(column.name)) != column.sha256:
                raise UserError(
                    f"{self.folder} is damaged: the bytes of {column.name}.npy do not match its fingerprint. {AGAIN}"
                )

    def __getstate__(self) -> dict[str, Any]:
        """Worker processes get the folder, not the open files."""
        return {"folder": self.folder, "manifest": self.manifest}

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__.update(Store(state["folder"], state["manifest"]).__dict__)

    @cached_property
    def _files(self) -> dict[str, "OpenFile"]:
        return {}

    def _read_at(self, column: str, into: np.ndarray, offset: int) -> None:
        file = self._files.get(column)
        if file is None:
            file = self._files.setdefault(column, OpenFile(self.path(column)))
        if not file.fill(into.reshape(-1).data, offset):
            raise UserError(f"{self.path(column)} is cut short. {AGAIN}")


class OpenFile:
    """Reads at an offset without moving a shared position; closes with the last reference to it."""

    def __init__(self, path: Path) -> None:
        self._handle = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
        self._moving = threading.Lock()
        weakref.finalize(self, os.close, self._handle)

    def fill(self, view: memoryview, offset: int) -> bool:
        """Reads until the view is full; False where the file ends before."""
        while view:
            got = self._read_into(view, offset)
            if not got:
                return False
            view, offset = view[got:], offset + got
        return True

    def _read_into(self, view: memoryview, offset: int) -> int:
        if hasattr(os, "preadv"):
            return os.preadv(self._handle, [view], offset)
        if hasattr(os, "pread"):  # macOS
            data = os.pread(self._handle, len(view), offset)
        else:  # Windows: whoever moves the shared position reads before anybody else moves it.
            with self._moving:
                os.lseek(self._handle, offset, os.SEEK_SET)
                data = os.read(self._handle, len(view))
        view[: len(data)] = data
        return len(data)


def kind_of(folder: Path) -> str | None:
    """The kind of sample that a store holds, "damaged" where its manifest cannot be read; None: it is no store."""
    if not (folder / MANIFEST).is_file():
        return None
    try:
        manifest = json.loads((folder / MANIFEST).read_bytes())
    except (OSError, ValueError, RecursionError):
        return "damaged" if any(folder.glob("*.npy")) else None
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        return None
    return str(manifest.get("kind", "pictures"))  # Version 1 held nothing else.


def npy_header(shape: tuple[int, ...], dtype: np.dtype) -> bytes:
    """The header of a ``.npy`` of that shape, padded with spaces to the fixed length of a store's columns."""
    described = repr({"descr": dtype.str, "fortran_order": False, "shape": shape})
    length = HEADER_BYTES - npy_format.MAGIC_LEN - 2
    assert len(described) < length
    return npy_format.magic(1, 0) + length.to_bytes(2, "little") + described.ljust(length - 1).encode() + b"\n"


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


def _read_manifest(folder: Path, kind: str) -> dict[str, Any]:
    missing = f"{folder} is not a packed folder: "
    if not folder.is_dir():
        raise UserError(f"{missing}there is no such folder. `ganvas data pack` makes one.")
    if not (folder / MANIFEST).exists():
        raise UserError(f"{missing}it has no {MANIFEST}. `ganvas data pack` makes one.")
    manifest = read_json(folder / MANIFEST)
    if not isinstance(manifest, dict) or manifest.get("format") != FORMAT:
        raise UserError(f"{missing}its {MANIFEST} is something else's.")
    if manifest.get("version") != VERSION:
        raise UserError(
            f"{folder} was packed in version {manifest.get('version')} of the form, and this Ganvas reads {VERSION}. "
            f"{AGAIN}"
        )
    if manifest.get("kind") != kind:
        raise UserError(f"{folder} holds {manifest.get('kind')}, and {kind} are wanted. Name a source of {kind}.")
    return manifest


def _columns(folder: Path, manifest: dict[str, Any]) -> dict[str, Column]:
    """The columns that a manifest lists, with every type checked."""
    count, listed = manifest.get("count"), manifest.get("columns")
    if type(count) is not int or count < 1:
        raise _damaged(folder, "count")
    if not isinstance(listed, dict) or not listed or not isinstance(manifest.get("fingerprint"), str):
        raise _damaged(folder, "columns" if isinstance(manifest.get("fingerprint"), str) else "fingerprint")
    return {name: _column(folder, name, described) for name, described in listed.items()}


def _column(folder: Path, name: str, described: object) -> Column:
    match described:
        case {"dtype": str(dtype), "row_shape": list(shape), "sha256": str(sha256)}:
            sizes = all(type(side) is int and side > 0 for side in shape) and len(shape) < 8
            if sizes and re.fullmatch(r"[a-z][a-z0-9_]*", name) and re.fullmatch(r"[<|][biuf][1248]", dtype):
                return Column(name=name, dtype=np.dtype(dtype), row_shape=tuple(shape), sha256=sha256)
    raise _damaged(folder, f"the column {name}")


def _damaged(folder: Path, what: str) -> UserError:
    return UserError(f"{folder / MANIFEST} is damaged ({what}). {AGAIN}")


def _check_file(path: Path, column: Column, count: int) -> None:
    expected = HEADER_BYTES + count * column.row_bytes
    found = path.stat().st_size if path.is_file() else None
    if found != expected:
        state = "is missing" if found is None else f"has {found:,} bytes and should have {expected:,}"
        raise UserError(f"{path} {state}: the pack is damaged. {AGAIN}")
    with path.open("rb") as file:
        if file.read(HEADER_BYTES) != column.header(count):
            raise UserError(f"{path} begins otherwise than its manifest says: the pack is damaged. {AGAIN}")
