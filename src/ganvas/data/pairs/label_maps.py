"""Label maps: the number of a class for every pixel of a picture, packed as a store of their own.

::

    manifest.json   as of every store, with how often each number occurs
    numbers.npy     uint8, count x height x width
    names.json      the file each row came from     (only from files)

A source of them is files of grey levels or palettes, an array of bytes of one channel, or a source that holds the masks
of its own pictures (``scenes``, what was packed of them). Numbers are never averaged: a pixel of a smaller map takes
the class at its centre, and padding is 255, which says that nothing is known.
"""

import dataclasses
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int, UInt8

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.data.cached_packs import cached_pack
from ganvas.data.conversion import Broken, Rules, broken_refusal
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import Fit, Size, apply_to_masks, plan
from ganvas.data.packed_store import ROW_NAMES, PackedStore, are_texts
from ganvas.data.packing import make_rules
from ganvas.data.pictures import decode_numbers
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import Entry, PictureArray, PictureFiles, Source, hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

KIND, NUMBERS = "label maps", "numbers"
UNKNOWN = 255  # The number of padding.
_ROWS = 64  # Written at once.

Maps = UInt8[np.ndarray, "n h w"]


class PackedLabelMaps(PackedStore):
    """A packed folder of label maps, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.height, self.width = store.columns[NUMBERS].row_shape
        self.counts: Int[np.ndarray, " 256"] = np.array(store.manifest["counts"], np.int64)
        self.class_names: tuple[str, ...] = tuple(store.manifest["class_names"])
        self.broken: tuple[str, ...] = tuple(store.manifest["broken"])

    @property
    def names(self) -> list[str] | None:
        """The file that each row came from, or None when the source had no files."""
        return self._row_names("map")

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> Maps:
        """Rows by index, in the order asked."""
        return self.store.read(NUMBERS, indices)

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of label maps."""
        numbers, said = store.columns.get(NUMBERS), store.manifest
        counts = said.get("counts")
        problems = {
            "numbers": numbers is None or numbers.dtype != np.uint8 or len(numbers.row_shape) != 2,
            "counts": not (isinstance(counts, list) and len(counts) == 256 and all(type(n) is int for n in counts)),
            "class_names": not are_texts(said.get("class_names")),
            "broken": not are_texts(said.get("broken")),
        }
        return next((name for name, wrong in problems.items() if wrong), None)


@dataclass(frozen=True, kw_only=True)
class _Rows:
    maps: Maps
    names: tuple[str, ...] = ()
    broken: tuple[str, ...] = ()


def prepare_label_maps(
    spec: str,
    *,
    size: Size,
    fit: Fit = "refuse",
    broken: Broken = "refuse",
    cache: Path | None = None,
    quiet: bool = False,
) -> PackedLabelMaps:
    """The label maps of a source at a size, packed once and kept in the user's cache.

    Args:
        spec: Files of numbers, an array of one channel, or a source that holds masks.
        size: Height and width.
        fit: What to do with a map of another shape, or smaller, as with the pictures that they are of.
        broken: Whether a file that cannot be read stops everything, or is left out.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: No progress.

    Raises:
        UserError: the source holds no label maps, or one does not fit.
    """
    rules = make_rules(size=size, channels=1, fit=fit, broken=broken)
    source = open_source(spec, size=size)
    key = hash_of(KIND, VERSION, source.identity(), dataclasses.asdict(rules))[:32]

    return cached_pack(
        key,
        open_pack=lambda folder: PackedLabelMaps.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, rules, folder, quiet=quiet),
        cache=cache,
        quiet=quiet,
    )


def holds_masks(spec: str) -> bool:
    """Whether a source holds the label maps of its own pictures, as ``scenes`` does."""
    source = open_source(spec)
    return isinstance(source, PictureArray) and bool(source.mask_names)


def _write(source: Source, rules: Rules, folder: Path, *, quiet: bool) -> None:
    writer = StoreWriter(folder, KIND)
    counts, names, broken = np.zeros(256, np.int64), list[str](), list[str]()
    try:
        with progress(f"Packing labels of {source.location}", source.total, quiet=quiet) as report:
            for rows in _rows(source, rules):
                broken += rows.broken
                if len(rows.maps):
                    writer.append({NUMBERS: rows.maps})
                    counts += np.bincount(rows.maps.reshape(-1), minlength=256)
                names += rows.names
                report(writer.count)
        if not writer.count:
            raise UserError(f"{source.location} holds no label map that can be read: all {len(broken)} are broken.")
        if names:
            (folder / ROW_NAMES).write_text(json.dumps(names), encoding="utf-8")
        columns = writer.finish_columns()
        more: dict[str, Any] = {
            "counts": counts.tolist(),
            "class_names": list(source.mask_names) if isinstance(source, PictureArray) else [],
            "broken": broken,
        }
        writer.write_manifest(columns, fingerprint=content_fingerprint(KIND, writer.count, columns), more=more)
    finally:
        writer.close()


def _rows(source: Source, rules: Rules) -> Iterator[_Rows]:
    if isinstance(source, PictureFiles):
        return _rows_of_files(source.entries(), rules)
    assert isinstance(source, PictureArray)
    return _rows_of_array(source, rules)


def _rows_of_array(source: PictureArray, rules: Rules) -> Iterator[_Rows]:
    if not source.mask_names and source.channels != 1:
        raise UserError(
            f"{source.location} holds pictures of {source.channels} channels, and label maps have one number per pixel."
        )
    assert rules.size is not None
    steps = plan((source.height, source.width), rules.size, rules.fit)
    for block in source.blocks(_ROWS):
        maps = block.images[..., 0] if block.masks is None else block.masks
        yield _Rows(maps=apply_to_masks(steps, maps, padding=UNKNOWN))


def _rows_of_files(entries: Iterable[Entry], rules: Rules) -> Iterator[_Rows]:
    for entry in entries:
        try:
            numbers = decode_numbers(entry.read())
        except BrokenPicture as reason:
            if rules.broken == "refuse":
                raise broken_refusal(entry.name, str(reason)) from None
            yield _Rows(maps=np.zeros((0, 1, 1), np.uint8), broken=(entry.name,))
            continue
        assert rules.size is not None
        steps = plan(numbers.shape, rules.size, rules.fit, name=entry.name)
        yield _Rows(maps=apply_to_masks(steps, numbers[None], padding=UNKNOWN), names=(entry.name,))
