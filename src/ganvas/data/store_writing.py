"""Writing a store: columns of rows that come in blocks, hashed on the way, and the manifest last.

Memory is what one block takes. Blocks of zeros are skipped over, not written, so that an empty region stays a hole in
the file.
"""

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from ganvas.core.files.atomic_files import write_json
from ganvas.core.process.provenance import versions
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import FORMAT, HEADER_BYTES, MANIFEST, VERSION, Column


class StoreWriter:
    """Fills a folder with columns; the first block settles their dtypes and row shapes."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind, self.count = folder, kind, 0
        self._growing: dict[str, _GrowingColumn] = {}

    def append(self, block: Mapping[str, np.ndarray]) -> None:
        """Adds rows to every column: arrays of one length, with the same names, dtypes and row shapes every time."""
        lengths = {len(rows) for rows in block.values()}
        assert len(lengths) == 1, f"columns of one block have one length, not {lengths}"
        if not self._growing:
            self._growing = {name: _GrowingColumn(self.folder, name, rows) for name, rows in block.items()}
        assert block.keys() == self._growing.keys(), f"{sorted(block)} is not {sorted(self._growing)}"
        for name, rows in block.items():
            self._growing[name].append(rows)
        self.count += lengths.pop()

    def add_column(self, name: str, rows: np.ndarray) -> None:
        """Adds a column that is known only when all others are written."""
        assert len(rows) == self.count, f"{name} has {len(rows)} rows, and the others {self.count}"
        self._growing[name] = _GrowingColumn(self.folder, name, rows)
        self._growing[name].append(rows)

    def finish_columns(self) -> dict[str, Column]:
        """Writes the headers, now that the number of rows is known."""
        return {name: growing.finish() for name, growing in self._growing.items()}

    def write_manifest(self, columns: Mapping[str, Column], *, fingerprint: str, more: Mapping[str, Any]) -> None:
        """Writes the manifest, which makes the folder a store."""
        described = {
            name: {"dtype": column.dtype.str, "row_shape": list(column.row_shape), "sha256": column.sha256}
            for name, column in columns.items()
        }
        head = {"format": FORMAT, "version": VERSION, "kind": self.kind, "count": self.count, "columns": described}
        write_json(self.folder / MANIFEST, {**head, "fingerprint": fingerprint, **more, "versions": versions()})

    def close(self) -> None:
        """Closes the files, whether they are finished or not."""
        for growing in self._growing.values():
            growing.close()


def content_fingerprint(kind: str, count: int, columns: Mapping[str, Column]) -> str:
    """``sha256:`` of kind, count, names, dtypes, row shapes and rows. Names of files, times and places are no part."""
    content = {name: [column.dtype.str, list(column.row_shape), column.sha256] for name, column in columns.items()}
    return "sha256:" + hash_of(kind, count, content)


class _GrowingColumn:
    """A ``.npy`` whose first length is known only at the end."""

    def __init__(self, folder: Path, name: str, first: np.ndarray) -> None:
        self.name, self.dtype, self.row_shape = name, _portable(first.dtype), first.shape[1:]
        self._file: BinaryIO = (folder / f"{name}.npy").open("wb")
        self._file.seek(HEADER_BYTES)
        self._count, self._hash = 0, hashlib.sha256()

    def append(self, rows: np.ndarray) -> None:
        assert _portable(rows.dtype) == self.dtype, f"{self.name} changes from {self.dtype} to {rows.dtype}"
        assert rows.shape[1:] == self.row_shape, f"{self.name} changes from {self.row_shape} to {rows.shape[1:]}"
        flat = np.ascontiguousarray(rows, self.dtype).reshape(-1).view(np.uint8)
        self._hash.update(flat.data)
        if flat.any():
            self._file.write(flat.data)
        else:
            self._file.seek(flat.size, 1)
        self._count += len(rows)

    def finish(self) -> Column:
        """Sets the length and writes the header."""
        column = Column(name=self.name, dtype=self.dtype, row_shape=self.row_shape, sha256=self._hash.hexdigest())
        self._file.truncate(self._file.tell())
        self._file.seek(0)
        self._file.write(column.header(self._count))
        self._file.close()
        return column

    def close(self) -> None:
        self._file.close()


def _portable(dtype: np.dtype) -> np.dtype:
    """The same numbers with their low byte first, as every machine reads them."""
    return dtype.newbyteorder("<")
