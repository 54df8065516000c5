"""Pictures that stay in their shards: decoded when they are asked for, with the surface of a pack.

Nothing is copied to the disk but the index. Where a pack costs a read of some kilobytes a picture, this costs decoding
it in every epoch; where the pictures are too many to be packed, it is the way to train on them.
"""

import dataclasses
import io
import threading
import zlib
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.data.colour import Pictures
from ganvas.data.conversion import THREADS_FROM_PIXELS, Rules, Settled
from ganvas.data.fitting import written
from ganvas.data.packed import Packed
from ganvas.data.packed_store import PackedStore
from ganvas.data.shards.row_groups import is_table
from ganvas.data.shards.shard import Shard
from ganvas.data.shards.shard_files import shards_of, tables_of
from ganvas.data.shards.shard_index import HEAD_BYTES, ShardIndex, indexed, shard_as_described
from ganvas.data.sources.picture_source import Entry, Labels, PictureFiles, hash_of

OPEN_FILES = 64  # Tar files that are held open.
OPEN_GROUPS = 24  # Row groups of tables that are held in memory: more than are mixed at a time.
GREY = {"L", "1", "I;16", "LA"}  # Modes of pictures without colour.


class ShardFiles:
    """The bytes of pictures by row; the shards that were asked last stay open."""

    def __init__(self, index: ShardIndex, files: Sequence[Path]) -> None:
        self.index, self.files = index, files
        self._shards: list[dict[str, Any]] = index.manifest["shards"]
        self._most = OPEN_GROUPS if is_table(files[0]) else OPEN_FILES
        self._open: OrderedDict[int, Shard] = OrderedDict()
        self._one = threading.Lock()

    def entries(self, rows: Int[np.ndarray, " k"]) -> Iterator[Entry]:
        """The pictures of these rows, in the order asked."""
        columns = [self.index.store.read(name, rows) for name in ("shard", "offset", "size", "head")]
        for row, shard, offset, size, head in zip(rows.tolist(), *(column.tolist() for column in columns), strict=True):
            name = f"{self._shards[shard]['name']}: picture {row}"

            def read(shard: int = shard, offset: int = offset, size: int = size, head: int = head) -> bytes:
                return self._read(shard, offset, size, head)

            yield Entry(
                name=name,
                read=read,
                open=lambda read=read: io.BufferedReader(io.BytesIO(read())),  # type: ignore[arg-type]
                encoded_bytes=size,
                at=row + 1,
            )

    def _read(self, number: int, offset: int, size: int, head: int) -> bytes:
        shard = self._opened(number)
        data = shard.read(offset, size)
        if data is None or len(data) != size or zlib.crc32(memoryview(data)[:HEAD_BYTES]) != head:
            raise UserError(
                f"{shard.path} changed while it was trained on: a picture is not where the index has it. "
                "Start the same command again, which indexes it anew."
            )
        return data

    def _opened(self, number: int) -> Shard:
        with self._one:
            if number not in self._open:
                self._open[number] = shard_as_described(self._shards[number], number, self.files)
            self._open.move_to_end(number)
            while len(self._open) > self._most:
                self._open.popitem(last=False)
            return self._open[number]


