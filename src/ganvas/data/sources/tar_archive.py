"""A tar archive of encoded pictures, plain or compressed with gzip, bzip2 or xz, read from its beginning to its end.

Pictures come in the order of the archive; those that are links to other files of it come last, in a second pass, as
what they lead to. Nothing is ever unpacked to the disk, and no link leads out of the archive.
"""

import bz2
import gzip
import io
import lzma
import posixpath
import tarfile
from collections import deque
from collections.abc import Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import DECODING, LARGEST_BYTES
from ganvas.data.sources import labels as naming
from ganvas.data.sources.damage import explain_damage
from ganvas.data.sources.named_pictures import NamedPictures, refuse_large
from ganvas.data.sources.picture_source import Entry, Readable, hash_of

_BLOCK = 512  # Bytes of a tar's record; the archive ends with at least one of zeros.
_KEPT = 4 * tarfile.RECORDSIZE  # Bytes that were read last: more than ``tarfile`` reads ahead.


@dataclass(frozen=True, kw_only=True)
class Member:
    """One file of a tar archive; links and devices have no bytes of their own."""

    name: str
    size: int
    file: Readable | None
    megabytes: float  # Of the compressed archive, read so far.
    target: str = ""  # The name of the file that a link leads to; empty for one out of the archive.


class Tar(NamedPictures):
    """A tar archive, plain or compressed with gzip, bzip2 or xz; read once from its beginning to its end."""

    kind = "tar"
    unit = "MB"

    def __init__(
        self, path: Path, *, location: str, selected: str = "", sought: naming.Sought = naming.PICTURES
    ) -> None:
        super().__init__(path, location=location, selected=selected, sought=sought)
        self.total = path.stat().st_size / 1e6

    def entries(self) -> Iterator[Entry]:
        self.others, names, links = [], set(), {}
        for member in tar_members(self.path, self.location):
            if not self.wanted(member.name):
                self.others.append(member.name)
                if member.file is not None:
                    with explain_damage(self.location):
                        self.dataset_jsons.take(member.name, member.size, member.file.read)
                continue
            if member.name in names:
                raise UserError(
                    f"{self.location} has {member.name} twice, as an archive that was appended to. Which one is meant "
                    "is seen once it is unpacked: do so, and name the folder."
                )
            names.add(member.name)
            if member.file is None:
                links[member.name] = member.target
            else:
                with explain_damage(self.location):
                    entry = _entry(member)
                yield entry
        if links:
            yield from self._linked(links)
        if not names:
            raise naming.nothing_found(self.location, self.others, self.selected, self.sought)

    def identity(self) -> str:
        return f"tar:{hash_of(DECODING, content_hash(self.path), self.selected)}"

    def _linked(self, links: dict[str, str]) -> Iterator[Entry]:
        """Links as the files that they lead to, in a second pass through the archive."""
        waiting: dict[str, list[str]] = {}
        for name in links:
            waiting.setdefault(_followed(links, name), []).append(name)
        for member in tar_members(self.path, self.location):
            if member.file is not None and member.name in waiting:
                with explain_damage(self.location):
                    data = _data(member)
                for name in waiting.pop(member.name):
                    yield _entry_of(name, data, member.size, at=self.total)
        for name in (name for names in waiting.values() for name in names):
            yield _broken(name, links[name], at=self.total)


def tar_members(path: Path, location: str) -> Iterator[Member]:
    """Everything in the archive but its folders, in its order.

    A cut archive is noticed even where ``tarfile`` would take the cut for the end: the compressed stream is read to its
    own end, and from where the archive ends there have to be zeros alone.

    Raises:
        UserError: the archive is damaged, cut short, or goes on after its end.
    """
    with explain_damage(location), path.open("rb") as raw, _decompressed(raw) as plain:
        watched = _Watched(plain)
        with tarfile.open(fileobj=watched, mode="r|") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # It would keep every header to the end.
                if not member.isdir():
                    file = archive.extractfile(member) if member.isreg() else None
                    yield Member(
                        name=naming.tidy(member.name),
                        size=member.size,
                        file=file,
                        megabytes=raw.tell() / 1e6,
                        target=_target(member),
                    )
            _check_end(watched, archive.offset, location)


