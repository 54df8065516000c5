"""Index of shards: where the bytes of every picture lie, its class and its header, found once and kept in the cache.

::

    manifest.json   as of every store, with the shards, the sizes and modes of the pictures, and their classes
    shard.npy       int32, count     number of the shard
    offset.npy      int64, count     where the picture's bytes begin in it, or in which row of a table they are
    size.npy        int64, count     how many there are
    head.npy        uint32, count    checksum of their beginning
    label.npy       int64, count     (only with classes)
    names.json      the picture's name in its shard

Memory to make it is that of one shard and of all names; to read it, that of the rows that are asked for.
"""

import json
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.data.cached_packs import cached_pack
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.packed_store import ROW_NAMES, PackedStore, are_texts
from ganvas.data.pictures import DECODING, read_header
from ganvas.data.shards.row_groups import RowGroup, is_table, row_groups
from ganvas.data.shards.shard import CLASS, Shard, ShardSample
from ganvas.data.shards.tar_samples import TarShard
from ganvas.data.sources.labels import from_folders, numbered_classes
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

KIND = "shards"
HEAD_BYTES = 4096  # Of every picture: its header nearly always lies in them.
COLUMNS = {"shard": "<i4", "offset": "<i8", "size": "<i8", "head": "<u4", "label": "<i8"}


class ShardIndex(PackedStore):
    """An index of shards, open for reading."""

    kind_of_store = KIND

    @property
    def rows_of_shards(self) -> list[int]:
        """Pictures of each shard, in their order."""
        return [shard["count"] for shard in self.manifest["shards"]]

    @property
    def sizes(self) -> dict[tuple[int, int], int]:
        """Height and width of the pictures: how many have each, the most frequent first."""
        return {(height, width): count for height, width, count in self.manifest["sizes"]}

    @property
    def modes(self) -> dict[str, int]:
        """As the files have them."""
        return dict(self.manifest["modes"])

    @property
    def class_names(self) -> tuple[str, ...]:
        """Empty without classes."""
        return tuple(self.manifest["class_names"])

    @cached_property
    def class_counts(self) -> list[int]:
        """Pictures of each class."""
        return list(self.manifest["class_counts"])

    @staticmethod
    def damage(store: Store) -> str | None:
        found = {name: column.dtype.str for name, column in store.columns.items()}
        if any(COLUMNS.get(name) != dtype for name, dtype in found.items()) or not {*COLUMNS} - {"label"} <= {*found}:
            return "the columns are not those of an index"
        shards, sizes, modes = (store.manifest.get(name) for name in ("shards", "sizes", "modes"))
        if not isinstance(shards, list) or not all(isinstance(one, dict) and "count" in one for one in shards):
            return "shards"
        whole = sum(one["count"] for one in shards) == len(store)
        if not whole or not isinstance(sizes, list) or not isinstance(modes, dict):
            return "counts"
        counts = store.manifest.get("class_counts")
        named = are_texts(store.manifest.get("class_names")) and isinstance(counts, list)
        return None if named else "class_names"


def indexed(files: Sequence[Path], *, cache: Path | None = None, quiet: bool = False) -> ShardIndex:
    """The index of these shards, made where there is none of them as they are now.

    Args:
        files: Tar files, of which each is a shard, or Parquet files, of which each row group is one.

    Raises:
        UserError: a shard is cut short or damaged, has another layout than the first, or a picture cannot be read.
    """
    stats = [(str(file.resolve()), file.stat()) for file in files]
    known = [(name, stat.st_ino, stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) for name, stat in stats]
    return cached_pack(
        hash_of(VERSION, KIND, DECODING, known)[:32],
        open_pack=lambda folder: ShardIndex.open_verified(folder, cache=cache),
        write=lambda folder: _write(files, folder, quiet=quiet),
        cache=cache,
        quiet=quiet,
    )


def shards_in(files: Sequence[Path]) -> tuple[int, Iterator[Shard]]:
    """How many shards these files hold, and one after the other."""
    return row_groups(files) if is_table(files[0]) else (len(files), map(TarShard, files))


def shard_as_described(entry: Mapping[str, Any], number: int, files: Sequence[Path]) -> Shard:
    """A shard of an index, opened again."""
    return (
        RowGroup(files[entry["file"]], entry["file"], entry["group"]) if "group" in entry else TarShard(files[number])
    )