class ShardedPictures(Packed):
    """The pictures of shards under some rules, as rows."""

    def __init__(self, index: ShardIndex, files: Sequence[Path], rules: Rules) -> None:
        PackedStore.__init__(self, index.store)
        self.index, self.files, self.rules = index, tuple(files), rules
        self.height, self.width = _size(index, rules)
        self.channels = rules.channels or (1 if set(index.modes) <= GREY else 3)
        self.class_names, self.mask_names = index.class_names, ()
        self.labels = index.store.read("label", slice(None)) if index.class_names else None
        self.fingerprint = "sha256:" + hash_of(index.fingerprint, self._made())
        self._bytes = ShardFiles(index, self.files)

    def __reduce__(self) -> tuple[Any, ...]:
        """Worker processes get the index, not the open shards."""
        return ShardedPictures, (self.index, self.files, self.rules)

    @property
    def rows_of_shards(self) -> list[int]:
        """Pictures of each shard: whoever shuffles stays within a few of them at a time."""
        return self.index.rows_of_shards

    @cached_property
    def images(self) -> np.memmap:
        raise UserError("Pictures in shards are read, not mapped. Pack them first: ganvas data pack SRC -o OUT.")

    @cached_property
    def masks(self) -> None:
        return None

    @cached_property
    def treated(self) -> tuple[str, ...]:
        """What is done to the first picture; the others are of one size with it, or told apart by none of its names."""
        rows = next(iter(self._converted(np.zeros(1, np.int64))))
        return tuple(sorted(rows.treated))

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> Pictures:
        """Rows by index, in the order asked; memory is what is returned and some encoded pictures."""
        rows = np.arange(len(self))[indices] if isinstance(indices, slice) else np.asarray(indices, np.int64)
        out = np.empty((len(rows), self.height, self.width, self.channels), np.uint8)
        lie = np.argsort(rows, kind="stable")  # As they lie: the disk is read forwards.
        done = 0
        for block in self._converted(rows[lie]):
            out[lie[done : done + len(block.images)]] = block.images
            done += len(block.images)
        return out

    def content(self) -> str:
        """The fingerprint that the index has, with the rules; what the shards hold is checked when it is read."""
        return "sha256:" + hash_of(self.index.content(), self._made())

    def _converted(self, rows: np.ndarray) -> Iterator[Any]:
        settled = Settled(size=(self.height, self.width), channels=self.channels, rules=self._settled_rules)
        large = next(iter(self.index.sizes))
        return settled.all_decoded(self._bytes.entries(rows), large=large[0] * large[1] >= THREADS_FROM_PIXELS)

    @cached_property
    def _settled_rules(self) -> Rules:
        return dataclasses.replace(self.rules, size=(self.height, self.width), channels=self.channels)

    def _made(self) -> Mapping[str, Any]:
        return dataclasses.asdict(self._settled_rules)


class ShardSource(PictureFiles):
    """Shards as a source like any other, to be surveyed or packed."""

    kind = "shards"

    def __init__(self, files: Sequence[Path], *, location: str) -> None:
        self.location, self.index, self.files = location, indexed(files), files
        self.total = len(self.index)

    def entries(self) -> Iterator[Entry]:
        source, block = ShardFiles(self.index, self.files), 4096
        for start in range(0, len(self.index), block):
            yield from source.entries(np.arange(start, min(start + block, len(self.index))))

    def labels(self, names: list[str]) -> Labels | None:
        if not self.index.class_names:
            return None
        rows = np.array([int(name.rpartition(" ")[2]) for name in names])
        return Labels(values=self.index.store.read("label", rows), class_names=self.index.class_names)

    def about_labels(self, names: list[str]) -> str:
        return "" if self.index.class_names else "No sample has a .cls."

    def passed_over(self) -> Mapping[str, int]:
        return {}

    def identity(self) -> str:
        return f"shards:{hash_of(self.index.fingerprint)}"


def open_shards(spec: str, rules: Rules, *, cache: Path | None = None, quiet: bool = False) -> ShardedPictures | None:
    """The pictures of the shards that ``spec`` names; None where it names none.

    Raises:
        UserError: shards are missing or damaged, or their pictures do not fit the rules.
    """
    files = shards_of(spec) or tables_of(spec)
    if files is None:
        return None
    if rules.broken == "skip":
        raise UserError(
            f"--broken skip: the pictures of {spec} are read while it is trained, when none can be left out any more. "
            "Leave it out, or pack them: ganvas data pack SRC -o OUT --broken skip."
        )
    return ShardedPictures(indexed(files, cache=cache, quiet=quiet), files, rules)


def _size(index: ShardIndex, rules: Rules) -> tuple[int, int]:
    if rules.size is not None:
        return rules.size
    sizes = list(index.sizes)
    if len(sizes) > 1 and rules.fit == "refuse":
        raise UserError(
            f"The pictures have several sizes: {written(sizes[0])}, {written(sizes[1])}, ... (height x width). Choose "
            "a --size and say how: --fit crop, pad or stretch."
        )
    return sizes[0]