def _check_end(watched: "_Watched", end: int, location: str) -> None:
    """From its end on an archive is zeros, at least one record of them.

    ``tarfile`` also stops, without a word, at a header that is cut short or damaged.
    """
    rest = watched.kept_from(end)
    if len(rest) < _BLOCK or rest[:_BLOCK].strip(b"\0"):
        raise UserError(f"{location} is cut short or damaged: the archive has no end. Copy or download it again.")
    while rest:
        if rest.strip(b"\0"):
            raise UserError(
                f"{location} goes on after its end: several archives were joined, or something was written behind it. "
                "Join archives with `tar --concatenate`, or unpack it (`tar --ignore-zeros -xf`) and name the folder."
            )
        rest = watched.read(1 << 20)


class _Watched(io.RawIOBase):
    """Passes reads through and keeps what was read last."""

    def __init__(self, file: Readable) -> None:
        self._file, self._last, self._position = file, deque[bytes](), 0

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._position += len(data)
        self._last.append(data)
        while len(self._last) > 1 and sum(map(len, self._last)) - len(self._last[0]) >= _KEPT:
            self._last.popleft()
        return data

    def kept_from(self, position: int) -> bytes:
        """What was read from that position on, as far as it is kept."""
        last = b"".join(self._last)
        return last[max(0, len(last) - (self._position - position)) :] if self._position > position else b""


def _target(member: tarfile.TarInfo) -> str:
    """The name that a link leads to: a hard link's from the root of the archive, a symbolic one's from its folder."""
    if member.islnk():
        return naming.tidy(member.linkname)
    if not member.issym() or member.linkname.startswith("/"):
        return ""
    joined = posixpath.normpath(posixpath.join(posixpath.dirname(naming.tidy(member.name)), member.linkname))
    return "" if joined.startswith("..") else joined


def _followed(links: dict[str, str], name: str) -> str:
    """The file at the end of a chain of links; empty where the chain goes in a circle."""
    seen = set()
    while name in links and name not in seen:
        seen.add(name)
        name = links[name]
    return "" if name in seen else name


def _data(member: Member) -> bytes | None:
    """The bytes of a member, or None where there are more than a picture has: they are passed over unread."""
    assert member.file is not None
    return member.file.read() if member.size <= LARGEST_BYTES else None


def _entry(member: Member) -> Entry:
    return _entry_of(member.name, _data(member), member.size, at=member.megabytes)


def _entry_of(name: str, data: bytes | None, size: int, *, at: float) -> Entry:
    def read() -> bytes:
        refuse_large(size)
        assert data is not None
        return data

    return Entry(name=name, read=read, open=lambda: io.BytesIO(read()), encoded_bytes=len(data or b""), at=at)


def _broken(name: str, target: str, *, at: float) -> Entry:
    """An entry that says why it cannot be read when its turn comes."""

    def read() -> bytes:
        if target:
            raise BrokenPicture(f"is a link to {target}, which leads to no file of the archive")
        raise BrokenPicture("is a link out of the archive, a pipe or a device")

    return Entry(name=name, read=read, open=lambda: io.BytesIO(read()), encoded_bytes=0, at=at)


def _decompressed(raw: io.BufferedReader) -> AbstractContextManager[Readable]:
    start = raw.read(6)
    raw.seek(0)
    if start.startswith(b"\x1f\x8b"):
        return gzip.open(raw)
    if start.startswith(b"BZh"):
        return bz2.open(raw)
    if start.startswith(b"\xfd7zXZ\0"):
        return lzma.open(raw)
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        raise UserError("Zstandard archives cannot be read here. Unpack it, or pack it again as .tar or .tar.xz.")
    return raw
