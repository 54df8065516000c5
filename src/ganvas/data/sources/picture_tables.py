"""Pictures in tables: Parquet files as Hugging Face writes them, and sets of its hub.

Both can be packed; training reads Parquet files where they lie (:mod:`ganvas.data.shards.row_groups`).

A row has encoded bytes (``image`` as ``{bytes, path}``, or a column of bytes) and, where there are classes, a whole
number ``label`` whose names the table may say.
"""

import importlib
import io
import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.errors import UserError
from ganvas.data.pictures import DECODING
from ganvas.data.sources.damage import explain_damage
from ganvas.data.sources.labels import numbered_classes
from ganvas.data.sources.picture_source import Entry, Labels, PictureFiles, hash_of

HUB = "hf:"
IMAGE, LABEL = ("image", "img", "jpg", "png", "webp", "picture"), ("label", "labels", "fine_label", "class", "cls")
ROWS = 64  # Read at a time.


class PictureTable(PictureFiles):
    """Rows of a table, one picture in each."""

    def __init__(self) -> None:
        self._labels: dict[str, int] = {}

    @abstractmethod
    def rows(self) -> Iterator[tuple[Any, int | None]]:
        """What the column of pictures has, and the class, of every row."""

    @abstractmethod
    def class_names(self) -> tuple[str, ...]:
        """As the table says them; empty where it does not."""

    def entries(self) -> Iterator[Entry]:
        for number, (picture, label) in enumerate(self.rows()):
            data, name = bytes_of(picture, number, self.location), f"{number:09d}"
            if label is not None:
                self._labels[name] = label
            yield Entry(
                name=name,
                read=lambda data=data: data,
                open=lambda data=data: io.BufferedReader(io.BytesIO(data)),  # type: ignore[arg-type]
                encoded_bytes=len(data),
                at=number + 1,
            )

    def labels(self, names: list[str]) -> Labels | None:
        if not self._labels or any(name not in self._labels for name in names):
            return None
        values = np.array([self._labels[name] for name in names], np.int64)
        if values.min() < 0:  # The hub writes -1 where a class is hidden.
            return None
        return Labels(values=values, class_names=self.class_names() or numbered_classes(values))

    def about_labels(self, names: list[str]) -> str:
        return "" if self.labels(names) else f"No column of classes is named {' or '.join(LABEL[:2])}."

    def passed_over(self) -> Mapping[str, int]:
        return {}


class ParquetPictures(PictureTable):
    """Parquet files, one after the other."""

    kind = "parquet"

    def __init__(self, files: Sequence[Path], *, location: str) -> None:
        super().__init__()
        try:
            self._parquet = importlib.import_module("pyarrow.parquet")
        except ImportError:
            raise UserError(
                f"{location} is Parquet, which needs the package pyarrow. Install it with: pip install "
                "'ganvas[parquet]'."
            ) from None
        self.location, self.files = location, list(files)
        with explain_damage(location):
            schemas = [_opened(self._parquet, file).schema_arrow for file in self.files]
        for file, schema in zip(self.files, schemas, strict=True):
            if schema.names != schemas[0].names:
                raise UserError(
                    f"{location}: the files have two layouts: {self.files[0].name} has the columns "
                    f"{', '.join(schemas[0].names)}, and {file.name} {', '.join(schema.names)}. Name those of one."
                )
        self._schema = schemas[0]
        self._image, self._label = _columns(self._schema.names, location)
        self.total = sum(_opened(self._parquet, file).metadata.num_rows for file in self.files)

    def rows(self) -> Iterator[tuple[Any, int | None]]:
        columns = [name for name in (self._image, self._label) if name]
        for file in self.files:
            for batch in _opened(self._parquet, file).iter_batches(ROWS, columns=columns):
                for row in batch.to_pylist():
                    yield row[self._image], row.get(self._label) if self._label else None

    @property
    def rows_of_groups(self) -> list[list[int]]:
        """Rows of every row group of each file."""
        described = [_opened(self._parquet, file).metadata for file in self.files]
        return [[one.row_group(group).num_rows for group in range(one.num_row_groups)] for one in described]

    def row_group(self, group: int) -> tuple[Any, Sequence[int | None], int]:
        """The column of pictures, classes and stored bytes of one row group of the first file.

        Raises:
            UserError: there is none, or it cannot be read.
        """
        file, columns = _opened(self._parquet, self.files[0]), [name for name in (self._image, self._label) if name]
        try:
            found = file.read_row_group(group, columns=columns)
            stored = file.metadata.row_group(group).total_byte_size
        except (OSError, ValueError, IndexError) as error:
            reason = " ".join(str(error).split())[:120]
            raise UserError(
                f"{self.files[0]}: row group {group} cannot be read ({reason}). Copy or download the file again."
            ) from None
        labels = found[self._label].to_pylist() if self._label else [None] * len(found)
        return found[self._image], labels, int(stored)

    def class_names(self) -> tuple[str, ...]:
        said = json.loads((self._schema.metadata or {}).get(b"huggingface", b"{}"))
        return tuple(said.get("info", {}).get("features", {}).get(self._label, {}).get("names", ()))

    def identity(self) -> str:
        stats = [(str(file.resolve()), file.stat()) for file in self.files]
        return f"parquet:{hash_of(DECODING, [(name, stat.st_size, stat.st_mtime_ns) for name, stat in stats])}"


