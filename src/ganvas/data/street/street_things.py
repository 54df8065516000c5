"""The things of a street: people, crowds of them, cars, trees, signs and posters, about the middle of their foot.

A thing's own unit is half its width across and its height upwards, so that a person fills the box from -1 to 1 and
from 0 to 1: the arms touch its sides, the head its top and the feet its bottom.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import reduce
from operator import or_

import numpy as np

from ganvas.data.scenes.canvas import Canvas, Shape, Window
from ganvas.data.scenes.paints import between, table
from ganvas.data.street.street_factors import KINDS, MEMBERS, THINGS, Factors

_SKIN = ((236, 198, 168), (120, 78, 54))
_HAIR = ((58, 42, 34), (186, 142, 84))
_COATS = ((178, 44, 48), (44, 78, 150), (230, 224, 212), (40, 44, 54), (62, 122, 84), (210, 154, 58), (122, 62, 128))
_TROUSERS = ((36, 46, 80), (58, 54, 52), (120, 104, 84), (30, 30, 34), (142, 146, 156))
_GOLDEN = 0.618034


@dataclass(frozen=True)
class Figure:
    """m things of one kind in their windows."""

    window: Window
    height: np.ndarray  # In short sides.
    half: np.ndarray  # Half of the width.
    light: np.ndarray
    chance: Mapping[str, np.ndarray]  # What else is left to chance, in [0, 1).

    def ellipse(self, x: float, y: float, width: float, height: float) -> Shape:
        return self.window.ellipse(x * self.half, y * self.height, width * self.half, height * self.height)

    def box(self, left: float, right: float, low: float, high: float) -> Shape:
        return self.window.box(left * self.half, right * self.half, low * self.height, high * self.height)

    def strip(self, top: float, low: np.ndarray, width: float, height: float) -> Shape:
        """A slanting strip from (top, height) down to (low, 0), as far as ``width`` to both sides."""
        lean = (top - low) * self.half / (height * self.height)
        right, left = (self.window.side((low + side * width) * self.half, 0 * self.half, lean) for side in (1, -1))
        return right & ~left & self.box(-1, 1, 0, height)

    def colour(self, first: tuple[int, int, int], second: tuple[int, int, int], by: str) -> np.ndarray:
        """Between two colours, as lit."""
        pair = table((first, second))
        return between(pair[:1], pair[1:], self.chance[by]) * self.light[:, None]

    def choice(self, colours: tuple[tuple[int, int, int], ...], by: str) -> np.ndarray:
        """One of some colours, as lit."""
        which = np.floor(self.chance[by] * np.float32(len(colours))).astype(np.int64)
        return table(colours)[which] * self.light[:, None]


@dataclass(frozen=True)
class ColouredShape:
    """A shape and its colour; what comes later lies on what came before."""

    shape: Shape
    colour: np.ndarray


def person(figure: Figure) -> list[ColouredShape]:
    """Head and hair, trunk, arms and legs in some stride."""
    coat = figure.choice(_COATS, "coat")
    stride = 0.5 * figure.chance["pose"]
    legs = figure.strip(-0.26, -0.26 - stride, 0.2, 0.5) | figure.strip(0.26, 0.26 + stride, 0.2, 0.5)
    trunk = figure.box(-0.6, 0.6, 0.44, 0.79) | figure.ellipse(0, 0.78, 0.6, 0.05)
    arms = figure.box(-1, -0.7, 0.45, 0.79) | figure.box(0.7, 1, 0.45, 0.79)
    shoulders = figure.box(-0.9, 0.9, 0.74, 0.8)
    return [
        ColouredShape(legs, figure.choice(_TROUSERS, "cloth")),
        ColouredShape(arms | shoulders, coat * np.float32(0.86)),
        ColouredShape(trunk, coat),
        ColouredShape(figure.ellipse(0, 0.915, 0.42, 0.085), figure.colour(*_SKIN, "skin")),
        ColouredShape(figure.ellipse(0, 0.965, 0.36, 0.035), figure.colour(*_HAIR, "shade")),
    ]


def _car(figure: Figure) -> list[ColouredShape]:
    paint = figure.choice(_COATS, "coat")
    glass, black = (figure.colour(one, one, "shade") for one in ((96, 116, 132), (24, 24, 28)))
    return [
        ColouredShape(figure.box(-1, 1, 0.16, 0.58) | figure.box(-0.62, 0.66, 0.5, 0.98), paint),
        ColouredShape(figure.box(-0.5, -0.02, 0.6, 0.9) | figure.box(0.06, 0.54, 0.6, 0.9), glass),
        ColouredShape(figure.ellipse(-0.62, 0.17, 0.17, 0.17) | figure.ellipse(0.62, 0.17, 0.17, 0.17), black),
    ]


def _tree(figure: Figure) -> list[ColouredShape]:
    crown = figure.ellipse(0, 0.72, 1.0, 0.28) | figure.ellipse(-0.3, 0.6, 0.6, 0.18)
    return [
        ColouredShape(figure.box(-0.13, 0.13, 0, 0.6), figure.colour((96, 74, 56), (74, 60, 52), "shade")),
        ColouredShape(crown, figure.colour((56, 112, 58), (112, 128, 52), "coat")),
    ]


def _post(figure: Figure) -> list[ColouredShape]:
    """A sign on a pole: as tall and as thin as somebody who stands still."""
    return [
        ColouredShape(figure.box(-0.2, 0.2, 0, 0.85), figure.colour((92, 96, 104), (52, 54, 60), "shade")),
        ColouredShape(figure.ellipse(0, 0.9, 0.5, 0.1), figure.choice(_COATS, "coat")),
        ColouredShape(figure.box(-0.34, 0.34, 0.88, 0.92), figure.colour(*_SKIN, "skin")),
    ]


def _poster(figure: Figure) -> list[ColouredShape]:
    """A board with the head and the shoulders of somebody on it, who is nobody."""
    coat = figure.choice(_COATS, "coat")
    board = figure.colour((60, 62, 70), (92, 88, 84), "shade")
    paper = figure.colour((228, 226, 214), (206, 208, 204), "shade")
    return [
        ColouredShape(figure.box(-1, 1, 0.0, 1.0), board),
        ColouredShape(figure.box(-0.86, 0.86, 0.2, 0.94), paper),
        ColouredShape(figure.box(-0.5, 0.5, 0.2, 0.5) | figure.ellipse(0, 0.5, 0.5, 0.06), coat),
        ColouredShape(figure.ellipse(0, 0.68, 0.24, 0.12), figure.colour(*_SKIN, "skin")),
    ]


_DRAWN: Mapping[str, tuple[Callable[[Figure], list[ColouredShape]], float, float]] = {
    # How wide and how tall it is in people of its distance: in their heights each.
    "car": (_car, 1.9, 0.8),
    "tree": (_tree, 0.95, 1.5),
    "post": (_post, 0.3, 1.0),
    "poster": (_poster, 0.7, 0.9),
}


@dataclass(frozen=True)
class PlacedThing:
    """The parts of the things of one kind of one slot; of people, who they are."""

    rows: np.ndarray
    slot: int
    parts: list[ColouredShape]
    figure: Figure
    is_person: bool

    @property
    def silhouette(self) -> Shape:
        """All that the thing covers."""
        return reduce(or_, (part.shape for part in self.parts))


def things(canvas: Canvas, factors: Factors, *, nearest_first: bool = False) -> Iterator[PlacedThing]:
    """Every thing, with its window open on the canvas while it is looked at; from far to near, or the other way."""
    slots = range(THINGS - 1, -1, -1) if nearest_first else range(THINGS)
    for slot in slots:
        for number, kind in enumerate(KINDS):
            rows = np.flatnonzero(factors[f"thing{slot}_kind"] == number)
            if kind == "none" or not len(rows):
                continue
            own = {name: factors[f"thing{slot}_{name}"][rows] for name in _NAMES} | {"light": factors["light"][rows]}
            members = range(MEMBERS) if kind == "crowd" else range(1)
            for member in reversed(members) if nearest_first else members:
                yield from _opened(canvas, rows, slot, kind, _member(own, member) if kind == "crowd" else own)


_NAMES = ("size", "half", "x", "foot", "pose", "skin", "coat", "cloth", "shade")


def _opened(
    canvas: Canvas, rows: np.ndarray, slot: int, kind: str, own: Mapping[str, np.ndarray]
) -> Iterator[PlacedThing]:
    draw, width, height = _DRAWN.get(kind, (person, 0.0, 1.0))
    tall = own["size"] * np.float32(height)
    half = own["size"] * np.float32(width / 2) if width else own["half"]
    with canvas.window(rows, own["x"], own["foot"]).reaching(-half, half, 0 * tall, tall) as window:
        figure = Figure(window, tall, half, own["light"], own)
        yield PlacedThing(rows, slot, draw(figure), figure, is_person=kind == "person")


def _member(own: Mapping[str, np.ndarray], member: int) -> dict[str, np.ndarray]:
    """One of a crowd: beside the first, a little smaller, and dressed otherwise."""
    step = np.float32(member * _GOLDEN)
    changed = {name: (own[name] + step) % 1 for name in ("pose", "skin", "coat", "cloth", "shade")}
    aside, shrunk = np.float32(member - (MEMBERS - 1) / 2), np.float32(0.86 + 0.035 * member)
    return {
        **own,
        **changed,
        "x": own["x"] + np.float32(1.05) * aside * own["half"],
        "size": own["size"] * shrunk,
        "half": own["half"] * shrunk,
    }


def crowd_reach() -> tuple[float, float]:
    """How far a crowd reaches to each side in half widths of its people, and how tall it is in their heights."""
    last = MEMBERS - 1
    return 1.05 * last / 2 + 0.86 + 0.035 * last, 0.86 + 0.035 * last
