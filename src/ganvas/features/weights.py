"""The tensors of a network, from a file that is known to be the published one."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.features.finding import WeightsMissing, find, how_to_give
from ganvas.features.release import Release
from ganvas.features.tensors import read_tensors

__all__ = ["Weights", "WeightsMissing", "load"]


@dataclass(frozen=True, kw_only=True)
class Weights:
    """The tensors of a file, and its hash, which goes into the protocol."""

    tensors: Mapping[str, Tensor]
    sha256: str


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
        f"{path} is not the published file of {name}: {state}, or trust this one (`--trust-weights`): its numbers then "
        "compare only with numbers of the same file."
    )
