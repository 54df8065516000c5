"""Search for a network's weights on this machine, and their download. Needs no torch.

They are looked for in this order: what the caller names, the environment variable ``GANVAS_WEIGHTS_<NAME>``, the
user's cache (where ``ganvas features fetch`` puts them). Nothing else ever stands in for them.
"""

import os
from pathlib import Path

from ganvas.core.errors import UserError
from ganvas.core.files.disk_errors import explain_disk_errors
from ganvas.data.cache import cache_folder
from ganvas.data.fetch import RemoteFile, bring
from ganvas.features.release import Release


class WeightsMissing(UserError):
    """The weights of a network are not on this machine. The message says where they come from and how to give them."""


def variable_of(name: str) -> str:
    """The environment variable that names a network's weights.

    >>> variable_of("inception")
    'GANVAS_WEIGHTS_INCEPTION'
    """
    return f"GANVAS_WEIGHTS_{name.upper()}"


def folder(cache: Path | None = None) -> Path:
    """Where fetched weights lie."""
    return (cache or cache_folder()) / "weights"


def find(name: str, release: Release, weights: Path | None = None, *, cache: Path | None = None) -> Path | None:
    """The file with a network's weights, or None when there is none on this machine.

    Raises:
        UserError: a file was named, and it is not there.
    """
    named = weights or (Path(found) if (found := os.environ.get(variable_of(name))) else None)
    if named is None:
        fetched = folder(cache) / release.file
        return fetched if fetched.is_file() else None
    path = named.expanduser()
    if not path.is_file():
        by = "" if weights else f" (named by {variable_of(name)})"
        state = "it is a folder" if path.is_dir() else "there is no such file"
        raise UserError(f"{path}{by} does not hold the weights of {name}: {state}. Name the file {release.file}.")
    return path


def fetch(name: str, release: Release, *, cache: Path | None = None, quiet: bool = False) -> tuple[Path, int]:
    """Brings the published file into the cache, checked; gives its path and the bytes that were fetched now."""
    into = folder(cache)
    with explain_disk_errors(into):
        into.mkdir(parents=True, exist_ok=True)
        remote = RemoteFile(name=release.file, sha256=release.sha256, urls=(release.url,))
        return into / release.file, bring(remote, name, into, quiet=quiet)


def how_to_give(name: str, release: Release, *, cache: Path | None = None) -> str:
    """Where a network's weights come from, and the ways to give them."""
    return (
        f"The weights of {name} are not here. They are {release.file} ({release.megabytes}, {release.licence}; "
        f"{release.origin}), from {release.url}. Any of these gives them: `ganvas features fetch {name}`; the file "
        f"itself put into {folder(cache)}; `--weights FILE`; {variable_of(name)}=FILE in the environment."
    )
