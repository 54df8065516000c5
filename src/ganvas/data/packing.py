"""Packing of any source: once into a folder (:func:`pack`), or through the user's cache (:func:`prepare`).

A source of any size is streamed: a few megabytes per core are in memory, whatever is packed. Blocks of zeros are
skipped over, not written, so that an empty region stays a hole in the file.
"""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.atomic_files import atomic_folder
from ganvas.core.progress import progress
from ganvas.data import packed
from ganvas.data.cached_packs import cached_pack, require_empty
from ganvas.data.colour import parse_colour
from ganvas.data.conversion import Broken, ColourAfterGrey, Rows, Rules, convert
from ganvas.data.fitting import Fit
from ganvas.data.packed import Packed, PackedRows
from ganvas.data.packed_store import ROW_NAMES
from ganvas.data.shards.sharded_pictures import open_shards
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.opening_sources import is_packed, open_source
from ganvas.data.sources.picture_source import Labels, PictureArray, PictureFiles, Source, hash_of
from ganvas.data.store import VERSION
from ganvas.data.store_writing import StoreWriter

SAID = 2  # What manifests say of their pictures; packs in the cache that say less are made anew.


def prepare(
    spec: str,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    fit: Fit = "refuse",
    background: str = "white",
    broken: Broken = "refuse",
    cache: Path | None = None,
    quiet: bool = False,
) -> Packed:
    """The pictures of a source, packed: opened as they are when they are a fitting pack, else packed once and kept.

    Those of shards stay where they are and are read from there: of them an index is kept.

    A pack in the cache is found again by the content of the source and by the settings. Two processes that want the
    same pack make it once: the second waits.

    Args:
        spec: The source, as :func:`~ganvas.data.sources.opening_sources.open_source` takes it.
        size: Height and width. None keeps the pictures' own, which then has to be one.
        channels: 1 (grey), 3 (RGB) or 4 (RGBA). None keeps grey grey and makes everything else RGB.
        fit: What to do with a picture of another shape, or smaller: refuse it, crop it, pad it, or stretch it.
        background: The colour under transparent pixels and on padding.
        broken: Whether a file that cannot be read stops everything, or is left out and named in the manifest.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: No progress.
    """
    rules = make_rules(size=size, channels=channels, fit=fit, background=background, broken=broken)
    if is_packed(spec):
        found = Packed.open_verified(Path(spec).expanduser(), cache=cache)
        if rules.size in (None, (found.height, found.width)) and rules.channels in (None, found.channels):
            return found
    if (sharded := open_shards(spec, rules, cache=cache, quiet=quiet)) is not None:
        return sharded
    source = open_source(spec, size=rules.size)
    key = hash_of(VERSION, SAID, source.identity(), dataclasses.asdict(rules))[:32]
    return cached_pack(
        key,
        open_pack=lambda folder: Packed.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, rules, folder, quiet=quiet),
        cache=cache,
        quiet=quiet,
    )


def pack(
    spec: str,
    out: Path,
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    fit: Fit = "refuse",
    background: str = "white",
    broken: Broken = "refuse",
    quiet: bool = False,
) -> Packed:
    """Packs a source into the folder ``out``, which must not be there yet. Settings as for :func:`prepare`."""
    rules = make_rules(size=size, channels=channels, fit=fit, background=background, broken=broken)
    require_empty(out)
    source = open_source(spec, size=rules.size)
    if isinstance(source, PackedRows):
        source.pack.verify()
    with atomic_folder(out) as partial:
        _write(source, rules, partial, quiet=quiet)
    return Packed.open(out)


