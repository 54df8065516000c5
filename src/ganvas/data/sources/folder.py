"""A folder of encoded pictures, and all folders below it, sorted by name."""

import io
import os
import stat
from collections.abc import Iterator
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import DECODING
from ganvas.data.sources import labels as naming
from ganvas.data.sources.named_pictures import NamedPictures, refuse_large
from ganvas.data.sources.picture_source import Entry, hash_of

HEAD_BYTES = 4096  # Read at once where a header is looked for: that of most pictures lies in them.
_RUN = "run.json"


class Folder(NamedPictures):
    """A folder and everything below it. Runs of Ganvas in it are omitted: their sheets are no pictures of the set."""

    kind = "folder"

    def __init__(
        self, path: Path, *, location: str, selected: str = "", sought: naming.Sought = naming.PICTURES
    ) -> None:
        super().__init__(path, location=location, selected=selected, sought=sought)
        seen = list(_walk(path))
        self._files = sorted(name for name in seen if self.wanted(name))
        if not self._files:
            raise naming.nothing_found(self.location, seen, self.selected, self.sought)
        self.others = [name for name in seen if not self.sought.takes(name)]
        for name in self.others:
            if name.endswith(naming.DATASET_JSON):
                self._take_json(name)
        self.total = len(self._files)

    def entries(self) -> Iterator[Entry]:
        for index, name in enumerate(self._files):
            path = self.path / name
            try:
                size = path.stat().st_size
            except OSError:
                size = 0
            yield Entry(
                name=name,
                read=lambda path=path: _read(path),
                open=lambda path=path: _opened(path),
                encoded_bytes=size,
                at=index + 1,
            )

    def identity(self) -> str:
        listed = []
        for name in self._files:
            try:
                of = (self.path / name).stat()
            except OSError:  # Named as broken when its turn comes.
                listed.append([name])
                continue
            listed.append([name, of.st_size, of.st_ino, of.st_mtime_ns, of.st_ctime_ns])
        place = str(self.path.resolve())
        return "folder:" + hash_of(DECODING, place, listed, self.selected, self.dataset_jsons.written())

    def _take_json(self, name: str) -> None:
        path = self.path / name
        try:
            if path.is_file():
                self.dataset_jsons.take(name, path.stat().st_size, path.read_bytes)
        except OSError as error:
            raise UserError(f"{path} cannot be read: {error.strerror}. Make it readable, or remove it.") from None


def _walk(root: Path) -> Iterator[str]:
    """Relative names of all files; links are followed, but no folder is entered twice.

    Hidden folders are not entered, nor runs of Ganvas below the root.
    """
    entered: set[str] = set()
    for folder, folders, files in os.walk(root, followlinks=True, onerror=_unreadable):
        real = os.path.realpath(folder)
        if real in entered or (_RUN in files and Path(folder) != root and _is_run(Path(folder))):
            folders.clear()
            continue
        entered.add(real)
        folders[:] = sorted(name for name in folders if not naming.is_hidden(name))
        relative = Path(folder).relative_to(root)
        yield from ((relative / name).as_posix() for name in sorted(files))


def _is_run(folder: Path) -> bool:
    try:
        text = (folder / _RUN).read_bytes()
    except OSError:
        return False
    return b'"fingerprint"' in text and b'"plan"' in text


def _unreadable(error: OSError) -> None:
    raise UserError(f"{error.filename} cannot be read: {error.strerror}. Choose a folder that can be read.") from None


def _opened(path: Path) -> io.BufferedIOBase:
    """The file, opened; pipes and devices, which could have no end, are never opened."""
    try:
        of = path.stat()
        if not stat.S_ISREG(of.st_mode):
            raise BrokenPicture("is a pipe, a device or the like, not a file")
        refuse_large(of.st_size)
        return io.BufferedReader(io.FileIO(path), HEAD_BYTES)
    except OSError as error:
        raise BrokenPicture(f"cannot be read ({error.strerror})") from None


def _read(path: Path) -> bytes:
    try:
        with _opened(path) as file:
            return file.read()
    except OSError as error:
        raise BrokenPicture(f"cannot be read ({error.strerror})") from None
