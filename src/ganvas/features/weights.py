"""Finding the weights of a network, and making sure that they are the published ones.

They are looked for in this order: what the caller names, the environment variable ``GANVAS_WEIGHTS_<NAME>``, the
user's cache (where ``ganvas features fetch`` puts them). Nothing else ever stands in for them.
"""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.data.cache import cache_folder, content_hash
from ganvas.data.fetch import RemoteFile, bring
from ganvas.features.release import Release
from ganvas.features.tensors import read_tensors


class WeightsMissing(UserError):
    """The weights of a network are not on this machine. The message says where they come from and how to give them."""


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The tensors of a file, and its hash, which goes into the protocol."""

    tensors: Mapping[str, Tensor]
    sha256: str


def variable_of(name: str) -> str:
    """The environment variable that names a network's weights."""
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


def load(
    name: str, release: Release, weights: Path | None = None, *, trust: bool = False, cache: Path | None = None
) -> Weights:
    """The tensors of a network's weights, checked against the published hash before anything in the file is read.

    Args:
        weights: A file to take; None looks in the environment and in the cache.
        trust: Takes a file with another hash too; it then goes by its own hash, so that its numbers compare with
            those of the same file only.

    Raises:
        WeightsMissing: there is no file.
        UserError: the file is another one, or damaged, or holds other things than tensors.
    """
    path = find(name, release, weights, cache=cache)
    if path is None:
        raise WeightsMissing(how_to_give(name, release, cache=cache))
    sha256 = content_hash(path, cache=cache)
    if sha256 not in (release.sha256, *release.also) and not trust:
        raise UserError(_another_file(path, name, release, sha256))
    return Weights(tensors=read_tensors(path), sha256=sha256)


def fetch(name: str, release: Release, *, cache: Path | None = None, quiet: bool = False) -> tuple[Path, int]:
    """Brings the published file into the cache; gives its path and the bytes that were fetched now."""
    into = folder(cache)
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


def _another_file(path: Path, name: str, release: Release, sha256: str) -> str:
    size = path.stat().st_size
    if size < release.size_bytes and path.name == release.file:
        state = f"it has {size:,} of {release.size_bytes:,} bytes, so its download was cut short. Fetch it again"
    else:
        state = (
            f"its SHA-256 begins with {sha256[:8]} and that of {release.file} with {release.sha256[:8]}. "
            "Take the published file"
        )
    return (
        f"{path} is not the published file of {name}: {state}, or trust this one (`--trust`): its numbers then "
        "compare only with numbers of the same file."
    )
