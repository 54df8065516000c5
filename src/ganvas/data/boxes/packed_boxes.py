"""Packed boxes: a store with the boxes of every picture of a source, at the size that its pictures are packed at.

::

    manifest.json   as of every store, with the category, and what was cut and left out
    corners.npy     float32, count x most x 4: left, top, right, bottom in pixels
    kinds.npy       int8, count x most: see :mod:`ganvas.data.boxes.box_rows`
    seen.npy        float32, count x most
    names.json      the picture each row is of     (only from files)

A source of them is one that knows the boxes of its own pictures (``street``), a folder with a COCO file in it, or any
pictures with a COCO file beside them.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED, OBJECT
from ganvas.core.errors import UserError
from ganvas.data.boxes.box_rows import BoxRows, padded
from ganvas.data.boxes.coco import CocoBox, CocoFile, CocoPicture, as_rows, cut, is_coco, read_coco, told_as
from ganvas.data.cache import hash_file
from ganvas.data.cached_packs import cached_pack
from ganvas.data.conversion import Broken, broken_refusal
from ganvas.data.encoded.broken_picture import BrokenPicture
from ganvas.data.fitting import Fit, Plan, Size, plan, written
from ganvas.data.packed_store import ROW_NAMES, PackedStore, are_texts
from ganvas.data.pairs.pairing import stem_of
from ganvas.data.pictures import read_header
from ganvas.data.sources.locations import expanded, split_part
from ganvas.data.sources.named_pictures import NamedPictures
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.sources.picture_source import PictureFiles, hash_of
from ganvas.data.sources.synthetic import MadeStreet
from ganvas.data.store import VERSION, Store
from ganvas.data.store_writing import StoreWriter, content_fingerprint

KIND = "boxes"
CORNERS, KINDS, SEEN = "corners", "kinds", "seen"
PEOPLE = "person"  # The category of streets.
_ROWS = 256  # Of streets at once.


class PackedBoxes(PackedStore):
    """A packed folder of boxes, open for reading."""

    kind_of_store = KIND

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.category: str = self.manifest["category"]

    @property
    def names(self) -> list[str] | None:
        """The picture of each row, or None where pictures have no names."""
        return self._row_names("picture")

    @property
    def treated(self) -> str:
        """What was cut and left out, in a sentence; empty where nothing was."""
        said = {"cut": "boxes reach beyond their pictures and were cut", "lost": "boxes lie outside and are left out"}
        told = [f"{self.manifest[name]:,} {words}" for name, words in said.items() if self.manifest[name]]
        if out := self.manifest["left_out"]:
            told.append(f"{len(out):,} boxes that cannot be are left out ({out[0]})")
        if unlisted := self.manifest["unlisted"]:
            told.append(f"{unlisted:,} pictures are not in the file of boxes and are left out")
        return f"{'; '.join(told)}." if told else ""

    def read(self, rows: Any) -> BoxRows:
        """The boxes of some pictures, in the order asked."""
        return BoxRows(
            corners=self.store.read(CORNERS, rows), kinds=self.store.read(KINDS, rows), seen=self.store.read(SEEN, rows)
        )

    @staticmethod
    def damage(store: Store) -> str | None:
        """The first of the columns, and of what is read from the manifest, that is not one of boxes."""
        kinds, said = store.columns.get(KINDS), store.manifest
        if kinds is None or kinds.dtype != np.int8 or len(kinds.row_shape) != 1:
            return KINDS
        shapes = {CORNERS: (*kinds.row_shape, 4), SEEN: kinds.row_shape}
        for name, shape in shapes.items():
            column = store.columns.get(name)
            if column is None or column.dtype != np.dtype("<f4") or column.row_shape != shape:
                return name
        counted = all(type(said.get(name)) is int for name in ("cut", "lost", "unlisted"))
        if not counted or not are_texts(said.get("left_out")) or not isinstance(said.get("category"), str):
            return "what was cut and left out"
        return None


@dataclass(kw_only=True)
class _Written:
    """What becomes of boxes on the way into a store."""

    size: Size
    fit: Fit
    names: list[str] = field(default_factory=list)
    cut: int = 0
    lost: int = 0
    unlisted: int = 0


def prepare_boxes(
    data: str,
    target: str | None,
    *,
    size: Size,
    fit: Fit = "refuse",
    category: str = "",
    broken: Broken = "refuse",
    cache: Path | None = None,
    quiet: bool = False,
) -> PackedBoxes:
    """The boxes of a source of pictures, where its pictures are packed at a size; packed once and kept.

    Args:
        data: The pictures.
        target: The COCO file; None where the pictures know their boxes, or lie with such a file in one folder.
        size: Height and width of the packed pictures.
        fit: How pictures of another shape were brought to it.
        category: What is to be found; empty for the only one, or for people.
        broken: Whether a box that cannot be stops everything, or is left out.
        cache: Where packs are kept; None is the user's cache folder.
        quiet: No progress.

    Raises:
        UserError: there are no boxes, or one cannot be.
    """
    source = open_source(data, size=size)
    file = None if isinstance(source, MadeStreet) and target is None else coco_file(data, target)
    of = "" if file is None else hash_file(file)
    key = hash_of(KIND, VERSION, source.identity(), of, list(size), fit, category, broken)[:32]

    def write(folder: Path) -> None:
        done = _Written(size=size, fit=fit)
        if file is None:
            assert isinstance(source, MadeStreet)
            _require_people(category, data)
            _write(folder, _of_street(source, done), done, CocoFile(category=PEOPLE, pictures={}, left_out=[]))
        else:
            assert isinstance(source, PictureFiles)
            told = read_coco(file, category, broken=broken)
            _write(folder, _of_files(source, told, done, broken), done, told)

    return cached_pack(key, open_pack=PackedBoxes.open_verified, write=write, cache=cache, quiet=quiet)


def holds_boxes(data: str) -> bool:
    """Whether a source knows the boxes of its own pictures."""
    return isinstance(open_source(data), MadeStreet) or bool(coco_files_beside(data))


def coco_file(data: str, target: str | None) -> Path:
    """The COCO file that belongs to pictures: the one that is named, or the only one in their folder.

    Raises:
        UserError: there is none, or more than one.
    """
    if target is not None:
        path = expanded(target)
        if not path.is_file():
            found = "this is a folder" if path.is_dir() else "there is no such file"
            raise UserError(f"--target {target}: {found}. Name a COCO file, boxes as JSON.")
        return _of_named_pictures(path, data)
    found = coco_files_beside(data)
    if len(found) == 1:
        return _of_named_pictures(found[0], data)
    if found:
        named = ", ".join(path.name for path in found)
        raise UserError(f"{data} holds several COCO files ({named}). Name the one that is meant: --target FILE.")
    raise UserError(
        f"This model learns boxes, and {data} does not hold them. Name a COCO file (JSON with images and annotations): "
        "--target boxes.json; or take the built-in street."
    )


def _of_named_pictures(file: Path, data: str) -> Path:
    if not isinstance(open_source(data), PictureFiles):
        raise UserError(
            f"{file}: the pictures of {data} have no names, so no box can be told theirs. Name pictures as files."
        )
    return file


def coco_files_beside(data: str) -> list[Path]:
    """The COCO files in a folder of pictures; none of a source that is no folder."""
    folder = expanded(split_part(data)[0])
    return [path for path in sorted(folder.glob("*.json")) if is_coco(path)] if folder.is_dir() else []


def _require_people(category: str, data: str) -> None:
    if category not in ("", PEOPLE):
        raise UserError(f"category={category}: the boxes of {data} are of people. Leave it out, or say {PEOPLE}.")


def _write(folder: Path, blocks: Iterator[BoxRows], done: _Written, told: CocoFile) -> None:
    writer = StoreWriter(folder, KIND)
    try:
        for rows in blocks:
            writer.append({CORNERS: rows.corners, KINDS: rows.kinds, SEEN: rows.seen})
        columns = writer.finish_columns()
    finally:
        writer.close()
    if done.names:
        (folder / ROW_NAMES).write_text(json.dumps(done.names), encoding="utf-8")
    more = {
        "category": told.category,
        "left_out": told.left_out,
        "cut": done.cut,
        "lost": done.lost,
        "unlisted": done.unlisted,
    }
    content = {"fingerprint": content_fingerprint(KIND, writer.count, columns), "more": more}
    writer.write_manifest(columns, **content)


def _of_street(source: MadeStreet, done: _Written) -> Iterator[BoxRows]:
    moved = _Move(plan((source.height, source.width), done.size, done.fit))
    for start in range(0, source.count, _ROWS):
        rows = source.street.boxes(start, min(start + _ROWS, source.count))
        corners = np.where((rows.kinds != ABSENT)[..., None], moved(rows.corners), np.float32(0))
        yield BoxRows(corners=corners, kinds=rows.kinds, seen=rows.seen)


def _of_files(source: PictureFiles, told: CocoFile, done: _Written, broken: Broken) -> Iterator[BoxRows]:
    known = told.by_stem()
    selected = source.selected if isinstance(source, NamedPictures) else ""
    found: dict[str, BoxRows] = {}
    for entry in source.entries():
        whole, last = told_as(stem_of(entry.name, selected))
        picture = known.pop(whole, None) or known.pop(last, None)
        if picture is None:
            done.unlisted += 1
            continue
        try:
            with entry.open() as file:
                header = read_header(file)
        except BrokenPicture as reason:
            if broken == "refuse":
                raise broken_refusal(entry.name, str(reason)) from None
            continue
        found[entry.name] = _of_picture(picture, (header.height, header.width), done, entry.name)
    if known and broken == "refuse":
        raise UserError(
            f"{len(known):,} pictures of the file of boxes are not in {source.location}, for instance "
            f"{next(iter(known.values())).name}. Add them, or go on without them: --broken skip."
        )
    if not found:
        raise UserError(
            f"No picture of {source.location} is named in the file of boxes. Check that they belong together."
        )
    done.names = list(found)
    yield padded(list(found.values()), max(1, *(rows.kinds.shape[1] for rows in found.values())))


def _of_picture(picture: CocoPicture, have: Size, done: _Written, name: str) -> BoxRows:
    """The boxes of a picture, cut at its borders, where it lies at the wanted size."""
    if picture.size not in (None, have):
        raise UserError(
            f"{name} is {written(have)} (height x width), and its boxes are of a picture of {written(picture.size)}. "
            "Give boxes and pictures of one size."
        )
    steps = plan(have, done.size, done.fit, name=name)
    return as_rows([moved for box in picture.boxes if (moved := _moved(box, have, steps, done)) is not None])


def _moved(box: CocoBox, have: Size, steps: Plan, done: _Written) -> CocoBox | None:
    inside = cut(box, have)
    done.cut += inside not in (None, box)
    placed = None if inside is None else _Move(steps)(np.array(inside.corners))
    if placed is None or (placed[2:] <= placed[:2]).any():
        done.lost += 1
        return None
    return replace(box, corners=tuple(placed.tolist()))


class _Move:
    """Moves corners as a plan moves pixels; what a crop cuts off is cut off."""

    def __init__(self, steps: Plan) -> None:
        top, left, height, width = steps.window
        scale = np.array([steps.inner[1] / width, steps.inner[0] / height] * 2, np.float32)
        self.scale, self.origin = scale, np.array([left, top] * 2, np.float32)
        self.offset = np.array(steps.offset[::-1] * 2, np.float32)
        self.limit = np.array(steps.inner[::-1] * 2, np.float32)

    def __call__(self, corners: np.ndarray) -> np.ndarray:
        return np.clip((corners - self.origin) * self.scale, 0, self.limit) + self.offset


def counts_of(packed: PackedBoxes) -> Mapping[str, int]:
    """How many boxes are to be found, and how many say that nothing is right or wrong."""
    kinds = packed.store.read(KINDS, slice(None))
    return {"objects": int((kinds == OBJECT).sum()), "ignored": int((kinds == IGNORED).sum())}
