"""Sources of pictures: their interface, for encoded files and for arrays of pixels."""

import abc
import hashlib
import io
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from jaxtyping import Int, UInt8

from ganvas.data.colour import Pictures


@runtime_checkable
class Readable(Protocol):
    """An open file of bytes, compressed or not, in an archive or not: Python's own types have nothing in common."""

    def read(self, size: int = -1, /) -> bytes: ...


@dataclass(frozen=True, kw_only=True)
class Labels:
    """A class per picture, and what the classes are called."""

    values: Int[np.ndarray, " n"]
    class_names: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One encoded picture of a source."""

    name: str  # Relative to the source, with forward slashes.
    read: Callable[[], bytes]
    open: Callable[[], io.BufferedIOBase]  # For headers: only what is needed of it is read.
    encoded_bytes: int
    at: float  # How far through the source this entry is, in the source's unit.


@dataclass(frozen=True, kw_only=True)
class Block:
    """Some consecutive pictures of a source of arrays."""

    images: Pictures
    labels: Int[np.ndarray, " n"] | None = None
    masks: UInt8[np.ndarray, "n h w"] | None = None


class Source(abc.ABC):
    """Pictures in a fixed order."""

    kind: str  # "folder", "tar", "zip", "npy", "npz", "idx", "cifar10", "packed", "scenes", "street", "triangles"
    location: str  # As the user wrote it.
    total: float  # How much there is to read, in ``unit``: for progress.
    unit: str = "pictures"

    @abc.abstractmethod
    def identity(self) -> str:
        """Changes when the pictures may have changed, and is never that of other pictures.

        The hash of an archive, or where a folder lies and what the system says of each file: name, size, number of
        the file (inode), time of its last change and time of its last change of state.
        """


class PictureFiles(Source):
    """A source of encoded pictures."""

    @abc.abstractmethod
    def entries(self) -> Iterator[Entry]:
        """Every picture once, in the source's order."""

    @abc.abstractmethod
    def labels(self, names: list[str]) -> Labels | None:
        """Classes of the named pictures; asked after :meth:`entries` has run to its end."""

    @abc.abstractmethod
    def about_labels(self, names: list[str]) -> str:
        """A sentence: why there are no classes, or what is not used for them; empty where nothing is to be said.

        Asked after :meth:`entries` has run to its end.
        """

    @abc.abstractmethod
    def passed_over(self) -> Mapping[str, int]:
        """Files beside the pictures that are not read: how many of each ending, the most frequent first.

        Asked after :meth:`entries` has run to its end.
        """


class PictureArray(Source):
    """A source of pixels: all pictures have one size."""

    count: int
    height: int
    width: int
    channels: int
    class_names: tuple[str, ...] = ()
    mask_names: tuple[str, ...] = ()
    labelled: bool = False
    drawn: bool = False  # Made on the spot: there is nothing stored that could be damaged.

    @abc.abstractmethod
    def blocks(self, rows: int) -> Iterator[Block]:
        """Every picture once, in order, ``rows`` at a time (the last block may be shorter)."""

    def known_labels(self) -> Int[np.ndarray, " n"] | None:
        """All labels where they are at hand without reading the pixels."""
        return None


def hash_of(*parts: Any) -> str:
    """SHA-256 of values as JSON writes them."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()
