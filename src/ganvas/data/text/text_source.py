"""Sources of text, a sample a line: files in UTF-8, as they are or compressed, and the help texts of Python itself."""

import abc
import bz2
import gzip
import io
import lzma
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.cache import content_hash
from ganvas.data.sources.picture_source import hash_of

MOST_OF_A_LINE = 1 << 20  # Bytes: what is longer has no lines.
COMPRESSED = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}
DAMAGED = (OSError, EOFError, lzma.LZMAError)
PARTS, HELD_OUT_EVERY = ("train", "held-out"), 10
MARK = b"\xef\xbb\xbf"  # Of UTF-8, at the start of a file.


class TextSource(abc.ABC):
    """Lines in a fixed order. Blank ones are left out."""

    kind: str  # "text", "pydoc", "packed"
    location: str  # As the user wrote it.
    law: str | None = None  # The name of the oracle that draws the lines, where one does.
    tokens: tuple[str, ...] | None = None  # All that there can be, where that is known.

    @abc.abstractmethod
    def lines(self) -> Iterator[str]:
        """Every line once, in order, without what ends it, blank ones among them."""

    @abc.abstractmethod
    def identity(self) -> str:
        """Changes when the lines may have changed."""

    def samples(self) -> Iterator[str]:
        """The lines that are not blank."""
        return (line for line in self.lines() if line.strip())


class TextFile(TextSource):
    """A file of text in UTF-8, which may be compressed by gzip, bzip2 or xz."""

    kind = "text"

    def __init__(self, path: Path, *, location: str) -> None:
        self.path, self.location = path, location

    def lines(self) -> Iterator[str]:
        with _opened(self.path, self.location) as file:
            number = 0
            while data := file.readline(MOST_OF_A_LINE + 1):
                number += 1
                if len(data) > MOST_OF_A_LINE:
                    raise _endless(self.location, number)
                yield _decoded(data.removeprefix(MARK) if number == 1 else data, self.location, number)

    def identity(self) -> str:
        return f"text:{content_hash(self.path)}"


class PydocTopics(TextSource):
    """The help texts that come with Python: ``pydoc``, or one topic, ``pydoc:yield``. Every sentence once."""

    kind = "pydoc"

    def __init__(self, spec: str) -> None:
        from pydoc_data.topics import topics

        self.location, name = spec, spec.partition(":")[2]
        if name and name not in topics:
            raise UserError(f"{spec}: Python's help has no topic '{name}'.{did_you_mean(name, sorted(topics))}")
        self.topics = [topics[name]] if name else [topics[key] for key in sorted(topics)]

    def lines(self) -> Iterator[str]:
        paragraphs = (part for text in self.topics for part in re.split(r"\n\s*\n", text))
        prose = (part for part in paragraphs if not _is_example(part))
        yield from dict.fromkeys(sentence for part in prose for sentence in sentences(part))

    def identity(self) -> str:
        return "pydoc:" + hash_of(list(self.lines()))


class PartOfText(TextSource):
    """Nine lines of ten of a source, or the tenth; blank ones do not count."""

    def __init__(self, whole: TextSource, part: str, *, location: str) -> None:
        self.whole, self.part, self.location, self.kind = whole, part, location, whole.kind
        self.law, self.tokens = whole.law, whole.tokens

    def lines(self) -> Iterator[str]:
        for place, line in enumerate(self.whole.samples(), 1):
            if (place % HELD_OUT_EVERY == 0) == (self.part == "held-out"):
                yield line

    def identity(self) -> str:
        return f"{self.whole.identity()}:{self.part}:{HELD_OUT_EVERY}"


def sentences(paragraph: str) -> Iterator[str]:
    """The sentences of a paragraph, each on one line with single spaces.

    >>> list(sentences("It  ends.\\nDoes it? Yes"))
    ['It ends.', 'Does it?', 'Yes']
    """
    flowing = " ".join(paragraph.split())
    yield from filter(None, re.split(r"(?<=[.!?:]) (?=[\"'(*]?[A-Z])", flowing))


def _is_example(paragraph: str) -> bool:
    """Code, grammar, a heading with its rule, or a table: no prose."""
    first = paragraph.strip("\n").split("\n")[0]
    return first.startswith("    ") or "::=" in paragraph or bool(re.search(r"[*=~^-]{4,}", paragraph))


@contextmanager
def _opened(path: Path, location: str) -> Iterator[IO[bytes]]:
    opener = COMPRESSED.get(path.suffix.lower())
    try:
        with opener(path, "rb") if opener else path.open("rb") as file:
            yield cast(IO[bytes], io.BufferedReader(cast(io.RawIOBase, file), 1 << 20) if opener else file)
    except PermissionError:
        raise UserError(
            f"{location} cannot be read: there is no permission. Choose another, or change its permissions."
        ) from None
    except DAMAGED as error:
        raise UserError(f"{location} cannot be read to its end ({error}). Copy it again.") from None


def _decoded(data: bytes, location: str, number: int) -> str:
    """One line without its end.

    Raises:
        UserError: it is not UTF-8, or no text at all.
    """
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UserError(
            f"{location} is not text in UTF-8: line {number} has the byte 0x{data[error.start]:02x}. Convert it, as in "
            f"iconv -f ISO-8859-1 -t UTF-8 {Path(location).name} > in-utf-8.txt."
        ) from None
    if "\0" in text:
        raise UserError(
            f"{location} is not text in UTF-8: line {number} has a zero byte, as UTF-16 and binary files do. Convert "
            "it, or name a file of text."
        )
    return text.rstrip("\r\n")


def _endless(location: str, number: int) -> UserError:
    return UserError(
        f"{location}: line {number} is longer than {MOST_OF_A_LINE:,} bytes, and a line is a sample. Break it into "
        "lines, as in fold -s -w 80."
    )
