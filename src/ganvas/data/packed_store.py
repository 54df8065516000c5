"""PackedStore: what a packed folder of any kind of sample has, and how it is opened, checked and verified."""

from abc import ABC, abstractmethod
from pathlib import Path
from typing import ClassVar, TypeGuard, TypeVar

import numpy as np

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json
from ganvas.data.cached_packs import verify_once
from ganvas.data.sources.locations import expanded
from ganvas.data.store import AGAIN, MANIFEST, Column, Store, kind_of
from ganvas.data.store_writing import content_fingerprint

P = TypeVar("P", bound="PackedStore")
ROW_NAMES = "names.json"  # The file that each row came from, where there were files.


class PackedStore(ABC):
    """A packed folder, open for reading. Safe to share between threads, and between processes after a fork."""

    kind_of_store: ClassVar[str]  # As its manifest says it.

    def __init__(self, store: Store) -> None:
        self.store, self.folder = store, store.folder
        self.manifest, self.fingerprint = store.manifest, store.fingerprint

    @classmethod
    def open(cls: type[P], folder: Path) -> P:
        """Opens a packed folder after comparing its files with the manifest.

        Raises:
            UserError: there is no packed folder of this kind, or it is damaged.
        """
        store = Store.open(folder, kind=cls.kind_of_store)
        if damage := cls.damage(store):
            raise UserError(f"{store.folder / MANIFEST} is damaged ({damage}). {AGAIN}")
        return cls(store)

    @classmethod
    def lies_at(cls, spec: str) -> bool:
        """Whether a source is a packed folder of this kind of sample; it may still be damaged."""
        folder = expanded(spec)
        return folder.is_dir() and kind_of(folder) == cls.kind_of_store

    @classmethod
    def open_verified(cls: type[P], folder: Path, *, cache: Path | None = None) -> P:
        """A packed folder whose bytes are those that its fingerprint says: see :func:`verify_once`."""
        found = cls.open(folder)
        verify_once(found, found.store.files(), cache=cache)
        return found

    @staticmethod
    @abstractmethod
    def damage(store: Store) -> str | None:
        """What is wrong with the columns, or with what is read from the manifest; None where nothing is."""

    def __len__(self) -> int:
        return len(self.store)

    def _row_names(self, of: str) -> list[str] | None:
        """The file that each row came from; None where the source had no files.

        Args:
            of: What a row is, for the person.

        Raises:
            UserError: the list is damaged.
        """
        path = self.folder / ROW_NAMES
        if not path.exists():
            return None
        names = read_json(path)
        if not are_texts(names) or len(names) != len(self):
            raise UserError(f"{path} does not have one name per {of}: the pack is damaged. {AGAIN}")
        return names

    def content(self) -> str:
        """The fingerprint that what is in the files has, by their hashes."""
        return content_fingerprint(self.kind_of_store, len(self), self.store.columns)

    def verify(self) -> None:
        """Reads everything and compares it with the fingerprint.

        Raises:
            UserError: a byte changed since packing.
        """
        self.store.verify()
        if self.content() != self.fingerprint:
            raise UserError(f"{self.folder} is damaged: its hashes do not match its fingerprint. {AGAIN}")


def are_labels(column: Column | None) -> bool:
    """Whether a column is the class of every row, or there is none."""
    return column is None or (column.dtype == np.dtype("<i8") and column.row_shape == ())


def are_texts(value: object) -> TypeGuard[list[str]]:
    """Whether an entry of a manifest is a list of texts."""
    return isinstance(value, list) and all(isinstance(item, str) for item in value)
