"""A zip archive of encoded pictures, sorted by name: any pictures, or the layout of StyleGAN and EDM."""

import io
import stat
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.pictures import DECODING
from ganvas.data.sources import labels as naming
from ganvas.data.sources.damage import DAMAGE, explain_damage, unreadable_member
from ganvas.data.sources.named_pictures import NamedPictures, refuse_large
from ganvas.data.sources.picture_source import Entry, hash_of

_ENCRYPTED = 1  # A bit of a member's flags.


class Zip(NamedPictures):
    """A zip archive. Of two members of one name the later is taken, as when it is unpacked."""

    kind = "zip"

    def __init__(
        self, path: Path, *, location: str, selected: str = "", sought: naming.Sought = naming.PICTURES
    ) -> None:
        super().__init__(path, location=location, selected=selected, sought=sought)
        with explain_damage(location):
            self._archive = zipfile.ZipFile(path)
            members = {naming.tidy(info.filename): info for info in self._archive.infolist() if not info.is_dir()}
            _refuse_joined(path, self._archive, location)
            for name, info in members.items():
                self.dataset_jsons.take(name, info.file_size, lambda info=info: self._archive.read(info))
        self._members = {name: members[name] for name in sorted(members) if self.wanted(name)}
        if not self._members:
            raise naming.nothing_found(location, members, self.selected, self.sought)
        self.others = [name for name in members if not self.sought.takes(name)]
        self.total = len(self._members)

    def entries(self) -> Iterator[Entry]:
        for index, (name, info) in enumerate(self._members.items()):
            yield Entry(
                name=name,
                read=lambda info=info: self._read(info),
                open=lambda info=info: self._opened(info),
                encoded_bytes=info.file_size,
                at=index + 1,
            )

    def identity(self) -> str:
        return f"zip:{hash_of(DECODING, content_hash(self.path), self.selected)}"

    def _opened(self, info: zipfile.ZipInfo) -> io.BufferedIOBase:
        if info.flag_bits & _ENCRYPTED:
            raise BrokenPicture("is encrypted in the archive")
        if stat.S_ISLNK(info.external_attr >> 16):
            raise BrokenPicture("is a symbolic link in the archive, which is not followed")
        refuse_large(info.file_size)
        try:
            return cast(io.BufferedIOBase, self._archive.open(info))
        except DAMAGE as error:
            raise BrokenPicture(f"is damaged in the archive ({error})") from None
        except RuntimeError as error:
            raise BrokenPicture(unreadable_member(error) or str(error)) from None

    def _read(self, info: zipfile.ZipInfo) -> bytes:
        """Threads may call this at once: ``zipfile`` guards its file with a lock."""
        try:
            with self._opened(info) as file:
                return file.read()
        except DAMAGE as error:
            raise BrokenPicture(f"is damaged in the archive ({error})") from None


def _refuse_joined(path: Path, archive: zipfile.ZipFile, location: str) -> None:
    """Of two archives joined end to end ``zipfile`` would show the members of the second alone."""
    first = min((info.header_offset for info in archive.infolist()), default=0)
    if first > 0:
        with path.open("rb") as file:
            if file.read(4) == b"PK\x03\x04":
                raise UserError(
                    f"{location} is several zip archives joined end to end, of which only the last could be read. "
                    "Unpack each, and name the folder."
                )
