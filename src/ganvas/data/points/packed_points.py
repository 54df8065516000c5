"""Packed points: a store whose rows are points, with the part of the mixture that each was drawn from.

::

    manifest.json   as of every store, with the mixture's name where it is a known one, and the names of its parts
    points.npy      float32, count x dims
    labels.npy      int64, count                       (only of a mixture)
"""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder
from ganvas.data.cached_packs import cached_pack, require_empty
from ganvas.data.packed_store import PackedStore, are_labels, are_texts
from ganvas.data.points.law import Marks, Mixture, PointRows
from ganvas.data.points.mixtures import law_of
from ganvas.data.points.opening_points import KIND, open_points
from ganvas.data.points.point_source import BLOCK_BYTES, PointBlock, PointSource
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

POINTS, LABELS = "points", "labels"


class PackedPoints(PackedStore):
    """A packed folder of points, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        (self.dims,) = store.columns[POINTS].row_shape
        self.class_names: tuple[str, ...] = tuple(self.manifest["class_names"])
        self.labels: Marks | None = store.read(LABELS, slice(None)) if LABELS in store.columns else None

    @property
    def mixture(self) -> Mixture | None:
        """The law that the points were drawn from, where it is known."""
        name = self.manifest["mixture"]
        return None if name is None else law_of(name)

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> PointRows:
        """Points by index, in the order asked."""
        return self.store.read(POINTS, indices)

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of points."""
        points, labels = store.columns.get(POINTS), store.columns.get(LABELS)
        mixture = store.manifest.get("mixture")
        problems = {
            "points": points is None or points.dtype != np.dtype("<f4") or len(points.row_shape) != 1,
            "labels": not are_labels(labels),
            "columns": bool(set(store.columns) - {POINTS, LABELS}),
            "class_names": not are_texts(store.manifest.get("class_names")),
            "mixture": mixture is not None and not (isinstance(mixture, str) and _is_law(mixture)),
        }
        return next((name for name, wrong in problems.items() if wrong), None)


class PackedPointRows(PointSource):
    """A packed folder as a source."""

    kind = "packed"

    def __init__(self, path: Path, *, location: str) -> None:
        self.location, self.pack = location, PackedPoints.open(path)
        self.dims, self.class_names, self.mixture = self.pack.dims, self.pack.class_names, self.pack.manifest["mixture"]

    def blocks(self) -> Iterator[PointBlock]:
        rows, labels = max(1, BLOCK_BYTES // (4 * self.dims)), self.pack.labels
        for start in range(0, len(self.pack), rows):
            part = slice(start, min(start + rows, len(self.pack)))
            yield PointBlock(points=self.pack.read(part), labels=None if labels is None else labels[part])

    def identity(self) -> str:
        return f"packed:{self.pack.fingerprint}"


def source_of(spec: str) -> PointSource:
    """The source of points that ``spec`` names, a packed folder being one."""
    if PackedPoints.lies_at(spec):
        return PackedPointRows(expanded(spec), location=spec)
    return open_points(spec)


def prepare_points(spec: str, *, cache: Path | None = None, quiet: bool = False) -> PackedPoints:
    """The points of a source, packed: opened as they are when they are a pack, else packed once and kept.

    Args:
        spec: The source, as :func:`~ganvas.data.points.opening_points.open_points` takes it.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: Nothing is said of waiting for another process.

    Raises:
        UserError: nothing is there, it holds no points, or one of them is not finite.
    """
    if PackedPoints.lies_at(spec):
        return PackedPoints.open_verified(expanded(spec), cache=cache)
    source = open_points(spec)
    return cached_pack(
        hash_of(KIND, VERSION, source.identity())[:32],
        open_pack=lambda folder: PackedPoints.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, folder),
        cache=cache,
        quiet=quiet,
    )


def pack_points(spec: str, out: Path) -> PackedPoints:
    """Packs a source of points into the folder ``out``, which must not be there yet."""
    require_empty(out)
    source = source_of(spec)
    with atomic_folder(out) as partial:
        _write(source, partial)
    return PackedPoints.open(out)


def _write(source: PointSource, folder: Path) -> None:
    writer = StoreWriter(folder, KIND)
    try:
        for block in source.blocks():
            labels = {} if block.labels is None else {LABELS: block.labels}
            writer.append({POINTS: block.points} | labels)
        columns = writer.finish_columns()
    finally:
        writer.close()
    more = {
        "class_names": list(source.class_names),
        "mixture": source.mixture,
        "source": {"kind": source.kind, "name": Path(source.location).name},
    }
    fingerprint = content_fingerprint(KIND, writer.count, columns)
    writer.write_manifest(columns, fingerprint=fingerprint, more=more)


def _is_law(spelled: str) -> bool:
    try:
        law_of(spelled)
    except UserError:
        return False
    return True
