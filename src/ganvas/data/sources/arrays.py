"""Sources of pixels in NumPy's formats: ``.npy`` and ``.npz``. Nothing is unpickled.

Pictures are uint8, N x H x W (grey), N x H x W x C or N x C x H x W. Rows are read by plain reads, not through a
memory map, so that a 20 GB file never counts as memory.
"""

import io
import math
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, cast

import numpy as np
from jaxtyping import Int
from numpy.lib import format as npy_format

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.cache import content_hash
from ganvas.data.sources.damage import explain_damage, refuse_huge_row
from ganvas.data.sources.labels import check_largest, numbered_classes
from ganvas.data.sources.picture_source import Block, PictureArray, Readable

Layout = Literal["nhw", "nhwc", "nchw"]
_IMAGES = ("images", "image", "x", "data", "arr_0")
_LABELS = ("labels", "label", "y", "targets", "arr_1")


class NumpyFile(PictureArray):
    """One array of pictures in a ``.npy``, or in a ``.npz`` with labels beside it.

    ``selected`` may name the array of a ``.npz`` and the layout: ``x_train``, ``nchw``, ``x_train,nchw``.
    """

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        self.path, self.location = path, location
        words = [word.strip() for word in selected.split(",") if word.strip()]
        asked = next((word.lower() for word in words if word.lower() in ("nhwc", "nchw")), None)
        names = [word for word in words if word.lower() not in ("nhwc", "nchw")]
        self.kind = "npz" if zipfile.is_zipfile(path) else "npy"
        self._member, labels_member = _choose(path, location, names) if self.kind == "npz" else (None, None)
        if self.kind == "npy" and names:
            raise UserError(f"{location}: a .npy has one array, so that '::{names[0]}' selects nothing. Leave it out.")
        with explain_damage(location), _opened(path, self._member) as file:
            self._shape = _header(file, location)
            _check_size(path, self._member, file.tell(), math.prod(self._shape), location)
        self.layout: Layout = _layout(self._shape, asked, location)
        self.count, self.height, self.width, self.channels = _dimensions(self._shape, self.layout)
        self.total = self.count
        refuse_huge_row(self.height * self.width * self.channels, location)
        self._labels = _read_labels(path, labels_member, self.count, location) if labels_member else None
        self.labelled = self._labels is not None
        self.class_names = numbered_classes(self._labels) if self._labels is not None else ()

    def blocks(self, rows: int) -> Iterator[Block]:
        row_bytes = self.height * self.width * self.channels
        with explain_damage(self.location), _opened(self.path, self._member) as file:
            _header(file, self.location)
            for start in range(0, self.count, rows):
                stop = min(start + rows, self.count)
                flat = np.empty((stop - start) * row_bytes, np.uint8)
                read_fully(file, flat, self.location)
                shaped = flat.reshape(stop - start, *self._shape[1:])
                labels = self._labels[start:stop] if self._labels is not None else None
                yield Block(images=_to_nhwc(shaped, self.layout), labels=labels)
            if self.kind == "npz" and file.read(1):  # Reading to the end also checks the archive's checksum.
                raise UserError(f"{self.location} holds more than its header says: it is damaged. Write it again.")

    def known_labels(self) -> Int[np.ndarray, " n"] | None:
        return self._labels

    def identity(self) -> str:
        return f"{self.kind}:{content_hash(self.path)}:{self._member}:{self.layout}"


@dataclass(frozen=True, kw_only=True)
class _Found:
    name: str
    shape: tuple[int, ...]
    dtype: np.dtype


def _choose(path: Path, location: str, names: list[str]) -> tuple[str, str | None]:
    """The member with the pictures, and the one with their labels."""
    with explain_damage(location), zipfile.ZipFile(path) as archive:
        found = {}
        for member in archive.namelist():
            if member.endswith(".npy"):
                with archive.open(member) as file:
                    shape, _, dtype = _raw_header(file, f"{location}::{member}")
                found[member.removesuffix(".npy")] = _Found(name=member, shape=shape, dtype=dtype)
    if not found:
        raise UserError(f"{location} holds no arrays. A .npz is written by numpy.savez.")
    pictures = [name for name, array in found.items() if len(array.shape) in (3, 4) and array.dtype == np.uint8]
    if names and names[0] not in found:
        known = ", ".join(found)
        raise UserError(f"{location} has no array '{names[0]}'.{did_you_mean(names[0], found)} Arrays: {known}.")
    if names:
        chosen = names[0]
    elif len(pictures) == 1:
        chosen = pictures[0]
    else:
        known = [name for name in _IMAGES if name in pictures]
        if not known:
            raise _undecided(location, found, pictures)
        chosen = known[0]
    labels = _labels_beside(chosen, found, location, alone=len(pictures) == 1)
    return found[chosen].name, found[labels].name if labels else None


def _check_size(path: Path, member: str | None, header_bytes: int, expected: int, location: str) -> None:
    """Compares the bytes that are there with those that the header promises, before any of them is read."""
    size = path.stat().st_size
    if member is not None:
        with zipfile.ZipFile(path) as archive:
            size = archive.getinfo(member).file_size
    if size - header_bytes != expected:
        raise UserError(
            f"{location} is cut short or damaged: its header promises {expected:,} bytes of pixels, and "
            f"{size - header_bytes:,} are there. Copy or download it again."
        )


