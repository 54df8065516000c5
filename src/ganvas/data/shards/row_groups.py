"""Row groups of Parquet files as shards: a group is what can be read of such a file without the rest.

A group is read as a whole, its pictures still encoded, when the first of its rows is asked for. Whoever shuffles within
a few groups at a time so reads each of them once, and holds as many.
"""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ganvas.core.errors import UserError
from ganvas.data.pictures import LARGEST_BYTES
from ganvas.data.shards.shard import CLASS, PICTURE, Shard, ShardSample
from ganvas.data.sources.picture_tables import ParquetPictures, bytes_of


def is_table(file: Path) -> bool:
    """Whether a file is one of row groups, by its name."""
    return file.suffix.lower() == ".parquet"


class RowGroup(Shard):
    """The pictures of one row group, in memory.

    Args:
        file: Number of the file among those of the set.
        first: Rows of the set before it, of which its pictures have their names.

    Raises:
        UserError: the file has no such group, or none that can be read.
    """

    def __init__(self, path: Path, file: int, group: int, *, first: int = 0) -> None:
        self.path, self._place, self._first = path, {"file": file, "group": group}, first
        table = ParquetPictures([path], location=str(path))
        self.class_names = table.class_names()
        self._pictures, self._labels, self._bytes = table.row_group(group)

    def described(self) -> Mapping[str, Any]:
        return {"name": self.path.name, "bytes": self._bytes, **self._place}

    def samples(self) -> Iterator[ShardSample]:
        for row, told in enumerate(self._labels):
            name = f"{self._first + row:09d}"
            size = len(bytes_of(self._pictures[row].as_py(), row, f"{self.path}, row group {self._place['group']}"))
            if size > LARGEST_BYTES:
                raise UserError(f"{self.path}: {name} is larger than {LARGEST_BYTES >> 20} MiB, which no picture is.")
            label = -1 if told is None else told  # The hub writes -1 where a class is hidden.
            parts = [PICTURE, CLASS] if label >= 0 else [PICTURE]
            yield ShardSample(key=name, parts=parts, name=name, offset=row, size=size, label=label)

    def read(self, offset: int, size: int) -> bytes | None:
        if offset >= len(self._pictures):
            return None
        return bytes_of(self._pictures[offset].as_py(), offset, str(self.path))[:size]


def row_groups(files: Sequence[Path]) -> tuple[int, Iterator[Shard]]:
    """How many groups these files have, and one after the other.

    Raises:
        UserError: a file is no Parquet file, or has other columns than the first.
    """
    counts = ParquetPictures(files, location=str(files[0] if len(files) == 1 else files[0].parent)).rows_of_groups
    return sum(map(len, counts)), _one_by_one(files, counts)


def _one_by_one(files: Sequence[Path], counts: Sequence[Sequence[int]]) -> Iterator[Shard]:
    first = 0
    for number, (file, rows) in enumerate(zip(files, counts, strict=True)):
        for group, count in enumerate(rows):
            yield RowGroup(file, number, group, first=first)
            first += count
