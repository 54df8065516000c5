"""Names of shards: ``shards/{000..063}.tar``, a folder that holds tar files, or Parquet files."""

import itertools
import re
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.data.encoded.file_kinds import known_otherwise
from ganvas.data.shards.row_groups import is_table
from ganvas.data.shards.shard_numbers import NAMED, require_all
from ganvas.data.sources.labels import is_hidden, is_picture
from ganvas.data.sources.locations import expanded
from ganvas.data.sources.picture_tables import parquet_of

MOST = 1_000_000  # Shards: more are a slip of the hand.
COMPRESSED = (".tar.gz", ".tgz", ".tar.xz", ".txz", ".tar.bz2", ".tbz2", ".tar.zst")
_BRACES = re.compile(r"\{([^{}]*)\}")
_RANGE = re.compile(r"(\d+)\.\.(\d+)")


def shards_of(spec: str) -> list[Path] | None:
    """The files that ``spec`` names as shards, in their order; None where it names something else.

    Raises:
        UserError: some are missing, compressed, or no shards.
    """
    path = expanded(spec)
    if path.is_dir():
        return _in_folder(path)
    if path.exists() or not _BRACES.search(spec):
        return None
    files = [expanded(name) for name in spelled_out(spec)]
    missing = [file for file in files if not file.is_file()]
    if missing:
        named = ", ".join(map(str, missing[:NAMED])) + (", ..." if len(missing) > NAMED else "")
        raise UserError(
            f"{len(missing):,} of the {len(files):,} shards of {spec} are not there: {named}. Copy them, or name those "
            "that are."
        )
    if any(is_table(file) for file in files):
        _require_tables(files, spec)
        return files
    for file in files:
        _require_plain(file)
    return files


def tables_of(spec: str) -> list[Path] | None:
    """The Parquet files that ``spec`` is or holds; None where it names something else.

    Raises:
        UserError: some are missing from a folder.
    """
    files = parquet_of(expanded(spec))
    if files is not None and expanded(spec).is_dir():
        require_all(files, expanded(spec))
    return files


def spelled_out(spec: str) -> list[str]:
    """Every name that braces stand for, as a shell has it.

    >>> spelled_out("s/{08..10}.tar"), spelled_out("{train,val}-{0..1}.tar")
    (['s/08.tar', 's/09.tar', 's/10.tar'], ['train-0.tar', 'train-1.tar', 'val-0.tar', 'val-1.tar'])

    Raises:
        UserError: braces hold no range and no list, or stand for too many names.
    """
    pieces = _BRACES.split(spec)
    choices = [[piece] if place % 2 == 0 else _choices(piece, spec) for place, piece in enumerate(pieces)]
    count = 1
    for one in choices:
        count *= len(one)
    if count > MOST:
        raise UserError(f"{spec} stands for {count:,} shards; at most {MOST:,} are read. Check the numbers.")
    return ["".join(chosen) for chosen in itertools.product(*choices)]


def _choices(inside: str, spec: str) -> list[str]:
    if match := _RANGE.fullmatch(inside):
        first, last = int(match[1]), int(match[2])
        if last - first >= MOST or last < first:
            raise UserError(f"{spec}: {{{inside}}} is no range. Give the smaller number first, as in {{000..063}}.")
        width = len(match[1]) if match[1].startswith("0") or match[2].startswith("0") else 0
        return [f"{number:0{width}d}" for number in range(first, last + 1)]
    if "," not in inside:
        raise UserError(
            f"{spec}: {{{inside}}} is not understood. Give a range, as in {{000..063}}, or a list: {{a,b}}."
        )
    return inside.split(",")


def _in_folder(folder: Path) -> list[Path] | None:
    """The tar files of a folder that holds nothing else to train on."""
    entries = sorted(entry for entry in folder.iterdir() if not is_hidden(entry.name))
    shards = [entry for entry in entries if entry.suffix.lower() == ".tar" and entry.is_file()]
    if not shards or any(entry.is_dir() or is_picture(entry.name) for entry in entries):
        return None
    compressed = [entry.name for entry in entries if entry.name.lower().endswith(COMPRESSED)]
    if compressed:
        raise UserError(
            f"{folder} holds plain tar shards and compressed ones, such as {compressed[0]}, which cannot be read where "
            "they lie. Decompress those, or move them into another folder."
        )
    for file in shards:
        _require_plain(file)
    require_all(shards, folder)
    return shards


def _require_tables(files: list[Path], spec: str) -> None:
    other = next((file for file in files if not is_table(file)), None)
    if other is not None:
        raise UserError(f"{spec} names tables and other files, such as {other.name}. Name those of one layout.")


def _require_plain(file: Path) -> None:
    with file.open("rb") as opened:
        start = opened.read(512)
    if file.suffix.lower() == ".tar" and (not start or start[257:262] == b"ustar" or not known_otherwise(start)):
        return
    raise UserError(
        f"{file} is no plain tar file, and pictures are read from the middle of shards. Decompress it, or pack all: "
        "ganvas data pack SRC -o OUT."
    )
