"""Opening of the source of pictures that a person names after ``--data``.

::

    pictures/            a folder, and all folders below it      mnist/, x-idx3-ubyte.gz   IDX files
    pictures.zip         also in StyleGAN and EDM layout         cifar-10-binary.tar.gz    CIFAR-10, or its folder
    pictures.tar.xz      also .tar, .tar.gz, .tar.bz2            packed/                   what `ganvas data pack` made
    shards/{000..063}.tar, or a folder of .tar files    WebDataset's layout: read where they lie, not packed
    table.parquet, or a folder of them, hf:NAME    as Hugging Face writes them
    pictures.npy, .npz   uint8 arrays                            fetched:mnist             what `ganvas data fetch` got
    scenes, scenes:5000, scenes:5000,64x96, scenes:5000,64x96,seed=3     made on the spot (height x width)
    street, and the same additions, and ,tight                           people with boxes, of which detectors learn
    triangles, and the same additions                                    white polygons, whose manifold is known
    triangles:created-equal, and the same additions                      those of "Are GANs created equal"
    stacked:SRC, stacked,5000,seed=3:SRC      three grey pictures of a labelled source as red, green and blue

``SRC::part`` takes a part: a subfolder (``cifar.tar.xz::train``), IDX or CIFAR files (``::train``, ``::test``), or an
array of a ``.npz`` (``::x_train``).
"""

import os
import tarfile
import zipfile
from pathlib import Path

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data import packed
from ganvas.data.fitting import Size
from ganvas.data.graphs.opening_graphs import is_graphs
from ganvas.data.points.opening_points import is_points
from ganvas.data.shards.row_groups import is_table
from ganvas.data.shards.shard_files import shards_of
from ganvas.data.sources import arrays, cifar, idx
from ganvas.data.sources.damage import explain_damage
from ganvas.data.sources.folder import Folder
from ganvas.data.sources.locations import (
    BUILT_IN,
    FETCHED,
    SEPARATOR,
    built_in,
    expanded,
    split_part,
    stacked_of,
)
from ganvas.data.sources.picture_source import Source
from ganvas.data.sources.picture_tables import HUB, HubPictures, ParquetPictures, parquet_of
from ganvas.data.sources.tar_archive import Tar
from ganvas.data.sources.zip_archive import Zip
from ganvas.data.text.opening_text import is_text

_NUMPY_MAGIC = b"\x93NUMPY"
_COMPRESSED = (b"\x1f\x8b", b"BZh", b"\xfd7zXZ\0", b"\x28\xb5\x2f\xfd")


def open_source(spec: str, *, size: Size | None = None) -> Source:
    """The source that ``spec`` names (this module's docstring lists the forms).

    Args:
        size: Height and width that are wanted; only what is made on the spot needs to know it.

    Raises:
        UserError: nothing is there, or it is nothing that can be read.
    """
    if is_points(spec):
        raise UserError(f"{spec} holds points, and pictures are wanted. Name a source of pictures.")
    if built_in(spec) == "notes":
        raise UserError(f"{spec} are sounds, and pictures are wanted. Name a source of pictures.")
    if is_graphs(spec):
        raise UserError(f"{spec} holds graphs, and pictures are wanted. Name a source of pictures.")
    if is_text(spec):
        raise UserError(f"{spec} holds text, and pictures are wanted. Name a source of pictures.")
    if name := built_in(spec):
        return _made(name, spec, size)
    if single := stacked_of(spec):
        return _stacked(single, spec, size)
    if (files := shards_of(spec)) is not None:
        return _shards(files, spec)
    if spec.startswith(HUB):
        return HubPictures(spec)
    path, selected = split_part(spec)
    location = path
    if path.startswith(FETCHED):
        path = str(_fetched(path.removeprefix(FETCHED)))
    found = expanded(path)
    if not found.exists():
        raise _missing(path)
    if not os.access(found, os.R_OK):
        raise UserError(
            f"{location} cannot be read: there is no permission. Choose another, or change its permissions."
        )
    return _open_folder(found, location, selected) if found.is_dir() else _open_file(found, location, selected)


def is_packed(spec: str) -> bool:
    """Whether ``spec`` is a packed folder."""
    folder = expanded(spec)
    return folder.is_dir() and packed.is_packed(folder)


def _made(name: str, spec: str, size: Size | None) -> Source:
    from ganvas.data.sources.synthetic import MadeScenes, MadeStreet, MadeTriangles

    made = {"scenes": MadeScenes, "street": MadeStreet, "triangles": MadeTriangles}
    return made[name].parse(spec, size=size)