def make_rules(
    *,
    size: tuple[int, int] | None = None,
    channels: int | None = None,
    fit: str = "refuse",
    background: str = "white",
    broken: str = "refuse",
) -> Rules:
    """The settings, checked.

    Raises:
        UserError: a setting cannot be.
    """
    if size is not None and min(size) < 1:
        raise UserError(f"A size of {size[0]}x{size[1]} cannot be. Height and width are at least 1.")
    if channels not in (None, 1, 3, 4):
        raise UserError(f"channels={channels} cannot be. Choose 1 (grey), 3 (RGB) or 4 (RGBA).")
    for name, value, choices in (
        ("fit", fit, ("refuse", "crop", "pad", "stretch")),
        ("broken", broken, ("refuse", "skip")),
    ):
        if value not in choices:
            near = did_you_mean(value, choices)
            raise UserError(f"{name}={value} is not a choice.{near} Choices: {', '.join(choices)}.")
    return Rules(
        size=None if size is None else (int(size[0]), int(size[1])),
        channels=channels,
        fit=fit,  # type: ignore[arg-type]
        background=parse_colour(background),
        broken=broken,  # type: ignore[arg-type]
    )


def _write(source: Source, rules: Rules, folder: Path, *, quiet: bool) -> None:
    """Streams the source into ``folder``; twice when colour turns up after grey."""
    try:
        _write_rows(source, rules, folder, quiet=quiet)
    except ColourAfterGrey:
        _write_rows(source, dataclasses.replace(rules, channels=3), folder, quiet=quiet)


def _write_rows(source: Source, rules: Rules, folder: Path, *, quiet: bool) -> None:
    writer = None
    try:
        with progress(f"Packing {source.location}", source.total, unit=source.unit, quiet=quiet) as report:
            for rows in convert(source, rules):
                writer = writer or PackWriter(folder)
                writer.append(rows)
                report(rows.at, f"{writer.count:,} pictures" if source.unit != "pictures" else "")
        assert writer is not None
        writer.finish(source, rules)
    finally:
        if writer is not None:
            writer.close()


class PackWriter:
    """Writes rows of pictures to a folder in the packed form, hashing on the way."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.store = folder, StoreWriter(folder, packed.KIND)
        self.names: list[str] = []
        self.broken: list[tuple[str, str]] = []
        self.treated: set[str] = set()
        self._labels: list[np.ndarray] = []

    @property
    def count(self) -> int:
        """Pictures written so far."""
        return self.store.count

    def append(self, rows: Rows) -> None:
        self.store.append({packed.IMAGES: rows.images} | ({} if rows.masks is None else {packed.MASKS: rows.masks}))
        self.names.extend(rows.names or ())
        self.broken.extend(rows.broken)
        self.treated |= rows.treated
        if rows.labels is not None:
            self._labels.append(rows.labels)

    def finish(self, source: Source, rules: Rules) -> None:
        """Writes headers, labels, names and, last, the manifest."""
        labels = self._finished_labels(source)
        if labels is not None:
            self.store.add_column(packed.LABELS, labels.values.astype(np.int64))
        if self.names:
            (self.folder / ROW_NAMES).write_text(json.dumps(self.names), encoding="utf-8")
        columns = self.store.finish_columns()
        more = {
            "class_names": [] if labels is None else list(labels.class_names),
            "mask_names": list(source.mask_names) if isinstance(source, PictureArray) else [],
            "source": {"kind": source.kind, "name": Path(source.location).name},
            "settings": _written_rules(rules),
            "treated": sorted(self.treated | set(source.treated if isinstance(source, PackedRows) else ())),
            "broken": [list(pair) for pair in self.broken],
            "passed_over": dict(source.passed_over()) if isinstance(source, PictureFiles) else {},
        }
        fingerprint = packed.picture_fingerprint(self.count, columns)
        self.store.write_manifest(columns, fingerprint=fingerprint, more=more)

    def close(self) -> None:
        self.store.close()

    def _finished_labels(self, source: Source) -> Labels | None:
        if isinstance(source, PictureFiles):
            return source.labels(self.names)
        assert isinstance(source, PictureArray)
        if not self._labels:
            return None
        values = np.concatenate(self._labels)
        return Labels(values=values, class_names=source.class_names or numbered_classes(values))


def _written_rules(rules: Rules) -> dict[str, Any]:
    plain = dataclasses.asdict(rules)
    return plain | {"background": "#" + bytes(rules.background).hex()}