class HubPictures(PictureTable):
    """A set of the Hugging Face hub, streamed once; ``hf:NAME`` or ``hf:NAME,SPLIT``."""

    kind = "hub"
    unit = "pictures"

    def __init__(self, spec: str) -> None:
        super().__init__()
        self.location = spec
        self._name, _, split = spec.removeprefix(HUB).partition(",")
        self._split = split or "train"
        try:
            datasets = importlib.import_module("datasets")
        except ImportError:
            raise UserError(
                f"{spec} is a set of the Hugging Face hub, which needs the package datasets. Install it with: pip "
                "install 'ganvas[hub]'."
            ) from None
        try:
            found = datasets.load_dataset(self._name, split=self._split, streaming=True)
        except Exception as error:  # Whatever the package and the network say.
            reason = " ".join(str(error).split())[:200] or type(error).__name__
            raise UserError(
                f"{spec} cannot be had from the hub: {reason}. Check the name, the split (hf:NAME,SPLIT) and the "
                "network; a download by other means is read as Parquet files."
            ) from None
        if not found.features:
            raise UserError(f"{spec}: the hub does not say which columns it has. Download it as Parquet files.")
        self._image, self._label = _columns(list(found.features), spec)
        told = (found.info.splits or {}).get(self._split)
        self._features, self.total = found.features, float(told.num_examples or 0) if told else 0.0
        self._found = found.cast_column(self._image, datasets.Image(decode=False))

    def rows(self) -> Iterator[tuple[Any, int | None]]:
        for row in self._found:
            yield row[self._image], row[self._label] if self._label else None

    def class_names(self) -> tuple[str, ...]:
        return tuple(getattr(self._features.get(self._label), "names", ()) or ())

    def identity(self) -> str:
        version = getattr(self._found.info, "download_checksums", None)
        return f"hub:{hash_of(DECODING, self._name, self._split, version)}"


def parquet_of(path: Path) -> list[Path] | None:
    """The Parquet files that a path is or holds; None where it is none of them."""
    if path.is_file():
        return [path] if path.suffix.lower() == ".parquet" else None
    files = sorted(path.glob("*.parquet")) if path.is_dir() else []
    return files or None


def _opened(parquet: Any, file: Path) -> Any:
    try:
        return parquet.ParquetFile(file)
    except (OSError, ValueError) as error:
        reason = " ".join(str(error).split())[:120]
        raise UserError(f"{file} is cut short or no Parquet file ({reason}). Copy or download it again.") from None


def _columns(names: Sequence[str], location: str) -> tuple[str, str | None]:
    image = next((name for name in IMAGE if name in names), None)
    if image is None:
        raise UserError(
            f"{location} has the columns {', '.join(names)}, and none that is named {', '.join(IMAGE)}. Name one so."
        )
    return image, next((name for name in LABEL if name in names), None)


def bytes_of(picture: Any, row: int, location: str) -> bytes:
    """The encoded picture of a row.

    Raises:
        UserError: the row has none.
    """
    data = picture.get("bytes") if isinstance(picture, dict) else picture
    if not isinstance(data, bytes):
        raise UserError(
            f"{location}: row {row} holds no bytes of a picture but {type(data).__name__}: they are links, or pixels. "
            "Download the pictures, or save them encoded."
        )
    return data
