"""Questions that a page asks the studio: a table of paths, each with the function that answers it.

A question's function takes the studio and what was given (the parameters of a GET, the JSON object of a POST), and
returns values for JSON, or a picture. It knows nothing of HTTP. Values that are given are checked here for their kind.
"""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from PIL import Image

from ganvas.app.studio import Studio
from ganvas.core.errors import UserError
from ganvas.report.pictures.grid import png

Given = Mapping[str, Any]


@dataclass(frozen=True)
class Picture:
    """An answer that is a picture of our own making or encoding."""

    data: bytes
    kind: Literal["png", "jpeg", "webp"] = "png"

    @classmethod
    def of(cls, image: Image.Image) -> "Picture":
        """An image as PNG, packed quickly rather than tightly: it goes no further than this machine."""
        return cls(png(image, compress_level=1))


@dataclass(frozen=True, kw_only=True)
class Question:
    """What may be asked, and how it is answered."""

    path: str  # Behind /api/.
    answer: Callable[[Studio, Given], dict[str, Any] | Picture]
    method: Literal["GET", "POST"] = "GET"
    writes: bool = False  # Changes files or starts processes: only with --write.


def text(given: Given, name: str, default: str | None = None) -> str:
    """A text that was given.

    Raises:
        UserError: it is missing and has no default, or is something else.
    """
    value = given.get(name, default)
    if not isinstance(value, str):
        raise UserError(f"'{name}' must be a text, and is {_shown(value)}.")
    return value


def real(given: Given, name: str, default: float | None = None) -> float:
    """A finite number that was given, as itself or as text.

    Raises:
        UserError: it is missing and has no default, or is something else.
    """
    value = given.get(name, default)
    try:
        found = float("nan" if isinstance(value, bool) or value is None else value)
    except (TypeError, ValueError, OverflowError):
        found = math.nan
    if not math.isfinite(found):
        raise UserError(f"'{name}' must be a number, and is {_shown(value)}.")
    return found


def whole(given: Given, name: str, default: int | None = None, *, most: int = 2**31 - 1) -> int:
    """A whole number from 0 on that was given.

    Raises:
        UserError: it is missing and has no default, is something else, or is negative or too large.
    """
    found = real(given, name, default)
    if found != int(found) or not 0 <= found <= most:
        raise UserError(f"'{name}' must be a whole number from 0 to {most}, and is {_shown(given.get(name))}.")
    return int(found)


def listed(given: Given, name: str, *, most: int = 10_000) -> list[Any]:
    """A list that was given; an empty one where none was.

    Raises:
        UserError: it is something else, or too long.
    """
    value = given.get(name, [])
    if not isinstance(value, list) or len(value) > most:
        raise UserError(f"'{name}' must be a list of at most {most:,}, and is {_shown(value)}.")
    return value


def _shown(value: Any) -> str:
    return "missing" if value is None else repr(value)[:80]
