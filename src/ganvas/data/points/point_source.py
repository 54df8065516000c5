"""Sources of points: mixtures that are made on the spot, and files of numbers."""

import abc
import csv
import re
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.lib import format as npy_format

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.cache import content_hash, hash_file
from ganvas.data.points.law import Marks, PointRows
from ganvas.data.points.mixtures import MIXTURES, SETTINGS, law_of
from ganvas.data.sources.damage import DAMAGE
from ganvas.data.sources.picture_source import Readable, hash_of
from ganvas.data.sources.spelled_words import told_once

COUNT = 100_000  # Of a mixture; what the papers of grid25 draw.
MOST_DIMS = 4096
BLOCK_ROWS = 1 << 14
BLOCK_BYTES = 8 << 20  # Of an array read at once: wide rows come in smaller blocks.
SEPARATOR = "::"
CODE = ("mixtures.py", "law.py", "edged_laws.py")  # Whose bytes are in the identity of a mixture.


@dataclass(frozen=True, kw_only=True)
class PointBlock:
    """Some consecutive points."""

    points: PointRows
    labels: Marks | None = None


class PointSource(abc.ABC):
    """Points in a fixed order, all of one number of dimensions."""

    kind: str  # "mixtures", "npy", "npz", "csv"
    location: str  # As the user wrote it.
    dims: int
    mixture: str | None = None  # The name of the law, where it is a known one.
    class_names: tuple[str, ...] = ()

    @abc.abstractmethod
    def blocks(self) -> Iterator[PointBlock]:
        """Every point once, in order."""

    @abc.abstractmethod
    def identity(self) -> str:
        """Changes when the points may have changed."""


class MadeMixture(PointSource):
    """A mixture of the catalogue."""

    kind = "mixtures"

    def __init__(self, spelled: str, count: int = COUNT, *, seed: int = 0) -> None:
        self.law = law_of(spelled)
        self.mixture, self.count, self.seed, self.dims = spelled, count, seed, self.law.dims
        self.location = f"mixtures:{spelled},{count}" + (f",seed={seed}" if seed else "")
        self.class_names = tuple(str(part) for part in range(self.law.parts))

    @classmethod
    def parse(cls, spec: str) -> "MadeMixture":
        """``mixtures:NAME[,SETTING=NUMBER][,COUNT][,seed=N]``, such as ``mixtures:parallel_lines,gap=0.5,5000``.

        Raises:
            UserError: there is no such mixture, or a word is not understood.
        """
        name, *words = spec.removeprefix("mixtures").removeprefix(":").split(",")
        if not name:
            listed = ", ".join(MIXTURES)
            raise UserError(f"{spec}: which mixture is not said. Write for instance mixtures:grid25. Known: {listed}.")
        law_of(name)
        setting, count, seed = "", COUNT, 0
        for word in told_once(spec, words):
            if re.fullmatch(r"0*[1-9]\d{0,11}", word):
                count = int(word)
            elif match := re.fullmatch(r"seed=(\d{1,18})", word):
                seed = int(match[1])
            elif "=" in word and name in SETTINGS:
                setting = f",{word}"
            else:
                raise UserError(
                    f"{spec}: '{word}' is not understood. A mixture is written mixtures:NAME,COUNT,seed=N, as in "
                    "mixtures:grid25,100000,seed=1; count and seed may be left out."
                )
        return cls(name + setting, count, seed=seed)

    def blocks(self) -> Iterator[PointBlock]:
        for start in range(0, self.count, BLOCK_ROWS):
            points, labels = self.law.points(np.arange(start, min(start + BLOCK_ROWS, self.count)), seed=self.seed)
            yield PointBlock(points=points, labels=labels)

    def identity(self) -> str:
        """With a hash of the code that draws."""
        code = [hash_file(Path(__file__).with_name(name)) for name in CODE]
        return "mixtures:" + hash_of(self.mixture, self.count, self.seed, code)


