"""Numbers in the names of shards: which ones a folder lacks."""

import re
from collections.abc import Sequence
from pathlib import Path

from ganvas.core.errors import UserError

NAMED = 5  # Missing shards that a message names.
_OF_MANY = re.compile(r"(\d+)-of-(\d+)$")  # train-00002-of-00005, counted from 0.
_LAST = re.compile(r"(\d+)$")


def require_all(files: Sequence[Path], folder: Path) -> None:
    """Refuses shards of a folder where one between the others, or of as many as their names say, is not there.

    Names without numbers say nothing, and neither do numbers most of which are missing: they count something else.

    Raises:
        UserError: shards are missing.
    """
    lacking = missing(files)
    if lacking:
        named = ", ".join(lacking[:NAMED]) + (", ..." if len(lacking) > NAMED else "")
        raise UserError(
            f"{folder} has {len(files):,} shards, and by their numbers {len(lacking):,} more belong to them: {named}. "
            f"Copy what is missing, or name the shards that are meant: '{folder}/{{{files[0].stem},...}}"
            f"{files[0].suffix}'."
        )


def missing(files: Sequence[Path]) -> list[str]:
    """Names that are missing.

    >>> missing([Path("000.tar"), Path("001.tar"), Path("003.tar")])
    ['002.tar']
    >>> missing([Path("train-00001-of-00003.parquet")])
    ['train-00000-of-00003.parquet', 'train-00002-of-00003.parquet']
    >>> missing([Path("1998.tar"), Path("2004.tar")]), missing([Path("a.tar"), Path("c.tar")])
    ([], [])
    """
    groups: dict[tuple[str, str, int], dict[int, int]] = {}
    for file in files:
        found = _OF_MANY.search(file.stem) or _LAST.search(file.stem)
        if found:
            count = int(found[2]) if found.re is _OF_MANY else 0
            numbers = groups.setdefault((file.stem[: found.start()], file.suffix, count), {})
            numbers[int(found[1])] = len(found[1])
    return [name for group, numbers in groups.items() for name in _missing_of(group, numbers)]


def _missing_of(group: tuple[str, str, int], numbers: dict[int, int]) -> list[str]:
    start, ending, count = group
    wanted = range(count) if count else range(min(numbers), max(numbers) + 1)
    width = max(numbers.values())
    if not count and len(wanted) > 2 * len(numbers):
        return []
    last = f"-of-{count:0{width}d}" if count else ""
    return [f"{start}{number:0{width}d}{last}{ending}" for number in wanted if number not in numbers]