def _labels_beside(chosen: str, found: dict[str, _Found], location: str, *, alone: bool) -> str | None:
    """``x_train`` goes with ``y_train``, ``images`` with ``labels``; a lone array also with any usual name."""
    count = found[chosen].shape[0]
    pairs = [(x, y) for x in _IMAGES for y in _LABELS if chosen == x or chosen.startswith(x + "_")]
    names = [y + chosen.removeprefix(x) for x, y in pairs] + (list(_LABELS) if alone else [])
    there = [name for name in names if name in found and len(found[name].shape) in (1, 2)]
    fitting = next((name for name in there if found[name].shape[0] == count), None)
    if there and fitting is None:
        raise UserError(
            f"{location}: {there[0]} has {found[there[0]].shape[0]:,} labels for the {count:,} pictures of {chosen}. "
            "Write one label per picture, or leave the array out."
        )
    return fitting


def _undecided(location: str, found: dict[str, _Found], pictures: list[str]) -> UserError:
    listed = ", ".join(f"{name} {array.dtype}{list(array.shape)}" for name, array in found.items())
    if pictures:
        return UserError(
            f"{location} has several arrays of pictures. Choose one as {location}::{pictures[0]} ({listed})."
        )
    return UserError(f"{location} has no uint8 array of 3 or 4 dimensions ({listed}). Save pictures as bytes 0..255.")


def _read_labels(path: Path, member: str, count: int, location: str) -> np.ndarray | None:
    """Class numbers, or one-hot rows as class numbers; anything else is no class label."""
    with explain_damage(location), _opened(path, member) as file:
        try:
            values = npy_format.read_array(io.BytesIO(file.read()), allow_pickle=False)
        except ValueError as error:
            raise UserError(
                f"{location}: the array {member} cannot be read ({error}). Save it without objects."
            ) from None
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim == 2 and np.isin(values, (0, 1)).all() and (values.sum(1) == 1).all():
        values = values.argmax(1)
    if values.ndim != 1 or values.dtype.kind not in "iu" or len(values) != count or (values < 0).any():
        raise UserError(
            f"{location}: {member} is {values.dtype}{list(values.shape)}; labels are one class number per picture "
            f"(0, 1, 2, ...). Write {count} whole numbers, or leave the array out."
        )
    if len(values):
        check_largest(int(values.max()), len(values), f"{location}: {member}")
    return values.astype(np.int64)


def _raw_header(file: Readable, location: str) -> tuple[tuple[int, ...], bool, np.dtype]:
    try:
        version = npy_format.read_magic(file)
        if version == (1, 0):
            return npy_format.read_array_header_1_0(file)
        return npy_format.read_array_header_2_0(file)
    except ValueError:
        raise UserError(f"{location} is not a whole NumPy array. Write it with numpy.save.") from None


def _header(file: Readable, location: str) -> tuple[int, ...]:
    shape, fortran, dtype = _raw_header(file, location)
    if dtype.hasobject:
        raise UserError(f"{location} holds Python objects, which are never unpickled. Save a uint8 array instead.")
    if dtype != np.uint8:
        raise UserError(f"{location} is {dtype}; pictures are uint8, 0..255. Convert it, as you alone know its range.")
    if fortran:
        raise UserError(f"{location} is stored column by column. Save numpy.ascontiguousarray(array).")
    if len(shape) not in (3, 4) or 0 in shape:
        raise UserError(
            f"{location} has the shape {list(shape)}; pictures are N x H x W, N x H x W x C or N x C x H x W."
        )
    return tuple(int(side) for side in shape)


def _layout(shape: tuple[int, ...], asked: str | None, location: str) -> Layout:
    if len(shape) == 3:
        if shape[-1] in (3, 4):
            raise UserError(f"{location} has the shape {list(shape)}: one picture, it seems. Save N x H x W x C.")
        return "nhw"
    last, first = shape[3] in (1, 3, 4), shape[1] in (1, 3, 4)
    if asked == "nhwc" and last:
        return "nhwc"
    if asked == "nchw" and first:
        return "nchw"
    if asked or not (last or first):
        where = {"nhwc": "last", "nchw": "second"}.get(asked or "", "last or second")
        raise UserError(
            f"{location} has the shape {list(shape)}; its {where} side would have to be 1, 3 or 4 channels."
        )
    if last and first:
        raise UserError(
            f"{location} has the shape {list(shape)}, which may be N x H x W x C or N x C x H x W. "
            f"Say which: {location}::nhwc or {location}::nchw."
        )
    return "nhwc" if last else "nchw"


def _dimensions(shape: tuple[int, ...], layout: Layout) -> tuple[int, int, int, int]:
    if layout == "nhw":
        return shape[0], shape[1], shape[2], 1
    if layout == "nhwc":
        return shape[0], shape[1], shape[2], shape[3]
    return shape[0], shape[2], shape[3], shape[1]


def _to_nhwc(rows: np.ndarray, layout: Layout) -> np.ndarray:
    if layout == "nhw":
        return rows[..., None]
    return rows if layout == "nhwc" else np.ascontiguousarray(rows.transpose(0, 2, 3, 1))


@contextmanager
def _opened(path: Path, member: str | None) -> Iterator[io.BufferedIOBase]:
    if member is None:
        with path.open("rb") as file:
            yield file
    else:
        with zipfile.ZipFile(path) as archive, cast(io.BufferedIOBase, archive.open(member)) as file:
            yield file


def read_fully(file: Readable, into: np.ndarray, location: str) -> None:
    """Fills a flat array of bytes, or says that the file is cut short."""
    view, done = into.data, 0
    while done < len(view):
        got = file.readinto(view[done:])  # type: ignore[union-attr]
        if not got:
            raise UserError(
                f"{location} is cut short: it holds fewer pictures than it says. Copy or download it again."
            )
        done += got
