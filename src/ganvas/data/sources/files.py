"""Sources of encoded pictures: a folder, a tar archive, a zip archive. Nothing is ever unpacked to the disk.

A folder and a zip give their pictures sorted by name. A tar, which can only be read from its beginning to its end,
gives them in the order of the archive.
"""

import bz2
import gzip
import io
import lzma
import os
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.pictures import LARGEST_BYTES, BrokenPicture
from ganvas.data.sources import labels as naming
from ganvas.data.sources.picture_source import Entry, Labels, PictureFiles, Readable, hash_of

DAMAGE = (EOFError, zlib.error, lzma.LZMAError, tarfile.TarError, zipfile.BadZipFile, OSError)
_BLOCK = 512  # Bytes of a tar's record; the archive ends with at least one of zeros.


class _NamedPictures(PictureFiles):
    """What the three have in common: a selected folder, and labels from folders or a dataset.json."""

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        self.path, self.location, self.selected = path, location, selected.strip("/")
        self._dataset_json: bytes | None = None

    def labels(self, names: list[str]) -> Labels | None:
        if self._dataset_json is not None:
            return naming.from_dataset_json(self._dataset_json, names, where=self.location)
        cut = len(self.selected) + 1 if self.selected else 0
        return naming.from_folders([name[cut:] for name in names])

    def _wanted(self, name: str) -> bool:
        return naming.is_picture(name) and naming.is_within(name, self.selected)


class Folder(_NamedPictures):
    """A folder and everything below it."""

    kind = "folder"

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        super().__init__(path, location=location, selected=selected)
        seen = list(_walk(path))
        self._files = sorted(name for name in seen if self._wanted(name))
        if not self._files:
            raise naming.nothing_found(self.location, seen, self.selected)
        if naming.DATASET_JSON in seen:
            self._dataset_json = (path / naming.DATASET_JSON).read_bytes()
        self.total = len(self._files)

    def entries(self) -> Iterator[Entry]:
        for index, name in enumerate(self._files):
            path = self.path / name
            try:
                size = path.stat().st_size
            except OSError:
                size = 0
            yield Entry(name=name, read=lambda path=path: _read(path), encoded_bytes=size, at=index + 1)

    def identity(self) -> str:
        listed = []
        for name in self._files:
            try:
                stat = (self.path / name).stat()
            except OSError:  # Named as broken when its turn comes.
                listed.append([name])
                continue
            listed.append([name, stat.st_size, stat.st_mtime_ns])
        json_text = self._dataset_json.decode("utf-8", "replace") if self._dataset_json else ""
        return "folder:" + hash_of(listed, self.selected, json_text)


class Tar(_NamedPictures):
    """A tar archive, plain or compressed with gzip, bzip2 or xz; read once from its beginning to its end."""

    kind = "tar"
    unit = "MB"

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        super().__init__(path, location=location, selected=selected)
        self.total = path.stat().st_size / 1e6

    def entries(self) -> Iterator[Entry]:
        found, seen = False, []
        with explain_damage(self.location):
            for name, size, file, at in tar_members(self.path, self.location):
                if name == naming.DATASET_JSON:
                    self._dataset_json = file.read()
                if not self._wanted(name):
                    seen.append(name)
                    continue
                found = True
                data = file.read() if size <= LARGEST_BYTES else None
                yield Entry(name=name, read=lambda data=data: _checked(data), encoded_bytes=size, at=at)
        if not found:
            raise naming.nothing_found(self.location, seen, self.selected)

    def identity(self) -> str:
        return f"tar:{content_hash(self.path)}:{self.selected}"


class Zip(_NamedPictures):
    """A zip archive: any pictures, or the layout of StyleGAN and EDM with its dataset.json."""

    kind = "zip"

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        super().__init__(path, location=location, selected=selected)
        with explain_damage(location):
            self._archive = zipfile.ZipFile(path)
            members = {naming.tidy(info.filename): info for info in self._archive.infolist() if not info.is_dir()}
            self._members = {name: members[name] for name in sorted(members) if self._wanted(name)}
            if naming.DATASET_JSON in members:
                self._dataset_json = self._archive.read(members[naming.DATASET_JSON])
        if not self._members:
            raise naming.nothing_found(location, members, self.selected)
        self.total = len(self._members)

    def entries(self) -> Iterator[Entry]:
        for index, (name, info) in enumerate(self._members.items()):
            read = lambda info=info: self._read(info)  # noqa: E731
            yield Entry(name=name, read=read, encoded_bytes=info.file_size, at=index + 1)

    def identity(self) -> str:
        return f"zip:{content_hash(self.path)}:{self.selected}"

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        """Threads may call this at once: ``zipfile`` guards its file with a lock."""
        if info.flag_bits & 1:
            raise BrokenPicture("is encrypted in the archive")
        if info.file_size > LARGEST_BYTES:
            _checked(None)
        try:
            return self._archive.read(info)
        except (*DAMAGE, NotImplementedError) as error:
            raise BrokenPicture(f"is damaged in the archive ({error})") from None


def tar_members(path: Path, location: str) -> Iterator[tuple[str, int, Readable, float]]:
    """Every regular file as (name, bytes, open file, compressed megabytes read so far), in the archive's order.

    Links, devices and folders are passed over. A cut archive is noticed even where ``tarfile`` would take the cut for
    the end: the compressed stream is read to its own end, and the last record has to be the zeros that end a tar.
    """
    with explain_damage(location), path.open("rb") as raw, _decompressed(raw) as plain:
        watched = _Watched(plain)
        with tarfile.open(fileobj=watched, mode="r|") as archive:
            while (member := archive.next()) is not None:
                archive.members.clear()  # type: ignore[attr-defined]  # It would keep every header to the end.
                if member.isreg():
                    file = archive.extractfile(member)
                    assert file is not None
                    yield naming.tidy(member.name), member.size, file, raw.tell() / 1e6
        while watched.read(1 << 20):
            pass
        if watched.tail.strip(b"\0") or len(watched.tail) < _BLOCK:
            raise UserError(f"{location} is cut short: the archive has no end. Copy or download it again.")


class _Watched(io.RawIOBase):
    """Passes reads through and remembers the last record."""

    def __init__(self, file: Readable) -> None:
        self._file, self.tail = file, b""

    def readable(self) -> bool:
        return True

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self.tail = (self.tail + data)[-_BLOCK:] if len(data) < _BLOCK else data[-_BLOCK:]
        return data


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


@contextmanager
def explain_damage(location: str) -> Iterator[None]:
    """Turns what Python says of a damaged archive into a :class:`UserError`."""
    try:
        yield
    except PermissionError:
        raise UserError(f"{location} cannot be read: there is no permission. Choose a file that can be read.") from None
    except DAMAGE as error:
        raise UserError(
            f"{location} is cut short or damaged ({error or type(error).__name__}). Copy or download it again."
        ) from None


def _walk(root: Path) -> Iterator[str]:
    """Relative names of all files; links are followed, but no folder is entered twice. Hidden folders are not."""
    entered: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=_unreadable):
        real = os.path.realpath(folder)
        if real in entered:
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not naming.is_hidden(name))
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in sorted(files))


def _unreadable(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read: {error.strerror}. Choose a folder that can be read.") from None


def _read(path: Path) -> bytes:
    try:
        return _checked(path.read_bytes() if path.stat().st_size <= LARGEST_BYTES else None)
    except OSError as error:
        raise BrokenPicture(f"cannot be read ({error.strerror})") from None


def _checked(data: bytes | None) -> bytes:
    if data is None:
        raise BrokenPicture(f"is larger than {LARGEST_BYTES >> 30} GiB")
    return data
