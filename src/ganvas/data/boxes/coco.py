"""COCO files: what a JSON file in the form of the COCO set (https://cocodataset.org/#format-data) says of pictures.

::

    images        [{id, file_name, width, height}]
    annotations   [{image_id, category_id, bbox: [left, top, width, height], iscrowd, ignore, vis_ratio}]
    categories    [{id, name}]

``iscrowd`` and ``ignore`` mark boxes in which nothing is right or wrong; ``vis_ratio``, the share of a person that is
seen, is that of CityPersons (https://arxiv.org/abs/1702.05693). All but ``bbox`` and ``image_id`` may be left out.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.atomic_files import read_json
from ganvas.data.boxes.box_rows import BoxRows
from ganvas.data.conversion import Broken
from ganvas.data.pairs.pairing import stem_of

USUAL = ("person", "pedestrian", "pedestrians", "people")  # Of several categories, the one that is meant.
ONLY = "object"  # What is found where nothing has a name.
Bbox = tuple[float, float, float, float]  # Left, top, right, bottom, in pixels.


@dataclass(frozen=True, kw_only=True)
class CocoBox:
    """One box of a picture."""

    corners: Bbox
    ignored: bool
    seen: float


@dataclass(frozen=True, kw_only=True)
class CocoPicture:
    """What is said of one picture."""

    name: str
    size: tuple[int, int] | None  # Height and width, where they are told.
    boxes: list[CocoBox] = field(default_factory=list)


@dataclass(frozen=True, kw_only=True)
class CocoFile:
    """The boxes of one category.

    Attributes:
        left_out: Boxes that could not be taken, in words: of no size, or of no picture.
    """

    category: str
    pictures: Mapping[str, CocoPicture]  # By name.
    left_out: list[str]

    def by_stem(self) -> dict[str, CocoPicture]:
        """Its pictures by their names without endings: what is told of a .jpg holds for the .png of it."""
        return {stem_of(picture.name): picture for picture in self.pictures.values()}


def told_as(stem: str) -> tuple[str, str]:
    """The stems that a file may tell of a picture by: with its folders, or else without."""
    return stem, PurePosixPath(stem).name


def cut(box: CocoBox, size: tuple[int, int]) -> CocoBox | None:
    """What lies inside of a picture of a height and a width; None of a box that lies outside."""
    left, top, right, bottom = np.clip(box.corners, 0, 2 * size[::-1]).tolist()
    return replace(box, corners=(left, top, right, bottom)) if right > left and bottom > top else None


def as_rows(boxes: Sequence[CocoBox]) -> BoxRows:
    """The boxes of one picture."""
    return BoxRows(
        corners=np.array([box.corners for box in boxes], np.float32).reshape(1, -1, 4),
        kinds=np.array([[IGNORED if box.ignored else OBJECT for box in boxes]], np.int8),
        seen=np.array([[box.seen for box in boxes]], np.float32),
    )


def read_coco(path: Path, category: str = "", *, broken: Broken = "refuse") -> CocoFile:
    """The boxes of one category of a file.

    Args:
        path: The file.
        category: Its name; empty takes the only one, or among several the one that means people.
        broken: Whether a box of no size, or of a picture that is not listed, stops everything or is left out.

    Raises:
        UserError: it is no such file, has no pictures, no such category, or a box cannot be.
    """
    told = read_json(path)
    if not isinstance(told, dict) or not all(isinstance(told.get(name), list) for name in ("images", "annotations")):
        raise UserError(
            f"{path} is no COCO file: it has no lists of images and annotations. Give a JSON file with both, as "
            "`ganvas detect -o` writes them."
        )
    pictures = _pictures(path, told["images"])
    number, name = _category(path, told, category)
    file = CocoFile(category=name, pictures={one.name: one for one in pictures.values()}, left_out=[])
    for index, said in enumerate(told["annotations"]):
        if isinstance(said, dict) and number is not None and said.get("category_id") != number:
            continue
        wrong = _taken(said, pictures) if isinstance(said, dict) else f"is no object ({said!r:.40})"
        if wrong:
            sentence = f"annotation {said.get('id', index) if isinstance(said, dict) else index} {wrong}"
            if broken == "refuse":
                raise UserError(f"{path}: {sentence}. Correct it, or leave such boxes out: --broken skip.")
            file.left_out.append(sentence)
    return file


def counted_boxes(path: Path) -> Counter[str]:
    """How many boxes a COCO file has of each category; :data:`ONLY` stands for one that it does not name."""
    told = read_json(path)
    categories, annotations = (
        [one for one in listed if isinstance(one, dict)] if isinstance(listed := told.get(name), list) else []
        for name in ("categories", "annotations")
    )
    names = {repr(one.get("id")): str(one.get("name")) for one in categories}
    return Counter(names.get(repr(said.get("category_id")), ONLY) for said in annotations)


def is_coco(path: Path) -> bool:
    """Whether a file says that it is one; broken JSON is not. A file as it stands is read once: some have gigabytes."""
    stat = path.stat()
    return _is_coco(path, stat.st_size, stat.st_mtime_ns)


@lru_cache(maxsize=64)
def _is_coco(path: Path, size: int, changed: int) -> bool:
    del size, changed  # Another file in its place is read anew.
    try:
        told = read_json(path)
    except UserError:
        return False
    return isinstance(told, dict) and {"images", "annotations"} <= told.keys()


def _pictures(path: Path, listed: list[Any]) -> dict[Any, CocoPicture]:
    found: dict[Any, CocoPicture] = {}
    names: set[str] = set()
    for image in listed:
        match image:
            case {"id": int() | str() as key, "file_name": str(name)} if name:
                name = PurePosixPath(name.replace("\\", "/")).as_posix()
                if key in found or name in names:
                    raise UserError(f"{path} lists the picture {name} twice. Remove one of the two.")
                found[key] = CocoPicture(name=name, size=_size(image))
                names.add(name)
            case _:
                raise UserError(f"{path} lists a picture without id or file_name: {image!r:.80}. Add them.")
    if not found:
        raise UserError(f"{path} lists no pictures: images is empty. Give a file that names the pictures of its boxes.")
    return found


def _size(image: Mapping[str, Any]) -> tuple[int, int] | None:
    match image.get("height"), image.get("width"):
        case (int(height), int(width)) if height > 0 and width > 0:
            return height, width
    return None


def _category(path: Path, told: Mapping[str, Any], wanted: str) -> tuple[Any, str]:
    """Number and name of the category; no number where every box is meant."""
    listed = told.get("categories") or []
    if not isinstance(listed, list):
        raise UserError(f"{path}: categories is no list ({listed!r:.40}). Give one of {{id, name}}, or leave it out.")
    named = {str(one["name"]): one["id"] for one in listed if isinstance(one, dict) and {"id", "name"} <= one.keys()}
    if wanted and (named or wanted != ONLY):
        if wanted not in named:
            known = f" It has: {', '.join(named)}." if named else " It names none."
            raise UserError(f"category={wanted} is not one of {path}.{did_you_mean(wanted, named)}{known}")
        return named[wanted], wanted
    if len(named) < 2:
        return (next(iter(named.values())), next(iter(named))) if named else (None, ONLY)
    for name in named:
        if name.lower() in USUAL:
            return named[name], name
    raise UserError(f"{path} has several categories, and one is learnt. Name it: --set category={next(iter(named))}.")


def _taken(said: Mapping[str, Any], pictures: Mapping[Any, CocoPicture]) -> str:
    """Notes a box with its picture; what is wrong with it, else "".

    A box that reaches beyond the picture is taken: it is cut when the size of the picture is known for sure.
    """
    key, box = said.get("image_id"), said.get("bbox")
    picture = pictures.get(key) if isinstance(key, int | str) else None
    if picture is None:
        return f"is of the picture {key!r:.40}, which is not listed"
    if not isinstance(box, list) or len(box) != 4 or not all(_number(side) for side in box):
        return f"of {picture.name} has no box of four numbers ({box!r:.60})"
    left, top, width, height = (float(side) for side in box)
    if width <= 0 or height <= 0:
        return f"of {picture.name} is a box of {width:g}x{height:g} pixels (width x height), which holds nothing"
    seen = said.get("vis_ratio", 1.0)
    picture.boxes.append(
        CocoBox(
            corners=(left, top, left + width, top + height),
            ignored=bool(said.get("iscrowd")) or bool(said.get("ignore")),
            seen=min(max(float(seen), 0.0), 1.0) if _number(seen) else 1.0,
        )
    )
    return ""


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
