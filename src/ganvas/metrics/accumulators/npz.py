"""Arrays in a ``.npz``, written and read a slab at a time, so that a table of any length passes through little memory.

Nothing is unpickled. A member whose header does not agree with its length is damage, told before memory is taken.
"""

import zipfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.lib import format as npy_format

from ganvas.core.errors import UserError
from ganvas.data.sources.damage import DAMAGE, explain_damage
from ganvas.metrics.accumulators.row_table import RowTable

SLAB_BYTES = 16 << 20
LARGEST_WHOLE_BYTES = 2 << 30  # A covariance of 16,384 features.


@dataclass(frozen=True, kw_only=True)
class Streamed:
    """An array that comes in slabs along its first side."""

    shape: tuple[int, ...]
    dtype: np.dtype
    slabs: Iterable[np.ndarray]


@dataclass(frozen=True, kw_only=True)
class Header:
    """What a member says of itself."""

    shape: tuple[int, ...]
    dtype: np.dtype
    columns: bool = False  # Whether it is stored column by column.

    def __str__(self) -> str:
        return f"{self.dtype}{list(self.shape)}"


def write(path: Path, members: Mapping[str, np.ndarray | Streamed]) -> None:
    """Writes a ``.npz`` that ``numpy.load`` reads; stored, not compressed, as features do not compress."""
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for name, member in members.items():
            if isinstance(member, np.ndarray):
                whole = np.asarray(member, order="C")
                member = Streamed(shape=whole.shape, dtype=whole.dtype, slabs=[whole])
            with archive.open(f"{name}.npy", "w", force_zip64=True) as file:
                _write_header(file, member)
                for slab in member.slabs:
                    file.write(np.ascontiguousarray(slab).reshape(-1).view(np.uint8).data if slab.size else b"")


class Npz:
    """A ``.npz``, open to be asked what is in it."""

    def __init__(self, path: Path) -> None:
        """Raises:
        UserError: it is no whole ``.npz``, or holds pickled objects.
        """
        self.path = path
        with explain_damage(str(path)), zipfile.ZipFile(path) as archive:
            listed = [one for one in archive.infolist() if one.filename.endswith(".npy")]
            self._sizes = {one.filename.removesuffix(".npy"): one.file_size for one in listed}
            self.headers: dict[str, Header] = {}
            for name in self._sizes:
                with archive.open(f"{name}.npy") as file:
                    self.headers[name] = self._header(file, name)

    def __contains__(self, name: str) -> bool:
        return name in self.headers

    def listed(self) -> str:
        """What is there, for a message: ``mu float64[2048], sigma float64[2048, 2048]``."""
        return ", ".join(f"{name} {header}" for name, header in self.headers.items()) or "nothing"

    def array(self, name: str) -> np.ndarray:
        """A whole member."""
        header = self._known(name)
        if prod(header.shape) * header.dtype.itemsize > LARGEST_WHOLE_BYTES:
            raise UserError(
                f"{self.path}: its array '{name}' is {header}, larger than any mean or covariance. Make it again."
            )
        whole = np.empty(header.shape, header.dtype)
        flat, done = whole.reshape(-1), 0
        for slab in self.slabs(name):
            part = slab.reshape(-1)
            flat[done : done + part.size] = part
            done += part.size
        return flat.reshape(header.shape, order="F") if header.columns else whole

    def slabs(self, name: str) -> Iterator[np.ndarray]:
        """A member in the order in which it is stored, some rows at a time; its end checks the archive's checksum."""
        header = self._known(name)
        if not header.shape:
            header = Header(shape=(1,), dtype=header.dtype)
        row_shape = header.shape[1:]
        row_bytes = prod(row_shape) * header.dtype.itemsize
        rows = max(1, SLAB_BYTES // max(1, row_bytes))
        with self._opened(name) as file:
            self._header(file, name)
            for start in range(0, header.shape[0], rows):
                count = min(rows, header.shape[0] - start)
                data = _exactly(file, count * row_bytes)
                yield np.frombuffer(data, header.dtype).reshape(count, *row_shape)

    def _known(self, name: str) -> Header:
        if name not in self.headers:
            raise UserError(
                f"{self.path} is damaged: the array '{name}' should be in it, and there are {self.listed()}. Make or "
                "download it again."
            )
        return self.headers[name]

    @contextmanager
    def _opened(self, name: str) -> Iterator[Any]:
        with explain_damage(str(self.path)), zipfile.ZipFile(self.path) as archive, archive.open(f"{name}.npy") as file:
            yield file

    def _header(self, file: Any, name: str) -> Header:
        try:
            version = npy_format.read_magic(file)
            read = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
            shape, fortran, dtype = read(file)
        except DAMAGE:
            raise
        except Exception as error:  # The header is text that Python parses: damage fails at many places there.
            reason = " ".join(str(error).split())[:80] or type(error).__name__
            raise UserError(
                f"{self.path}: its array '{name}' is damaged ({reason}). Make or download it again."
            ) from None
        if dtype.hasobject:
            raise UserError(
                f"{self.path}: its array '{name}' holds pickled Python objects, which can run any program when they "
                "are read. They are not read here. Save plain numbers: numpy.savez(path, mu=mu, sigma=sigma)."
            )
        if min(shape, default=0) < 0 or file.tell() + prod(shape) * dtype.itemsize != self._sizes[name]:
            raise UserError(f"{self.path}: its array '{name}' has not the length that it says. Make it again.")
        return Header(shape=tuple(shape), dtype=dtype, columns=fortran and len(shape) > 1)


def tables(given: Mapping[str, RowTable]) -> dict[str, Streamed]:
    """Tables of an accumulator as members ``table.<name>``; empty ones are left out."""
    found = {}
    for name, table in given.items():
        if table.count:
            first = next(table.slabs())
            found[f"table.{name}"] = Streamed(
                shape=(table.count, *first.shape[1:]),
                dtype=first[:0].numpy().dtype,
                slabs=(slab.numpy() for slab in table.slabs()),
            )
    return found


def _write_header(file: Any, member: Streamed) -> None:
    described: dict[str, Any] = {
        "descr": npy_format.dtype_to_descr(member.dtype),
        "fortran_order": False,
        "shape": member.shape,
    }
    npy_format.write_array_header_1_0(file, described)


def _exactly(file: Any, count: int) -> bytearray:
    whole = bytearray(count)
    view, done = memoryview(whole), 0
    while done < count:
        got = file.read(min(1 << 20, count - done))
        if not got:
            raise EOFError("it ends too early")
        view[done : done + len(got)] = got
        done += len(got)
    return whole
