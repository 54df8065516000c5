"""CIFAR-10 in its binary version: the archive ``cifar-10-binary.tar.gz`` as it is, or the folder from it.

Each record is one byte of label and 3,072 of pixels: 32 x 32 red, then green, then blue. The python version is a
pickle, which can run any program when it is read; it is refused. https://www.cs.toronto.edu/~kriz/cifar.html
"""

import itertools
from collections.abc import Iterator
from pathlib import Path, PurePosixPath

import numpy as np

from ganvas.core.errors import UserError
from ganvas.data.cache import content_hash
from ganvas.data.sources.arrays import read_fully
from ganvas.data.sources.damage import explain_damage
from ganvas.data.sources.picture_source import Block, PictureArray, Readable, hash_of
from ganvas.data.sources.tar_archive import tar_members

_SIDE, _CHANNELS = 32, 3
_RECORD = 1 + _CHANNELS * _SIDE * _SIDE
_TRAIN = tuple(f"data_batch_{number}.bin" for number in range(1, 6))
_TEST = ("test_batch.bin",)
_META = "batches.meta.txt"
_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar10(PictureArray):
    """The pictures of all batches, training first; ``selected`` is ``train`` or ``test``.

    From an archive the order is the archive's: the batches are read as they come.
    """

    kind = "cifar10"
    height = width = _SIDE
    channels = _CHANNELS
    labelled = True
    class_names = _NAMES

    def __init__(self, path: Path, *, location: str, selected: str = "") -> None:
        self.path, self.location, self.selected = path, location, selected
        choices = {"": (*_TRAIN, *_TEST), "train": _TRAIN, "test": _TEST}
        if selected not in choices:
            raise UserError(f"{location} has no part '{selected}'. Choose ::train or ::test.")
        self._batches = choices[selected]
        sizes = {name: size for name, size in self._sizes().items() if name in self._batches}
        if not sizes:
            raise UserError(f"{location} lacks the files {', '.join(self._batches)}. Fetch it again.")
        odd = next((name for name, size in sizes.items() if size % _RECORD or not size), None)
        if odd:
            raise UserError(
                f"{location}: {odd} is cut short ({sizes[odd]} bytes are no whole records). Fetch it again."
            )
        self.count = sum(sizes.values()) // _RECORD
        self.total = self.count

    def blocks(self, rows: int) -> Iterator[Block]:
        for name, size, file in self._opened():
            for start in range(0, size // _RECORD, rows):
                n = min(rows, size // _RECORD - start)
                flat = np.empty(n * _RECORD, np.uint8)
                with explain_damage(self.location):
                    read_fully(file, flat, f"{self.location}: {name}")
                records = flat.reshape(n, _RECORD)
                labels = records[:, 0].astype(np.int64)
                if labels.max() >= len(_NAMES):
                    raise UserError(f"{self.location}: {name} has a label {labels.max()} above 9: it is damaged.")
                images = records[:, 1:].reshape(n, _CHANNELS, _SIDE, _SIDE).transpose(0, 2, 3, 1)
                yield Block(images=np.ascontiguousarray(images), labels=labels)

    def identity(self) -> str:
        if self.path.is_dir():
            hashes = [[name, content_hash(self.path / name)] for name in self._batches if (self.path / name).exists()]
            return "cifar10:" + hash_of(hashes)
        return f"cifar10:{content_hash(self.path)}:{self.selected}"

    def _sizes(self) -> dict[str, int]:
        if self.path.is_dir():
            return {path.name: path.stat().st_size for path in sorted(self.path.iterdir()) if path.suffix == ".bin"}
        members = tar_members(self.path, self.location)
        return {PurePosixPath(member.name).name: member.size for member in members if member.file is not None}

    def _opened(self) -> Iterator[tuple[str, int, Readable]]:
        if not self.path.is_dir():
            for member in tar_members(self.path, self.location):
                name = PurePosixPath(member.name).name
                if member.file is not None and name in self._batches:
                    yield name, member.size, member.file
            return
        for name in self._batches:
            path = self.path / name
            if path.exists():
                with explain_damage(f"{self.location}/{name}"), path.open("rb") as file:
                    yield name, path.stat().st_size, file


def is_cifar_folder(folder: Path, location: str) -> bool:
    """Whether a folder holds the binary batches. A folder of the python version is refused."""
    return _recognised({path.name for path in folder.iterdir()}, location)


def is_cifar_tar(path: Path, location: str) -> bool:
    """Whether an archive begins with the binary batches. An archive of the python version is refused."""
    first = itertools.islice(tar_members(path, location), 8)
    return _recognised({PurePosixPath(member.name).name for member in first}, location)


def _recognised(names: set[str], location: str) -> bool:
    if names & {*_TRAIN, *_TEST}:
        return True
    if "batches.meta" in names and any(name.startswith(("data_batch_", "test_batch")) for name in names):
        raise UserError(
            f"{location} is the python version of CIFAR-10, a pickle that could run any program when read. "
            "Use the binary version, cifar-10-binary.tar.gz (`ganvas data fetch cifar10`)."
        )
    return False