def _write(files: Sequence[Path], folder: Path, *, quiet: bool) -> None:
    """Indexes one shard after the other."""
    count, shards = shards_in(files)
    writer = StoreWriter(folder, KIND)
    found = _Found()
    try:
        with progress("Indexing", count, unit="shards", quiet=quiet) as report:
            for number, shard in enumerate(shards):
                block = _rows_of(shard, number, found)
                if len(block["shard"]):
                    writer.append(block)
                found.shards.append({**shard.described(), "count": len(block["shard"])})
                report(number + 1, f"{writer.count:,} pictures")
        if not writer.count:
            raise UserError(f"There is no picture in {files[0]}" + (" and the others." if len(files) > 1 else "."))
        found.finish(writer)
    finally:
        writer.close()


class _Found:
    """What is learnt of all shards on the way."""

    def __init__(self) -> None:
        self.shards: list[dict[str, Any]] = []
        self.names: list[str] = []
        self.labels: list[int] = []
        self.sizes: Counter[tuple[int, int]] = Counter()
        self.modes: Counter[str] = Counter()
        self.first: tuple[Path, ShardSample] | None = None
        self.class_names: tuple[str, ...] = ()

    def add(self, shard: Shard, sample: ShardSample, head: bytes) -> None:
        """Notes a sample.

        Raises:
            UserError: its layout is not that of the first, or it is not a picture.
        """
        where, first = self.first = self.first or (shard.path, sample)
        if sample.layout != first.layout:
            raise UserError(
                f"The shards have two layouts: {first.key} in {where} is {' + '.join(first.layout)}, and {sample.key} "
                f"in {shard.path} is {' + '.join(sample.layout)}. Name those of one layout."
            )
        try:
            header = _header(sample, head, shard)
        except BrokenPicture as reason:
            raise UserError(f"{shard.path}: {sample.name} {reason}. Write the shard again without it.") from None
        self.sizes[header.height, header.width] += 1
        self.modes[header.mode] += 1
        self.names.append(sample.name)
        self.labels.append(sample.label)
        self.class_names = self.class_names or tuple(shard.class_names)

    def finish(self, writer: StoreWriter) -> None:
        """Writes labels, names and the manifest."""
        assert self.first is not None
        values, class_names = None, ()
        if CLASS in self.first[1].layout:
            values = np.array(self.labels, np.int64)
            class_names = self.class_names or numbered_classes(values)
        elif (folders := from_folders(self.names)) is not None:
            values, class_names = folders.values, folders.class_names
        if values is not None:
            writer.add_column("label", values)
        (writer.folder / ROW_NAMES).write_text(json.dumps(self.names), encoding="utf-8")
        columns = writer.finish_columns()
        more = {
            "shards": self.shards,
            "sizes": [[*size, count] for size, count in self.sizes.most_common()],
            "modes": dict(self.modes.most_common()),
            "class_names": list(class_names),
            "class_counts": [] if values is None else np.bincount(values, minlength=len(class_names)).tolist(),
        }
        writer.write_manifest(columns, fingerprint=content_fingerprint(KIND, writer.count, columns), more=more)


def _rows_of(shard: Shard, number: int, found: _Found) -> dict[str, np.ndarray]:
    """The rows of one shard."""
    rows: list[tuple[int, int, int, int]] = []
    for sample in shard.samples():
        head = shard.read(sample.offset, min(sample.size, HEAD_BYTES))
        if head is None:
            raise UserError(
                f"{shard.path} is cut short: {sample.name} goes on behind its end. Copy or download it again."
            )
        found.add(shard, sample, head)
        rows.append((number, sample.offset, sample.size, zlib.crc32(head)))
    columns = np.array(rows, np.int64).reshape(len(rows), 4).T
    return {
        name: columns[place].astype(COLUMNS[name]) for place, name in enumerate(("shard", "offset", "size", "head"))
    }


def _header(sample: ShardSample, head: bytes, shard: Shard) -> Any:
    """The picture's header, from its beginning or, where that does not do, from all of it."""
    if sample.size > len(head):
        try:
            return read_header(head)
        except BrokenPicture:
            return read_header(shard.read(sample.offset, sample.size) or head)
    return read_header(head)
