"""Known public sets, fetched from their sources and checked against published hashes.

A set lands in the user's cache as the files that its authors publish, and is then the source ``fetched:NAME``. A
download that breaks off is resumed; a file appears under its name only when its hash is right. Without a
network the files may be put there by hand: they are checked in the same way.
"""

import os
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.atomic_files import write_text
from ganvas.core.progress import progress
from ganvas.data.cache import cache_folder, explain_cache_errors, hash_file
from ganvas.data.sources.idx import CLASSES

_TIMEOUT_SEC = 30
_CHUNK = 1 << 16
_PART = ".part"


@dataclass(frozen=True, kw_only=True)
class RemoteFile:
    """One published file."""

    name: str
    sha256: str
    urls: tuple[str, ...]  # Tried in order.


@dataclass(frozen=True, kw_only=True)
class KnownSet:
    """A public set of pictures."""

    summary: str
    licence: str
    files: tuple[RemoteFile, ...]
    class_names: tuple[str, ...] = ()  # Where the files do not name them.


@dataclass(frozen=True, kw_only=True)
class Fetched:
    """Where a set is now."""

    name: str
    folder: Path
    files: tuple[str, ...]
    downloaded_bytes: int  # In this call; 0 when everything was there.


def _idx_files(hashes: Mapping[str, str], *bases: str) -> tuple[RemoteFile, ...]:
    return tuple(
        RemoteFile(name=name, sha256=sha256, urls=tuple(f"{base}/{name}" for base in bases))
        for name, sha256 in hashes.items()
    )


# SHA-256 sums as torch-rb pins them for the first of the mirrors below. torchvision pins the MD5 sums of the same bytes
# (f68b3c2d..., d53e105e..., 9fb629c4..., ec29112d...). The original page, yann.lecun.com, no longer serves them.
_MNIST = {
    "train-images-idx3-ubyte.gz": "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
    "train-labels-idx1-ubyte.gz": "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
    "t10k-images-idx3-ubyte.gz": "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
    "t10k-labels-idx1-ubyte.gz": "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
}
# The README of zalandoresearch/fashion-mnist publishes MD5 sums (8d4fb7e6..., 25c81989..., bef4ecab..., bb300cfd...);
# these are the SHA-256 sums of the same bytes.
_FASHION = {
    "train-images-idx3-ubyte.gz": "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
    "train-labels-idx1-ubyte.gz": "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
    "t10k-images-idx3-ubyte.gz": "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
    "t10k-labels-idx1-ubyte.gz": "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
}
# https://www.cs.toronto.edu/~kriz/cifar.html publishes the MD5 sum c32a1d4ab5d03f1284b67883e8d87530.
_CIFAR10 = "c4a38c50a1bc5f3a1c5537f2155ab9d68f9f25eb1ed8d9ddda3db29a59bca1dd"

KNOWN: dict[str, KnownSet] = {
    "mnist": KnownSet(
        summary="70,000 handwritten digits, 28 x 28 grey (LeCun, Cortes, Burges 1998)",
        licence="CC BY-SA 3.0",
        files=_idx_files(
            _MNIST,
            "https://ossci-datasets.s3.amazonaws.com/mnist",
            "https://storage.googleapis.com/cvdf-datasets/mnist",
        ),
    ),
    "fashion-mnist": KnownSet(
        summary="70,000 pictures of clothes, 28 x 28 grey (Xiao, Rasul, Vollgraf 2017)",
        licence="MIT",
        files=_idx_files(_FASHION, "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com"),
        class_names=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
    ),
    "cifar10": KnownSet(
        summary="60,000 photographs of 10 classes, 32 x 32 RGB (Krizhevsky 2009)",
        licence="free for research, with citation",
        files=(
            RemoteFile(
                name="cifar-10-binary.tar.gz",
                sha256=_CIFAR10,
                urls=("https://www.cs.toronto.edu/~kriz/cifar-10-binary.tar.gz",),
            ),
        ),
    ),
}