class PointArray(PointSource):
    """Rows of numbers in a ``.npy``, or in one array of a ``.npz``. Nothing is unpickled."""

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        self.path, self.location = path, location
        self.kind = "npz" if zipfile.is_zipfile(path) else "npy"
        if selected and self.kind == "npy":
            raise UserError(f"{location}: a .npy has one array, so that '{SEPARATOR}{selected}' selects nothing.")
        self._member = _choose(path, location, selected) if self.kind == "npz" else None
        with _opened(path, self._member, location) as file:
            shape = _checked_header(file, location)
        self.dims = shape[1] if len(shape) == 2 else 1

    def blocks(self) -> Iterator[PointBlock]:
        with _opened(self.path, self._member, self.location) as file:
            shape, _, dtype = read_header(file)
            row_bytes = self.dims * dtype.itemsize
            block = max(1, BLOCK_BYTES // row_bytes)
            for start in range(0, shape[0], block):
                rows = min(block, shape[0] - start)
                data = file.read(rows * row_bytes)
                if len(data) < rows * row_bytes:
                    raise UserError(f"{self.location} is cut short: it holds fewer points than it says. Copy it again.")
                numbers = np.frombuffer(data, dtype).reshape(rows, self.dims)
                yield PointBlock(points=_float32(numbers, self.location, start))

    def identity(self) -> str:
        return f"{self.kind}:{content_hash(self.path)}:{self._member}"


class PointTable(PointSource):
    """Rows of numbers in a ``.csv``: one point per line, with or without a line of names at the top."""

    kind = "csv"

    def __init__(self, path: Path, *, location: str) -> None:
        self.path, self.location = path, location
        first = next(self._lines(), None)
        if first is None:
            raise UserError(f"{location} holds no points. Write one point per line, its numbers apart by commas.")
        self.dims = len(first[1])

    def blocks(self) -> Iterator[PointBlock]:
        rows, start = [], 0
        for number, row in self._lines():
            if len(row) != self.dims:
                raise UserError(
                    f"{self.location}: line {number} has {len(row)} numbers, and the first point has {self.dims}. "
                    "Every line needs as many."
                )
            rows.append(row)
            if len(rows) == BLOCK_ROWS:
                yield PointBlock(points=_float32(np.array(rows), self.location, start))
                rows, start = [], start + BLOCK_ROWS
        if rows:
            yield PointBlock(points=_float32(np.array(rows), self.location, start))

    def identity(self) -> str:
        return f"csv:{content_hash(self.path)}"

    def _lines(self) -> Iterator[tuple[int, list[float]]]:
        """The number of every line that has a point, and the point."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                reader = csv.reader(file)
                for row in reader:
                    if not any(cell.strip() for cell in row) or (reader.line_num == 1 and _is_header(row)):
                        continue
                    yield reader.line_num, [self._number(cell, reader.line_num) for cell in row]
        except (UnicodeDecodeError, csv.Error) as error:
            raise UserError(f"{self.location} is not a table of text ({error}). Save it as CSV in UTF-8.") from None

    def _number(self, cell: str, line: int) -> float:
        try:
            return float(cell)
        except ValueError:
            raise UserError(
                f"{self.location}: line {line} has '{cell.strip()[:40]}' where a number is wanted. Keep columns of "
                "numbers only, apart by commas, with a point for decimals."
            ) from None


def read_header(file: Readable) -> tuple[tuple[int, ...], bool, np.dtype]:
    """Shape, whether columns come first, and dtype of an open ``.npy``.

    Raises:
        ValueError: it is none.
    """
    try:
        version = npy_format.read_magic(file)
        header = npy_format.read_array_header_1_0 if version == (1, 0) else npy_format.read_array_header_2_0
        return header(file)
    except (SyntaxError, RecursionError, EOFError, TypeError) as error:  # NumPy parses the header as Python.
        raise ValueError(str(error)) from None


def members_of_points(path: Path) -> list[str]:
    """The arrays of a ``.npz`` that hold rows of floating-point numbers."""
    return [name for name, shape, dtype in _members(path) if holds_points(shape, dtype)]


def has_pictures(path: Path) -> bool:
    """Whether one of the arrays of a ``.npz`` holds pictures: bytes in three or four dimensions."""
    return any(dtype == np.uint8 and len(shape) in (3, 4) for _, shape, dtype in _members(path))


def _members(path: Path) -> Iterator[tuple[str, tuple[int, ...], np.dtype]]:
    with zipfile.ZipFile(path) as archive:
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as file:
                    shape, _, dtype = read_header(file)
                yield member.removesuffix(".npy"), shape, dtype


def holds_points(shape: tuple[int, ...], dtype: np.dtype) -> bool:
    """Whether an array may be points: rows of floating-point numbers. Bytes are pictures or labels."""
    return dtype.kind == "f" and len(shape) in (1, 2)


def _choose(path: Path, location: str, selected: str) -> str:
    try:
        found = members_of_points(path)
    except (*DAMAGE, ValueError, RuntimeError) as error:
        raise UserError(f"{location} is damaged ({error}). Write it again with numpy.savez.") from None
    if selected and selected not in found:
        raise UserError(
            f"{location} has no array of points '{selected}'.{did_you_mean(selected, found)} "
            f"Arrays of points: {', '.join(found) or 'none'}."
        )
    if not selected and len(found) != 1 and "points" not in found:
        raise UserError(
            f"{location} has {len(found)} arrays of points ({', '.join(found) or 'none'}). Name one: "
            f"{location}{SEPARATOR}{found[0] if found else 'points'}, or call one of them 'points'."
        )
    return (selected or ("points" if "points" in found else found[0])) + ".npy"


def _checked_header(file: Readable, location: str) -> tuple[int, ...]:
    try:
        shape, by_columns, dtype = read_header(file)
    except ValueError:
        raise UserError(f"{location} is not a whole NumPy array. Write it with numpy.save.") from None
    if not holds_points(shape, dtype):
        raise UserError(
            f"{location} is {dtype}{list(shape)}; points are floating-point numbers, N x D. Convert it with "
            ".astype(numpy.float32)."
        )
    if by_columns and len(shape) == 2 and min(shape) > 1:
        raise UserError(f"{location} is stored column by column. Save numpy.ascontiguousarray(array).")
    dims = shape[1] if len(shape) == 2 else 1
    if shape[0] < 1 or not 1 <= dims <= MOST_DIMS:
        raise UserError(f"{location} has the shape {list(shape)}; points are N x D, with D from 1 to {MOST_DIMS}.")
    return shape


@contextmanager
def _opened(path: Path, member: str | None, location: str) -> Iterator[Readable]:
    try:
        if member is None:
            with path.open("rb") as file:
                yield file
        else:
            with zipfile.ZipFile(path) as archive, archive.open(member) as file:
                yield file
    except (zipfile.BadZipFile, EOFError, NotImplementedError) as error:
        raise UserError(f"{location} is damaged ({error}). Write it again with numpy.savez.") from None


def _float32(numbers: np.ndarray, location: str, start: int) -> PointRows:
    """As float32, or the first row that cannot be told."""
    with np.errstate(over="ignore"):
        points = np.ascontiguousarray(numbers, np.float32)
    bad = np.flatnonzero(~np.isfinite(points).all(1))
    if bad.size:
        row = int(bad[0])
        raise UserError(
            f"{location}: point {start + row} is {numbers[row].tolist()}, which is not finite in float32. Remove it, "
            "or scale the points."
        )
    return points


def _is_header(row: list[str]) -> bool:
    """A line of names: at the top, and none of its cells is a number."""
    return not any(_reads_as_number(cell) for cell in row)


def _reads_as_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
