"""Strokes that a person drew, as JSON: what is to be filled in, lines of a sketch, colours. Drawn at any size.

::

    {"ganvas": "strokes", "version": 1, "size": [512, 768],
     "strokes": [{"pen": "mask",   "width": 24, "points": [[100, 80], [180, 95]]},
                 {"pen": "sketch", "width": 1,  "points": [[110, 85], [140, 90]]},
                 {"pen": "colour", "width": 6,  "points": [[120, 88]], "colour": "#c04030"}]}

``size`` is the height and width, in pixels, of the picture that was drawn on, once a camera's rotation is undone;
points are x from the left and y from the top, and widths are in pixels of that size. Drawn on a picture of another size
but the same shape, everything is scaled; a line never falls below a pixel. Later strokes lie on earlier ones; the pen
``eraser`` takes away all three.
"""

import json
import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

import numpy as np
from jaxtyping import Bool, UInt8

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.files.atomic_files import read_json
from ganvas.data.holes.capsules import cover_stroke

Pen = Literal["mask", "sketch", "colour", "eraser"]
VERSION = 1
LONGEST = 1 << 20  # Points of one stroke: a file that claims more is damage.


@dataclass(frozen=True, kw_only=True)
class Stroke:
    """One line of a pen."""

    pen: Pen
    width: float  # Pixels of the picture drawn on.
    points: tuple[tuple[float, float], ...]
    colour: tuple[int, int, int] | None = None  # Of the colour pen.


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """Strokes as pixels of one picture."""

    hole: Bool[np.ndarray, "h w"]
    sketch: Bool[np.ndarray, "h w"]
    coloured: Bool[np.ndarray, "h w"]
    colour: UInt8[np.ndarray, "h w 3"]  # Black where nothing is coloured.


@dataclass(frozen=True, kw_only=True)
class Strokes:
    """All strokes on one picture, in their order."""

    height: int
    width: int
    strokes: tuple[Stroke, ...]

    @classmethod
    def read(cls, path: Path) -> "Strokes":
        """Reads a file of strokes.

        Raises:
            UserError: it is none, with what is wrong in it.
        """
        return _parsed(read_json(path), str(path))

    def to_json(self) -> str:
        """The same strokes as text of the file's form."""
        strokes = [_plain(stroke) for stroke in self.strokes]
        whole = {"ganvas": "strokes", "version": VERSION, "size": [self.height, self.width], "strokes": strokes}
        return json.dumps(whole, indent=1) + "\n"

    def draw(self, height: int, width: int) -> Drawn:
        """The strokes on a picture of this size.

        Raises:
            UserError: it is of another shape than the picture drawn on, by a pixel or more.
        """
        scale = height / self.height
        if abs(self.width * scale - width) >= 1 and abs(width / self.width * self.height - height) >= 1:
            raise UserError(
                f"The strokes were drawn on a picture of {self.height}x{self.width} pixels (height x width), and "
                f"one of {height}x{width} has another shape. Give the picture that they were drawn on, at any size."
            )
        planes = {name: np.zeros((height, width), bool) for name in ("hole", "sketch", "coloured")}
        colour = np.zeros((height, width, 3), np.uint8)
        for stroke in self.strokes:
            cover = np.zeros((height, width), bool)
            points = [(x * scale, y * scale) for x, y in stroke.points]
            cover_stroke(cover, points, max(stroke.width * scale, 1.0))
            if stroke.pen == "eraser":
                for plane in planes.values():
                    plane &= ~cover
                colour[cover] = 0
            else:
                planes[_PLANES[stroke.pen]] |= cover
            if stroke.colour is not None:
                colour[cover] = stroke.colour
        return Drawn(**planes, colour=colour)


_PLANES = {"mask": "hole", "sketch": "sketch", "colour": "coloured"}


def is_strokes(path: Path) -> bool:
    """Whether a file is meant to be strokes, by its ending."""
    return path.suffix.lower() == ".json"


def _parsed(value: Any, where: str) -> Strokes:
    if not isinstance(value, Mapping) or value.get("ganvas") != "strokes":
        raise UserError(f'{where} is no file of strokes: it lacks "ganvas": "strokes" at its top.')
    if value.get("version") != VERSION:
        raise UserError(f"{where} is of version {value.get('version')}, and version {VERSION} is read here.")
    size = value.get("size")
    if not (isinstance(size, list) and len(size) == 2 and all(isinstance(n, int) and n > 0 for n in size)):
        raise UserError(f'{where}: "size" is {size}; it is the height and width of the picture drawn on.')
    strokes = value.get("strokes")
    if not isinstance(strokes, list):
        raise UserError(f'{where} has no list "strokes".')
    listed = tuple(_stroke(one, f"{where}, stroke {index + 1}") for index, one in enumerate(strokes))
    return Strokes(height=size[0], width=size[1], strokes=listed)


def _stroke(value: Any, where: str) -> Stroke:
    if not isinstance(value, Mapping):
        raise UserError(f"{where} is {value!r} and not a stroke with pen, width and points.")
    pen = _pen(value.get("pen"), where)
    width = _number(value.get("width"))
    if width is None or width <= 0:
        raise UserError(f"{where}: its width is {value.get('width')}; it is a number of pixels above 0.")
    points = value.get("points")
    if not isinstance(points, list) or not 0 < len(points) <= LONGEST or not all(_is_point(one) for one in points):
        raise UserError(f"{where}: its points are pairs of numbers, x and y in pixels, at least one.")
    colour = _colour(value.get("colour"), where) if pen == "colour" else None
    return Stroke(pen=pen, width=width, points=tuple((float(x), float(y)) for x, y in points), colour=colour)


def _pen(name: Any, where: str) -> Pen:
    for pen in get_args(Pen):
        if pen == name:
            return pen
    known = get_args(Pen)
    raise UserError(f"{where}: there is no pen '{name}'.{did_you_mean(str(name), known)} Pens: {', '.join(known)}.")


def _colour(text: Any, where: str) -> tuple[int, int, int]:
    if not isinstance(text, str) or not re.fullmatch("#[0-9a-fA-F]{6}", text):
        raise UserError(f"{where}: its colour is {text}; it is written #rrggbb.")
    return int(text[1:3], 16), int(text[3:5], 16), int(text[5:7], 16)


def _plain(stroke: Stroke) -> dict[str, Any]:
    plain = {"pen": stroke.pen, "width": stroke.width, "points": [list(point) for point in stroke.points]}
    return plain | ({} if stroke.colour is None else {"colour": "#" + bytes(stroke.colour).hex()})


def _is_point(value: Any) -> bool:
    return isinstance(value, list) and len(value) == 2 and all(_number(one) is not None for one in value)


def _number(value: Any) -> float | None:
    """The number that a value is; None for everything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        return None
    return float(value)
