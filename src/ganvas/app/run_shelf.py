"""Shelf of runs under one folder: found by looking, named by where they lie, and by nothing that a page sends.

A page names a run by its identity here, which is compared with those that the last look found. No path is ever made
of what a page sent, so there is none to lead elsewhere; a link of the file system that does is passed over.
"""

import os
from collections.abc import Iterator
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.core.run_folder import DESCRIPTION, RunFolder

DEPTH = 3  # Folders of folders of runs, and not a whole disk.
MOST_RUNS = 20_000


class Gone(UserError):
    """Nothing of that name is here, or not any more."""


class RunShelf:
    """The runs under ``root``, or the one run that it is."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._known: dict[str, str] = {}

    def look(self) -> dict[str, str]:
        """Folders of the runs that there are now, by their names here, in their order."""
        root = str(self.root)
        if _is_run(root):
            found = {self.root.name or "run": root}
        else:
            paths = sorted(path for path, _ in zip(_runs(root, DEPTH), range(MOST_RUNS), strict=False))
            found = {path[len(root) :].lstrip(os.sep).replace(os.sep, "/"): path for path in paths}
        self._known = found
        return found

    def run(self, name: str) -> RunFolder:
        """The run of that name.

        Raises:
            Gone: there is none, or its folder was removed since.
        """
        path = self._known.get(name) or self.look().get(name)
        if path is None or not _is_run(path) or not self.holds(Path(path)):
            raise Gone(f"The run {name} is not there any more. Its folder was removed or renamed.")
        return RunFolder(Path(path))

    def holds(self, path: Path) -> bool:
        """Whether a path, once every link in it is followed, is still under the root."""
        try:
            return path.resolve(strict=True).is_relative_to(self.root)
        except OSError:
            return False


def _runs(folder: str, depth: int) -> Iterator[str]:
    """Runs in a folder and in its folders; what cannot be read has none, and links are not followed."""
    try:
        with os.scandir(folder) as entries:
            inside = [e.path for e in entries if not e.name.startswith(".") and e.is_dir(follow_symlinks=False)]
    except OSError:
        return
    for path in inside:
        if _is_run(path):
            yield path
        elif depth > 1:
            yield from _runs(path, depth - 1)


def _is_run(path: str) -> bool:
    return os.path.isfile(f"{path}/{DESCRIPTION}")
