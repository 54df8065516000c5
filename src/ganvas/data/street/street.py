"""Streets: procedural pictures of people with exact boxes, and of what hides them or looks like them. A built-in set.

A picture is a pure function of (seed, index): the same bytes alone or in a batch, in any order and on any machine.
Known of every person are the full box, hidden parts included, and what share of the person is seen: of the pixels that
the silhouette covers at least half, those of which nothing nearer covers half. Crowds have one box around them,
which says that what is found there is neither right nor wrong; so have people of whom less than a tenth is seen. Signs
and posters are nobody.
"""

from collections.abc import Iterator
from typing import Final

import numpy as np
from jaxtyping import Int64, UInt8

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED, OBJECT
from ganvas.core.errors import UserError
from ganvas.data.boxes.box_rows import BoxRows, joined
from ganvas.data.scenes.canvas import Canvas, Window, limit
from ganvas.data.scenes.paints import between, table
from ganvas.data.street.street_factors import HOUSES, KINDS, THINGS, Factors, draw
from ganvas.data.street.street_things import crowd_reach, things

SMALLEST_SIDE: Final = 24
CHUNK_PIXELS: Final = 1 << 20  # Painted at once.
LEAST_SEEN: Final = 0.1  # Of somebody who is to be found.

_PERSON, _CROWD = KINDS.index("person"), KINDS.index("crowd")
_WALLS = ((196, 178, 154), (150, 96, 80), (176, 184, 190), (210, 196, 176), (122, 128, 140))


