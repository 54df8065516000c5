"""Samples of a tar file in WebDataset's layout: files that follow one another and share a name up to its first dot.

``0001.jpg 0001.cls 0002.jpg 0002.cls ...``: a sample has one picture, and its class as a number where there is a
``.cls``. Other files of it are passed over. https://github.com/webdataset/webdataset has the layout.
"""

import tarfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, BinaryIO

from ganvas.core.errors import UserError
from ganvas.data.pictures import LARGEST_BYTES
from ganvas.data.shards.shard import CLASS, PICTURE, Shard, ShardSample
from ganvas.data.sources.damage import explain_damage
from ganvas.data.sources.labels import is_hidden, is_picture, tidy
from ganvas.data.store import OpenFile

BLOCK = 512  # Bytes of a tar's record.
MOST_CLASS = 1 << 31


class TarShard(Shard):
    """A tar file."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._bytes = OpenFile(path)

    def described(self) -> Mapping[str, Any]:
        return {"name": self.path.name, "bytes": self.path.stat().st_size}

    def samples(self) -> Iterator[ShardSample]:
        return samples(self.path)

    def read(self, offset: int, size: int) -> bytes | None:
        data = bytearray(size)
        return bytes(data) if self._bytes.fill(memoryview(data), offset) else None


def samples(path: Path) -> Iterator[ShardSample]:
    """Every sample of a tar file, in its order.

    Raises:
        UserError: the file is cut short or damaged, or a sample has no picture, or several.
    """
    with explain_damage(str(path)), path.open("rb") as file:
        sample = None
        with tarfile.open(fileobj=file, mode="r:") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # It would keep every header to the end.
                name = tidy(member.name)
                if member.isdir() or is_hidden(name):
                    continue
                if not member.isreg() or member.issparse():
                    raise UserError(f"{path} holds {name}, which is a link or no plain file. Write it again without.")
                folder, _, base = name.rpartition("/")
                stem, _, ending = base.partition(".")
                key = f"{folder}/{stem}" if folder else stem
                if sample is None or key != sample.key:
                    if sample is not None:
                        yield _whole(sample, path)
                    sample = ShardSample(key)
                _take(sample, name, ending.lower(), member, file, path)
            _require_end(file, archive.offset, path)
        if sample is not None:
            yield _whole(sample, path)


def _take(sample: ShardSample, name: str, ending: str, member: tarfile.TarInfo, file: BinaryIO, path: Path) -> None:
    """Notes one file of a sample."""
    if is_picture(f"x.{ending}"):
        if member.size > LARGEST_BYTES:
            raise UserError(f"{path}: {name} is larger than {LARGEST_BYTES >> 20} MiB, which no picture is.")
        sample.parts.append(PICTURE)
        sample.name, sample.offset, sample.size = name, member.offset_data, member.size
        return
    sample.parts.append(ending)
    if ending == CLASS:
        file.seek(member.offset_data)
        text = file.read(min(member.size, 32)).strip()
        if not text.isdigit() or int(text) >= MOST_CLASS:
            raise UserError(f"{path}: {name} says {text.decode(errors='replace')!r}; the number of a class is wanted.")
        sample.label = int(text)


def _whole(sample: ShardSample, path: Path) -> ShardSample:
    pictures = sample.parts.count(PICTURE)
    if pictures != 1:
        found = f"{pictures} pictures" if pictures else f"no picture ({', '.join(sample.parts)})"
        raise UserError(f"{path}: the sample {sample.key} has {found}, and one is wanted. Write the shard again.")
    return sample


def _require_end(file: BinaryIO, end: int, path: Path) -> None:
    """``tarfile`` stops without a word at a header that is cut short; an archive ends with a record of zeros."""
    file.seek(end)
    last = file.read(BLOCK)
    if len(last) < BLOCK or last.strip(b"\0"):
        raise UserError(f"{path} is cut short or damaged: the archive has no end. Copy or download it again.")
