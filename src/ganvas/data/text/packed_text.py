"""Packed text: a store whose rows are lines, as numbers of their tokens, with the alphabet in its manifest.

::

    manifest.json   as of every store, with the alphabet, what a token is, and how many lines were cut or left out
    tokens.npy      int32, count x length
"""

from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import islice
from pathlib import Path

import numpy as np
from jaxtyping import Int

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_folder
from ganvas.core.sample_sizes.line_size import UNITS, LineSize, TokenUnit
from ganvas.data.cached_packs import cached_pack, require_empty
from ganvas.data.packed_store import PackedStore, are_texts
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.picture_source import hash_of
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint
from ganvas.data.text.alphabet import Alphabet, TokenRows
from ganvas.data.text.opening_text import KIND, open_text
from ganvas.data.text.oracle import Oracle, oracle_of
from ganvas.data.text.survey_text import TextSurvey, survey_of
from ganvas.data.text.text_source import TextSource

TOKENS = "tokens"
BLOCK_LINES = 1 << 13
READ = {"unit": str, "alphabet": list, "cut": int, "blank": int, "unknown": int}  # Of the manifest.


class PackedText(PackedStore):
    """A packed folder of lines, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        (self.length,) = store.columns[TOKENS].row_shape
        self.alphabet = Alphabet(tuple(self.manifest["alphabet"]), self.manifest["unit"])

    @property
    def oracle(self) -> Oracle | None:
        """What drew the lines, where that is known."""
        law = self.manifest.get("law")
        return None if law is None else oracle_of(law)

    def read(self, indices: Sequence[int] | Int[np.ndarray, " k"] | slice) -> TokenRows:
        """Lines by index, in the order asked."""
        return self.store.read(TOKENS, indices)

    def content(self) -> str:
        """Also of the alphabet: the same numbers are another text where they stand for other tokens."""
        return _with_alphabet(super().content(), self.alphabet)

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of text."""
        tokens, manifest = store.columns.get(TOKENS), store.manifest
        if tokens is None or tokens.dtype != np.dtype("<i4") or len(tokens.row_shape) != 1 or len(store.columns) > 1:
            return "tokens"
        if wrong := [name for name, kind in READ.items() if type(manifest.get(name)) is not kind]:
            return wrong[0]
        if not are_texts(manifest["alphabet"]):
            return "alphabet"
        if manifest["unit"] not in UNITS:
            return "unit"
        return None if _is_law(manifest.get("law")) else "law"


class PackedLines(TextSource):
    """A packed folder as a source: its lines as they were written, as far as its alphabet goes."""

    kind = "packed"

    def __init__(self, path: Path, *, location: str) -> None:
        self.location, self.pack = location, PackedText.open(path)
        self.law = self.pack.manifest.get("law")
        self.tokens = self.pack.alphabet.tokens if self.law else None

    def lines(self) -> Iterator[str]:
        for start in range(0, len(self.pack), BLOCK_LINES):
            rows = self.pack.read(slice(start, min(start + BLOCK_LINES, len(self.pack))))
            yield from self.pack.alphabet.decode(rows)

    def identity(self) -> str:
        return f"packed:{self.pack.fingerprint}"


def text_source_of(spec: str) -> TextSource:
    """The source of text that ``spec`` names, a packed folder being one."""
    return PackedLines(expanded(spec), location=spec) if PackedText.lies_at(spec) else open_text(spec)


def survey_text(spec: str, unit: TokenUnit) -> TextSurvey:
    """What the source of text that ``spec`` names holds, read once for all that is asked of it.

    Raises:
        UserError: it is not text in UTF-8, or has so few lines or tokens that there is nothing to learn.
    """
    return _survey(spec, text_source_of(spec).identity(), unit)


@lru_cache(maxsize=4)
def _survey(spec: str, identity: str, unit: TokenUnit) -> TextSurvey:
    del identity  # Other lines in the same place are surveyed anew.
    return survey_of(text_source_of(spec), unit)


def prepare_text(
    spec: str, size: LineSize, *, alphabet: Alphabet | None = None, cache: Path | None = None, quiet: bool = False
) -> PackedText:
    """The lines of a source as rows of numbers, packed once and kept.

    Args:
        spec: The source, as :func:`~ganvas.data.text.opening_text.open_text` takes it, or a packed folder.
        size: How long lines are, what a token is, and how many numbers the text's own alphabet has at most.
        alphabet: That of another text, which this one is to be read by; None is its own.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: Nothing is said of waiting for another process.

    Raises:
        UserError: nothing is there, it is not text in UTF-8, or it holds too little to learn from.
    """
    source = text_source_of(spec)
    known = None if alphabet is None else alphabet.tokens
    return cached_pack(
        hash_of(KIND, VERSION, source.identity(), size.length, size.unit, known or size.alphabet)[:32],
        open_pack=lambda folder: PackedText.open_verified(folder, cache=cache),
        write=lambda folder: _write(source, survey_text(spec, size.unit), folder, size, alphabet),
        cache=cache,
        quiet=quiet,
    )


def pack_text(spec: str, out: Path, size: LineSize) -> PackedText:
    """Packs a source of text into the folder ``out``, which must not be there yet."""
    require_empty(out)
    source = text_source_of(spec)
    with atomic_folder(out) as partial:
        _write(source, survey_text(spec, size.unit), partial, size, None)
    return PackedText.open(out)


def _write(source: TextSource, found: TextSurvey, folder: Path, size: LineSize, alphabet: Alphabet | None) -> None:
    known = alphabet or found.alphabet(size.alphabet)
    writer = StoreWriter(folder, KIND)
    try:
        for lines in _blocks(source.samples()):
            writer.append({TOKENS: known.encode(lines, size.length)})
        columns = writer.finish_columns()
    finally:
        writer.close()
    more = {
        "unit": size.unit,
        "alphabet": list(known.tokens),
        "cut": found.longer_than(size.length),
        "blank": found.blank,
        "unknown": sum(count for token, count in found.counts.items() if token not in known.numbers),
        "law": found.law,
        "source": {"kind": source.kind, "name": Path(source.location).name},
    }
    content = content_fingerprint(KIND, writer.count, columns)
    writer.write_manifest(columns, fingerprint=_with_alphabet(content, known), more=more)


def _blocks(lines: Iterator[str]) -> Iterator[list[str]]:
    while block := list(islice(lines, BLOCK_LINES)):
        yield block


def _with_alphabet(content: str, alphabet: Alphabet) -> str:
    return "sha256:" + hash_of(content, list(alphabet.tokens), alphabet.unit)


def _is_law(spelled: object) -> bool:
    """Whether a manifest names an oracle, or none."""
    if spelled is None:
        return True
    try:
        return isinstance(spelled, str) and bool(oracle_of(spelled))
    except UserError:
        return False
