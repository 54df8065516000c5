"""Primitives of a drawing: plain values in points (1/72 inch), y downwards, drawn in order.

They know nothing of files. ``ganvas.report.drawing.drawing`` writes them as SVG, PDF or PNG.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal

import numpy as np
from jaxtyping import UInt8

from ganvas.report.drawing.letters import ASCENT, DESCENT, Weight, text_width

Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
Command = tuple[Literal["M", "L", "C", "Z"], tuple[Point, ...]]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""

KAPPA = 4 * (math.sqrt(2) - 1) / 3  # Handles of the cubic that meets a quarter of a circle at its middle.


@dataclass(frozen=True, kw_only=True)
class Paint:
    """How an outline is filled and stroked. Colours are ``#rrggbb``; None leaves it out.

    ``dash`` is lengths of strokes and gaps in points; the ends of lines are cut straight, their corners round.
    """

    fill: str | None = None
    stroke: str | None = None
    stroke_width: float = 0.75
    opacity: float = 1.0
    dash: tuple[float, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Rect:
    """A rectangle, its corners rounded by ``radius``."""

    x: float
    y: float
    width: float
    height: float
    radius: float = 0.0
    paint: Paint = field(default_factory=Paint)
    name: str = ""  # What it stands for: the title that an SVG shows under the pointer.


@dataclass(frozen=True, kw_only=True)
class Circle:
    """A disc around ``(x, y)``."""

    x: float
    y: float
    radius: float
    paint: Paint = field(default_factory=Paint)
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Path:
    """Lines and cubic curves. What is filled must not cross itself: renderers differ on its holes."""

    commands: tuple[Command, ...]
    paint: Paint = field(default_factory=Paint)
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Text:
    """One line of Helvetica with its baseline at ``y``; ``rotation`` in degrees, counter-clockwise."""

    x: float
    y: float
    text: str
    size: float = 8.0
    weight: Weight = "normal"
    anchor: Anchor = "start"
    rotation: float = 0.0
    fill: str = "#1d2329"
    opacity: float = 1.0


@dataclass(frozen=True, kw_only=True, eq=False)
class Image:
    """Pixels: grey, colour, or colour with opacity. ``smooth=False`` shows every pixel as a square."""

    x: float
    y: float
    width: float
    height: float
    pixels: UInt8[np.ndarray, "h w"] | UInt8[np.ndarray, "h w 3"] | UInt8[np.ndarray, "h w 4"]
    smooth: bool = False
    name: str = ""


@dataclass(frozen=True, kw_only=True)
class Clip:
    """Items of which only what lies inside a rectangle is seen."""

    x: float
    y: float
    width: float
    height: float
    items: tuple["Item", ...]


Item = Rect | Circle | Path | Text | Image | Clip


@dataclass(frozen=True, kw_only=True)
class Drawing:
    """A page of ``width`` by ``height`` points with its items, the last on top."""

    width: float
    height: float
    items: tuple[Item, ...]
    title: str = ""  # Said to those who cannot see it.
    background: str | None = "#ffffff"


def polyline(points: Sequence[Point], paint: Paint, *, name: str = "") -> Path:
    """Straight lines through the points, open."""
    first, *rest = points
    return Path(commands=(("M", (first,)), *(("L", (point,)) for point in rest)), paint=paint, name=name)


def polygon(points: Sequence[Point], paint: Paint, *, name: str = "") -> Path:
    """Straight lines through the points and back to the first."""
    return Path(commands=(*polyline(points, paint).commands, ("Z", ())), paint=paint, name=name)


def line(start: Point, end: Point, paint: Paint, *, name: str = "") -> Path:
    """One straight line."""
    return polyline([start, end], paint, name=name)


def rounded(points: Sequence[Point], radius: float, paint: Paint, *, name: str = "") -> Path:
    """Straight lines whose corners are rounded by at most ``radius``, as in a circuit diagram."""
    commands: list[Command] = [("M", (points[0],))]
    for before, corner, after in zip(points, points[1:], points[2:], strict=False):
        into = _towards(corner, before, min(radius, math.dist(before, corner) / 2))
        out = _towards(corner, after, min(radius, math.dist(corner, after) / 2))
        commands += [("L", (into,)), ("C", (_mix(into, corner, KAPPA), _mix(out, corner, KAPPA), out))]
    commands.append(("L", (points[-1],)))
    return Path(commands=tuple(commands), paint=paint, name=name)


def outline(item: Rect | Circle | Path) -> tuple[Command, ...]:
    """Any shape as lines and cubic curves."""
    if isinstance(item, Path):
        return item.commands
    if isinstance(item, Circle):
        d = 2 * item.radius
        item = Rect(x=item.x - item.radius, y=item.y - item.radius, width=d, height=d, radius=item.radius)
    x0, y0, x1, y1 = item.x, item.y, item.x + item.width, item.y + item.height
    r = min(item.radius, item.width / 2, item.height / 2)
    if r <= 0:
        return ("M", ((x0, y0),)), ("L", ((x1, y0),)), ("L", ((x1, y1),)), ("L", ((x0, y1),)), ("Z", ())
    k = r * (1 - KAPPA)
    return (
        ("M", ((x0 + r, y0),)),
        ("L", ((x1 - r, y0),)),
        ("C", ((x1 - k, y0), (x1, y0 + k), (x1, y0 + r))),
        ("L", ((x1, y1 - r),)),
        ("C", ((x1, y1 - k), (x1 - k, y1), (x1 - r, y1))),
        ("L", ((x0 + r, y1),)),
        ("C", ((x0 + k, y1), (x0, y1 - k), (x0, y1 - r))),
        ("L", ((x0, y0 + r),)),
        ("C", ((x0, y0 + k), (x0 + k, y0), (x0 + r, y0))),
        ("Z", ()),
    )


def flat(commands: Iterable[Command], *, steps: int = 12) -> list[tuple[list[Point], bool]]:
    """Every sub-path as points, and whether it is closed; a curve becomes ``steps`` lines."""
    found: list[tuple[list[Point], bool]] = []
    for letter, points in commands:
        if letter == "M":
            found.append(([points[0]], False))
        elif letter == "L":
            found[-1][0].append(points[0])
        elif letter == "C":
            start = found[-1][0][-1]
            found[-1][0].extend(_cubic(start, points, index / steps) for index in range(1, steps + 1))
        else:
            found[-1] = (found[-1][0], True)
    return found


def bounds(item: Item) -> Box:
    """The smallest upright rectangle around an item, its stroke left out; for text, of the font's heights."""
    if isinstance(item, Text):
        return _text_bounds(item)
    if isinstance(item, Image | Rect | Clip):
        return item.x, item.y, item.x + item.width, item.y + item.height
    points = [point for part, _ in flat(outline(item)) for point in part]
    xs, ys = zip(*points, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _text_bounds(item: Text) -> Box:
    width = text_width(item.text, item.size, weight=item.weight)
    left = {"start": 0.0, "middle": -width / 2, "end": -width}[item.anchor]
    angle = math.radians(item.rotation)
    corners = [
        (
            item.x + dx * math.cos(angle) + dy * math.sin(angle),
            item.y - dx * math.sin(angle) + dy * math.cos(angle),
        )
        for dx in (left, left + width)
        for dy in (-ASCENT * item.size, DESCENT * item.size)
    ]
    xs, ys = zip(*corners, strict=True)
    return min(xs), min(ys), max(xs), max(ys)


def _cubic(start: Point, points: tuple[Point, ...], t: float) -> Point:
    weights = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t**2 * (1 - t), t**3)
    corners = (start, *points)
    x = sum(w * corner[0] for w, corner in zip(weights, corners, strict=True))
    return x, sum(w * corner[1] for w, corner in zip(weights, corners, strict=True))


def _towards(start: Point, end: Point, distance: float) -> Point:
    length = math.dist(start, end)
    return _mix(start, end, distance / length) if length else start


def _mix(a: Point, b: Point, part: float) -> Point:
    return a[0] + (b[0] - a[0]) * part, a[1] + (b[1] - a[1]) * part