def _shards(files: list[Path], spec: str) -> Source:
    if is_table(files[0]):
        return ParquetPictures(files, location=spec)
    from ganvas.data.shards.sharded_pictures import ShardSource

    return ShardSource(files, location=spec)


def _stacked(single: str, spec: str, size: Size | None) -> Source:
    from ganvas.data.sources.stacked import Stacked, options_of

    count, seed = options_of(spec)
    if stacked_of(single):
        raise UserError(f"{spec}: stacked pictures have three channels already, and cannot be stacked again.")
    return Stacked(open_source(single, size=size), location=spec, count=count, seed=seed)


def _open_folder(path: Path, location: str, selected: str) -> Source:
    if (tables := parquet_of(path)) is not None:
        return ParquetPictures(tables, location=location)
    if packed.is_packed(path):
        if selected:
            raise UserError(f"{location} is a packed folder, which has no parts: leave out '{SEPARATOR}{selected}'.")
        return packed.PackedRows(path, location=location)
    if idx.holds_idx(path):
        return idx.Idx(path, location=location, selected=selected)
    if cifar.is_cifar_folder(path, location):
        return cifar.Cifar10(path, location=location, selected=selected)
    return Folder(path, location=location, selected=selected)


def _open_file(path: Path, location: str, selected: str) -> Source:
    if not path.is_file():
        raise UserError(f"{location} is a pipe or a device, which can be read only once. Save it as a file first.")
    if path.stat().st_size == 0:
        raise UserError(f"{location} is empty (0 bytes). Copy or download it again.")
    if (tables := parquet_of(path)) is not None:
        return ParquetPictures(tables, location=location)
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(_NUMPY_MAGIC):
        return arrays.NumpyFile(path, location=location, selected=selected)
    if idx.is_idx(path):
        return idx.Idx(path, location=location)
    if start.startswith(b"PK") or path.suffix.lower() in (".zip", ".npz"):
        return _open_zip(path, location, selected)
    if start.startswith(_COMPRESSED) or tarfile.is_tarfile(path):
        if cifar.is_cifar_tar(path, location):
            return cifar.Cifar10(path, location=location, selected=selected)
        return Tar(path, location=location, selected=selected)
    raise _unknown(path, location)


def _open_zip(path: Path, location: str, selected: str) -> Source:
    with explain_damage(location), zipfile.ZipFile(path) as archive:
        members = [name for name in archive.namelist() if not name.endswith("/")]
    if members and all(name.endswith(".npy") for name in members):
        return arrays.NumpyFile(path, location=location, selected=selected)
    return Zip(path, location=location, selected=selected)


def _fetched(name: str) -> Path:
    from ganvas.data.fetch import KNOWN, location_of

    if name not in KNOWN:
        raise UserError(f"There is no known set '{name}'.{did_you_mean(name, KNOWN)} Known: {', '.join(KNOWN)}.")
    path = location_of(name)
    if path is None:
        raise UserError(f"{FETCHED}{name} has not been fetched yet. Do so with `ganvas data fetch {name}`.")
    return path


def _unknown(path: Path, location: str) -> UserError:
    from ganvas.data.sources.labels import is_picture

    if is_picture(path.name):
        return UserError(f"{location} is one picture. Name the folder that it lies in.")
    if path.suffix.lower() in (".pkl", ".pickle", ".pt", ".pth"):
        return UserError(f"{location} is a pickle, which is never read: it could run any program. Save a .npz instead.")
    return UserError(
        f"{location} is nothing that can be read as pictures: not a .zip, .tar, .npz, .npy or IDX file. "
        "Name one of those, or a folder."
    )


def _missing(path: str) -> UserError:
    from ganvas.data.fetch import KNOWN

    given = expanded(path)
    if path in KNOWN:
        return UserError(
            f"There is no file or folder '{path}'. The known set of that name is {FETCHED}{path}, "
            f"after `ganvas data fetch {path}`."
        )
    if not given.parent.is_dir():
        return UserError(f"There is no folder {given.parent}, so {path} is not there either. Check the path.")
    neighbours = sorted(entry.name for entry in given.parent.iterdir() if not entry.name.startswith("."))
    near = did_you_mean(given.name, [*neighbours, *([] if os.sep in path else BUILT_IN)])
    return UserError(f"There is no file or folder {path}.{near or ' Check the path, or use the built-in scenes.'}")
