"""Locked designs: what was fixed before the seeds were known, and the seeds that follow from it.

``claims.lock`` has a digest of each claim's file, of the helpers beside it, and of the judge's version. The seeds of a
verdict are derived from that digest, so nobody can pick them; seeds 0 to 99 are for development. A design that changed
since is refused until it is locked again, and the old digest is kept.
"""

import ast
import functools
import hashlib
from pathlib import Path
from typing import Any

from ganvas.claims.judging import judge
from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import read_json, write_json

NAME = "claims.lock"
PACKAGE = Path(__file__).parents[1]
DEVELOPMENT = 100  # Seeds below it are never judged by.


def digest(path: Path) -> str:
    """Of the whole file and of the helpers that it imports, line endings aside, and of the judge's version."""
    text = "".join(one.read_text(encoding="utf-8") for one in (path, *sorted(helpers(path))))
    return hashlib.sha256(f"judge {judge.VERSION}\n{text}".encode()).hexdigest()


def helpers(path: Path) -> set[Path]:
    """Files that a claim imports from its folder or from ``batched/``, and so on from those: parts of its design."""
    found: set[Path] = set()
    new = {path.resolve()}
    while new:
        new = {helper for one in new for name in _imported(one) for helper in _beside(one, name)} - found
        found |= new
    return found - {path.resolve()}


def _imported(path: Path) -> list[str]:
    return _imports(path.read_text(encoding="utf-8"))


@functools.lru_cache(maxsize=1024)  # A board reads every file many times.
def _imports(text: str) -> list[str]:
    """Names of modules that a file's text may import."""
    found: list[str] = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.ImportFrom):
            module = f"{node.module}." if node.module else ""
            found += [module.rstrip("."), *(module + alias.name for alias in node.names)]
        elif isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
    return found


def _beside(path: Path, name: str) -> list[Path]:
    """The file of a module's name, where it lies in the folder of ``path`` or in that of the batched networks."""
    parts = tuple(name.split("."))
    files = [folder / f"{parts[-1]}.py" for folder in dict.fromkeys((path.parent, PACKAGE / "batched"))]
    return [file for file in files if file.is_file() and file.with_suffix("").parts[-len(parts) :] == parts]


def lock(path: Path) -> str:
    """Locks the design as it stands now; an older one is kept behind it. Returns the digest."""
    file, name, known = _entries(path)
    now = digest(path)
    before = known.get(name)
    if before is None or before["digest"] != now:
        earlier = [*before["before"], before["digest"]] if before else []
        write_json(file, dict(sorted((known | {name: {"digest": now, "before": earlier}}).items())))
    return now


def locked(path: Path) -> str | None:
    """The digest of a locked claim; None of one that was never locked.

    Raises:
        UserError: the file changed after it was locked.
    """
    file, name, known = _entries(path)
    if name not in known:
        return None
    now = digest(path)
    if known[name]["digest"] != now:
        raise UserError(
            f"{path.name} has changed since its design was locked in {file.name}, so its seeds are no longer those of "
            "the design. Undo the change, or lock the new design before you run it: --lock. The old one is kept."
        )
    return now


def looks(path: Path) -> list[int]:
    """The numbers of seeds that the design was judged by since it was locked, in order."""
    _, name, known = _entries(path)
    return list(known.get(name, {}).get("looks", []))


def note_look(path: Path, seeds: int) -> None:
    """Notes a look at a locked design; the same one again tells nothing new and is noted once."""
    file, name, known = _entries(path)
    before = known[name].get("looks", [])
    if seeds not in before:
        write_json(file, known | {name: known[name] | {"looks": [*before, seeds]}})


def judged_seeds(digest_of_design: str, n: int) -> list[int]:
    """The first ``n`` seeds of a design: none below 100, and more of them begin with the same."""
    drawn = (hashlib.sha256(f"{digest_of_design} {place}".encode()).digest() for place in range(n))
    return [DEVELOPMENT + int.from_bytes(one[:4], "big") % (2**31 - DEVELOPMENT) for one in drawn]


def _entries(path: Path) -> tuple[Path, str, dict[str, Any]]:
    """The lock of a file, its name in there, and what is in there: one lock for the package, else one per folder."""
    path = path.resolve()
    root = PACKAGE if path.is_relative_to(PACKAGE) else path.parent
    name = path.relative_to(root).with_suffix("").as_posix()
    file = root / NAME
    known = read_json(file) if file.exists() else {}
    if not isinstance(known, dict) or not all(_whole(entry) for entry in known.values()):
        raise UserError(
            f"{file.name} beside {path.name} is no lock of claims. Restore it, or remove it and lock again."
        )
    return file, name, known


def _whole(entry: Any) -> bool:
    return isinstance(entry, dict) and isinstance(entry.get("digest"), str) and isinstance(entry.get("before"), list)