def fetch(name: str, *, cache: Path | None = None, quiet: bool = False) -> Fetched:
    """Brings a known set into the cache. What is there already, and whole, is not fetched again.

    Raises:
        UserError: the set is not known, the network is not there, or a file is not the published one.
    """
    if name not in KNOWN:
        raise UserError(f"There is no known set '{name}'.{did_you_mean(name, KNOWN)} Known: {', '.join(KNOWN)}.")
    known, folder = KNOWN[name], folder_of(name, cache)
    downloaded = 0
    with explain_cache_errors(folder):
        folder.mkdir(parents=True, exist_ok=True)
        for file in known.files:
            downloaded += bring(file, name, folder, quiet=quiet)
        if known.class_names:
            write_text(folder / CLASSES, "\n".join(known.class_names) + "\n")
    return Fetched(
        name=name, folder=folder, files=tuple(file.name for file in known.files), downloaded_bytes=downloaded
    )


def folder_of(name: str, cache: Path | None = None) -> Path:
    """Where a set is, or would be, in the cache."""
    return (cache or cache_folder()) / "fetched" / name


def location_of(name: str, cache: Path | None = None) -> Path | None:
    """What to open of a fetched set: its folder, or its one archive. None when a file is missing."""
    folder, files = folder_of(name, cache), KNOWN[name].files
    if not all((folder / file.name).exists() for file in files):
        return None
    return folder / files[0].name if len(files) == 1 else folder


def bring(file: RemoteFile, name: str, folder: Path, *, quiet: bool) -> int:
    """Makes sure that a file is there and is the published one; gives the bytes fetched.

    Args:
        name: What the file is a part of, as its errors call it.
        folder: Where it goes.
    """
    path = folder / file.name
    if path.exists():
        if hash_file(path) == file.sha256:
            return 0
        raise UserError(f"{path} is not the published file: its SHA-256 differs. Remove it and fetch again.")
    part, failures = path.with_name(path.name + _PART), []
    for url in file.urls:
        try:
            fetched = _download(url, part, quiet=quiet)
        except (OSError, ValueError) as error:  # URLError and timeouts are OSErrors.
            failures.append(f"{url}: {getattr(error, 'reason', None) or error}")
            continue
        if hash_file(part) == file.sha256:
            os.replace(part, path)
            return fetched
        part.unlink()
        failures.append(f"{url}: it sent something else than the published file (its SHA-256 differs)")
    raise UserError(
        f"{file.name} of {name} could not be fetched ({'; '.join(failures)}). Try again when there is a network, or "
        f"download it elsewhere, put it into {folder} and give the same command: it will be checked and used."
    )


def _download(url: str, part: Path, *, quiet: bool) -> int:
    """Fetches into ``part``, resuming what an earlier attempt left there."""
    held = part.stat().st_size if part.exists() else 0
    headers = {"User-Agent": "ganvas"} | ({"Range": f"bytes={held}-"} if held else {})
    try:
        answer = urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=_TIMEOUT_SEC)
    except urllib.error.HTTPError as error:
        with error:
            if error.code == 416 and held:  # Nothing is left to send: the hash will tell whether that is right.
                return 0
        raise
    with answer:
        goes_on = answer.status == 206
        start = held if goes_on else 0
        length = answer.headers.get("Content-Length")
        total = start + int(length) if length else 0
        got = _copy(answer, part, goes_on=goes_on, start=start, total=total, quiet=quiet)
    if length and got != int(length):
        raise OSError(f"the connection broke off after {start + got:,} of {total:,} bytes")
    return got


def _copy(answer, part: Path, *, goes_on: bool, start: int, total: int, quiet: bool) -> int:  # noqa: ANN001
    got = 0
    title = f"Fetching {part.name.removesuffix(_PART)}"
    with part.open("ab" if goes_on else "wb") as file, progress(title, total / 1e6, unit="MB", quiet=quiet) as report:
        while block := answer.read(_CHUNK):
            file.write(block)
            got += len(block)
            report((start + got) / 1e6)
    return got
