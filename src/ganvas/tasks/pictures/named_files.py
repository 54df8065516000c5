"""The pictures that a person names to be changed: files with names, wherever they lie, or pictures by number."""

import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from ganvas.core.errors import UserError
from ganvas.data.pairs.pairing import stem_of
from ganvas.data.sources.labels import is_picture
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.named_pictures import NamedPictures
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import PictureArray, PictureFiles, Source


@dataclass(frozen=True, kw_only=True)
class NamedFile:
    """One picture: its name below the source, and its encoded bytes when they are asked for."""

    name: str
    read: Callable[[], bytes]
    at: float  # How far through the source it is, in the source's unit.

    def named(self, ending: str) -> str:
        """The name with another ending."""
        return f"{stem_of(self.name)}{ending}"


class NamedFiles:
    """Every picture of a source once; one picture alone is a source too.

    Raises:
        UserError: nothing is there.
    """

    def __init__(self, spec: str) -> None:
        path = expanded(spec)
        self.spec, self.total, self.unit = spec, 1.0, "pictures"
        self.alone = path if path.is_file() and is_picture(path.name) else None
        self.source: Source | None = None
        if self.alone is None:
            self.source = open_source(spec)
            self.total, self.unit = float(self.source.total), self.source.unit

    def __iter__(self) -> Iterator[NamedFile]:
        if self.alone is not None:
            yield NamedFile(name=self.alone.name, read=self.alone.read_bytes, at=1.0)
        elif isinstance(self.source, PictureArray):
            yield from _numbered(self.source)
        else:
            assert isinstance(self.source, PictureFiles)
            selected = self.source.selected if isinstance(self.source, NamedPictures) else ""
            for entry in self.source.entries():
                name = entry.name.removeprefix(f"{selected}/") if selected else entry.name
                yield NamedFile(name=name, read=entry.read, at=entry.at)


class DistinctNames:
    """Refuses two files that would be written to one."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}

    def note(self, name: str, written: str) -> None:
        """That ``name`` is written as ``written``.

        Raises:
            UserError: another file is written there.
        """
        before = self.seen.setdefault(written.casefold(), name)
        if before != name:
            raise UserError(f"{before} and {name} would both be written to {written}. Rename one of them.")


def _numbered(source: PictureArray) -> Iterator[NamedFile]:
    """Pictures without names as PNG files, numbered from 0."""
    from PIL import Image

    done = 0
    for block in source.blocks(64):
        for pixels in block.images:
            buffer = io.BytesIO()
            Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels).save(buffer, format="PNG")
            yield NamedFile(name=f"{done:06d}.png", read=buffer.getvalue, at=float(done + 1))
            done += 1