class Street:
    """``count`` streets of one size and seed.

    Args:
        height: Rows of a picture, at least 24.
        width: Columns of a picture, at least 24.
        count: How many pictures there are; picture k is the same whatever the count.
        seed: Another seed gives other pictures.
        tight: Whether a person's box has a width of its own; else all are 0.41 as wide as tall.

    >>> street = Street(48, 64, count=3, seed=1)
    >>> boxes = street.boxes(0, 3)
    >>> street.pictures(0, 3).shape, boxes.corners.shape, boxes.kinds.shape
    ((3, 48, 64, 3), (3, 12, 4), (3, 12))
    """

    def __init__(
        self, height: int = 128, width: int = 192, *, count: int = 20000, seed: int = 0, tight: bool = False
    ) -> None:
        if min(height, width) < SMALLEST_SIDE:
            raise UserError(
                f"Streets of {height}x{width} pixels would show nobody. Each side needs at least {SMALLEST_SIDE} "
                "pixels."
            )
        if count < 1:
            raise UserError(f"count={count} streets cannot be made. Ask for at least one.")
        self.height, self.width, self.count, self.seed, self.tight = height, width, count, seed, tight

    def __len__(self) -> int:
        return self.count

    def pictures(self, start: int, stop: int) -> UInt8[np.ndarray, "n h w 3"]:
        """The pictures ``start`` to ``stop - 1``."""
        images = np.empty((stop - start, self.height, self.width, 3), np.uint8)
        for part, factors in self._chunks(start, stop):
            images[part] = _painted(factors, self.height, self.width)
        return images

    def boxes(self, start: int, stop: int) -> BoxRows:
        """The truth about the same pictures."""
        return joined([self._rows(factors) for _, factors in self._chunks(start, stop)])

    def factors(self, indices: Int64[np.ndarray, " n"]) -> Factors:
        """The factors of any pictures, one column each, without painting them."""
        short = min(self.height, self.width)
        shape = {"breadth": self.width / short, "tallness": self.height / short}
        return draw(self.seed, indices, tight=self.tight, **shape)

    def _chunks(self, start: int, stop: int) -> Iterator[tuple[slice, Factors]]:
        """Parts of some pictures that are painted together, and their factors."""
        if not 0 <= start <= stop <= self.count:
            raise UserError(
                f"Pictures {start} to {stop} are not among the {self.count} streets. Ask for 0 <= start <= stop <= "
                f"{self.count}, or make Street with a larger count."
            )
        step = max(CHUNK_PIXELS // (self.height * self.width), 1)
        for first in range(start, stop, step):
            last = min(first + step, stop)
            yield slice(first - start, last - start), self.factors(np.arange(first, last))

    def _rows(self, factors: Factors) -> BoxRows:
        """Boxes in pixels; crowds are cut at the borders, people of whom hardly any is seen are ignored."""
        size, half, x, foot, kind = (_columns(factors, name) for name in ("size", "half", "x", "foot", "kind"))
        side, height = (np.where(kind == _CROWD, np.float32(of), np.float32(1)) for of in crowd_reach())
        corners = np.stack([x - side * half, foot - height * size, x + side * half, foot], -1)
        short = np.float32(min(self.height, self.width))
        corners = np.clip(corners * short, 0, np.array([self.width, self.height] * 2, np.float32))
        seen = _seen(factors, self.height, self.width)
        told = (kind == _PERSON) & (seen >= LEAST_SEEN)
        kinds = np.select([told, (kind == _CROWD) | (kind == _PERSON)], [OBJECT, IGNORED], ABSENT).astype(np.int8)
        corners[kinds == ABSENT] = 0
        return BoxRows(corners=corners, kinds=kinds, seen=np.where(kind == _PERSON, seen, np.float32(1)))


def _columns(factors: Factors, name: str) -> np.ndarray:
    return np.stack([factors[f"thing{k}_{name}"] for k in range(THINGS)], 1)


def _painted(factors: Factors, height: int, width: int) -> np.ndarray:
    canvas = Canvas(len(factors["light"]), height, width)
    _paint_backdrop(canvas, factors)
    for placed in things(canvas, factors):
        for part in placed.parts:
            placed.figure.window.paint(part.shape, part.colour)
    return canvas.to_bytes()


def _seen(factors: Factors, height: int, width: int) -> np.ndarray:
    """The share of every person that is seen, from near to far."""
    canvas = Canvas(len(factors["light"]), height, width)  # Its mask: 1 where something nearer is.
    found = np.ones((len(factors["light"]), THINGS), np.float32)
    for placed in things(canvas, factors, nearest_first=True):
        mask, own = placed.figure.window.mask, placed.silhouette.cover >= 0.5
        if placed.is_person:
            whole, left = own.sum((1, 2)), (own & (mask == 0)).sum((1, 2))
            found[placed.rows, placed.slot] = left.astype(np.float32) / np.maximum(whole, 1).astype(np.float32)
        mask[own] = 1
    return found


def _paint_backdrop(canvas: Canvas, factors: Factors) -> None:
    """Sky, a row of houses with windows, pavement, road."""
    light = factors["light"][:, None]
    horizon = factors["horizon"] * np.float32(canvas.tallness)
    above = canvas.band(0, float(horizon.max()))
    sky = between(table([(150, 186, 226)]), table([(232, 214, 186)]), factors["warmth"]) * light
    above.colour[:] = sky[:, :, None, None]
    for k in range(HOUSES):
        _paint_house(canvas, above, factors, k, horizon)
    window = canvas.band(float(horizon.min()), canvas.tallness)
    down = limit((-window.y - horizon[:, None, None]) / (np.float32(canvas.tallness) - horizon)[:, None, None])
    ground = window.within(window.y + horizon[:, None, None])
    near, far = (table([colour]) * light for colour in ((150, 148, 142), (176, 172, 164)))
    window.paint(ground, far[:, :, None, None] + down[:, None] * (near - far)[:, :, None, None])
    road = window.within((factors["pavement"][:, None, None] - down) * np.float32(canvas.tallness))
    window.paint(road, table([(92, 94, 100)]) * light)


def _paint_house(canvas: Canvas, window: Window, factors: Factors, k: int, horizon: np.ndarray) -> None:
    light = factors["light"][:, None]
    left = factors[f"house{k}_edge"] * np.float32(canvas.breadth)
    right = np.full_like(left, canvas.breadth)  # The next house stands before what is too wide.
    top = factors[f"house{k}_top"] * np.float32(canvas.tallness)
    wall = table(_WALLS)[np.floor(factors[f"house{k}_hue"] * len(_WALLS)).astype(np.int64)]
    house = window.box(left, right, -horizon, -top)
    window.paint(house, wall * light * (np.float32(0.8) + np.float32(0.25) * factors[f"house{k}_tint"])[:, None])
    across, up = (window.x - left[:, None, None]) * np.float32(9), window.y * np.float32(8)
    panes = (np.abs(across - np.floor(across) - 0.5) < 0.26) & (np.abs(up - np.floor(up) - 0.5) < 0.3)
    window.blend(house.cover * panes * np.float32(0.7), table([(74, 88, 104)]) * light)
