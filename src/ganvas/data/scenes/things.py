"""The things of a scene: trees, houses, bushes, rocks, cacti on the ground and boats on the sea.

A thing is painted about the middle of its foot, in units of its size; ``x`` to the right and ``y`` upwards.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from ganvas.data.scenes.backdrop import COAST, NIGHT, WINTER, MaskIds, shore_height
from ganvas.data.scenes.canvas import Canvas, Shape, Window
from ganvas.data.scenes.factors import BOATS, KINDS, OBJECTS, Factors
from ganvas.data.scenes.paints import Palette, between, table


@dataclass(frozen=True)
class Thing:
    """m things of one kind: what they look like and how their pictures are lit."""

    window: Window
    size: np.ndarray
    tint: np.ndarray  # In [0, 1].
    style: np.ndarray
    snowy: np.ndarray  # 1 in winter.
    night: np.ndarray  # 1 at night.
    palette: Palette
    rows: np.ndarray

    def colour(self, first: tuple[int, int, int], second: tuple[int, int, int] | None = None) -> np.ndarray:
        """A colour between two, by the tint, as lit."""
        pair = table((first, second or first))
        return self.palette.lit(between(pair[:1], pair[1:], self.tint), self.rows)

    def disc(self, x: float, y: float, radius: float) -> Shape:
        size = self.size
        return self.window.disc(x * size, y * size, radius * size)

    def ellipse(self, x: float, y: float, width: float, height: float) -> Shape:
        size = self.size
        return self.window.ellipse(x * size, y * size, width * size, height * size)

    def box(self, left: float, right: float, low: float, high: float) -> Shape:
        size = self.size
        return self.window.box(left * size, right * size, low * size, high * size)

    def peak(self, x: float, top: float, slope: float) -> Shape:
        return self.window.peak(x * self.size, top * self.size, np.full_like(self.size, slope))

    def side(self, x: float, y: float, lean: float) -> Shape:
        return self.window.side(x * self.size, y * self.size, np.full_like(self.size, lean))

    def below(self, y: float) -> Shape:
        return self.window.below(y * self.size)


def paint_things(canvas: Canvas, factors: Factors, palette: Palette, masks: MaskIds) -> None:
    """Boats first, then the things on the ground from far to near."""
    for k in range(BOATS):
        rows = np.flatnonzero(factors["boat_count"] > k)
        _paint_kind(canvas, factors, rows, f"boat{k}", "boat", palette, masks)
    for k in range(OBJECTS):
        for number, kind in enumerate(KINDS):
            if kind != "none":
                rows = np.flatnonzero(factors[f"object{k}_kind"] == number)
                _paint_kind(canvas, factors, rows, f"object{k}", kind, palette, masks)


def _paint_kind(
    canvas: Canvas, factors: Factors, rows: np.ndarray, slot: str, kind: str, palette: Palette, masks: MaskIds
) -> None:
    if not len(rows):
        return
    shared = ("landscape", "time", "horizon", "shore", "shore_slope", "near_phase")
    own = {name: values[rows] for name, values in factors.items() if name in shared or name.startswith(slot)}
    size = own[f"{slot}_size"]
    x = own[f"{slot}_x"] * canvas.breadth
    y = _foot(own, slot, kind) * canvas.tallness
    draw, mask, (left, right, low, high) = _KINDS[kind]
    with canvas.window(rows, x, y).reaching(left * size, right * size, low * size, high * size) as window:
        thing = Thing(
            window,
            size,
            tint=(own[f"{slot}_tint"] + 1) / 2,
            style=own.get(f"{slot}_style", size),
            snowy=(own["landscape"] == WINTER).astype(np.float32),
            night=(own["time"] == NIGHT).astype(np.float32),
            palette=palette,
            rows=rows,
        )
        draw(thing, masks[mask])


def _foot(own: Factors, slot: str, kind: str) -> np.ndarray:
    """Where a thing stands, as a fraction of the height from the top."""
    depth, horizon = own[f"{slot}_depth"], own["horizon"]
    shore = shore_height(own, own[f"{slot}_x"])
    if kind == "boat":
        return horizon + (0.16 + 0.5 * depth) * (shore - 0.03 - horizon)
    on_land = horizon + (0.10 + 0.60 * depth) * (1 - horizon)
    on_beach = shore + 0.03 + (0.92 - shore) * 0.8 * depth
    return np.where(own["landscape"] == COAST, np.minimum(on_beach, 0.97), on_land)


def _shadow(thing: Thing, width: float) -> None:
    """A flat shadow under the foot; the ground still owns its pixels."""
    window = thing.window
    shade = window.ellipse(0 * thing.size, 0 * thing.size, width * thing.size, 0.16 * width * thing.size)
    window.paint(shade, thing.colour((40, 50, 60)), opacity=0.30)


def _round_tree(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.30)
    paint = thing.window.paint
    paint(thing.box(-0.05, 0.05, 0, 0.5), thing.colour((110, 76, 48), (92, 66, 50)), mask=mask)
    crown = thing.disc(0, 0.70, 0.28) | thing.disc(-0.20, 0.54, 0.19) | thing.disc(0.20, 0.54, 0.19)
    paint(crown, thing.colour((36, 104, 52), (84, 110, 34)), mask=mask)
    lit = thing.disc(-0.05, 0.76, 0.20) | thing.disc(-0.22, 0.58, 0.11)
    paint(lit & crown, thing.colour((62, 138, 62), (128, 146, 44)))


def _fir(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.26)
    paint = thing.window.paint
    paint(thing.box(-0.05, 0.05, 0, 0.2), thing.colour((96, 66, 46)), mask=mask)
    dark, shade = thing.colour((22, 84, 62), (30, 96, 56)), thing.colour((14, 64, 54), (20, 74, 48))
    snow = 0.92 * thing.snowy[:, None, None]
    right = ~thing.side(0, 0, 0.0)
    for foot, top, slope in ((0.14, 0.62, 1.55), (0.38, 0.82, 1.75), (0.62, 1.0, 1.95)):
        tier = thing.peak(0, top, slope) & ~thing.below(foot)
        paint(tier, dark, mask=mask)
        paint(tier & right, shade)
        capped = tier & ~thing.below(foot + 0.55 * (top - foot))
        thing.window.blend(capped.cover * snow, thing.colour((232, 240, 250)))


def _palm(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.22)
    paint = thing.window.paint
    size, window = thing.size[:, None, None], thing.window
    bend = window.y * window.y / size * 0.32 - 0.10 * size  # The trunk leans more and more.
    trunk = window.within(np.abs(window.x - bend) - 0.038 * size) & ~thing.below(0) & thing.below(0.78)
    paint(trunk, thing.colour((142, 104, 64), (122, 92, 66)), mask=mask)
    light, dark = thing.colour((62, 150, 70), (92, 150, 50)), thing.colour((36, 112, 62), (60, 112, 44))
    for side in (-1, 1):
        long = thing.disc(0.09 + side * 0.20, 0.62, 0.23) & ~thing.disc(0.09 + side * 0.22, 0.54, 0.23)
        high = thing.disc(0.09 + side * 0.13, 0.76, 0.16) & ~thing.disc(0.09 + side * 0.19, 0.71, 0.15)
        paint(long, dark, mask=mask)
        paint(high, light, mask=mask)
    paint(thing.disc(0.09, 0.77, 0.075), light, mask=mask)


def _house(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.62)
    paint = thing.window.paint
    wall = thing.colour((244, 230, 204), (226, 200, 178))
    red, blue = thing.colour((186, 66, 52), (150, 52, 58)), thing.colour((86, 98, 128), (70, 104, 116))
    roof = red + (thing.style > 0.68)[:, None] * (blue - red)
    white = thing.colour((240, 245, 252))
    roof = roof + thing.snowy[:, None] * 0.85 * (white - roof)
    paint(thing.box(0.18, 0.30, 0.5, 0.98), thing.colour((140, 88, 74)), mask=mask)
    paint(thing.box(-0.42, 0.42, 0, 0.52), wall, mask=mask)
    paint(thing.peak(0, 1.0, 1.0) & ~thing.below(0.48), roof, mask=mask)
    door = thing.colour((116, 74, 52), (84, 78, 92))
    paint(thing.box(-0.29, -0.08, 0, 0.34), door)
    pane = thing.colour((96, 138, 168))
    lamp = np.broadcast_to(table((255, 214, 110)), pane.shape)
    paint(thing.box(0.08, 0.30, 0.15, 0.37), pane + thing.night[:, None] * (lamp - pane))


def _bush(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.52)
    leaf = thing.colour((52, 118, 50), (112, 124, 52))
    body = thing.disc(0, 0.26, 0.30) | thing.disc(-0.28, 0.16, 0.22) | thing.disc(0.28, 0.16, 0.22)
    body &= ~thing.below(0)
    thing.window.paint(body, leaf, mask=mask)
    lit = thing.disc(-0.06, 0.34, 0.19) & body
    thing.window.paint(lit, leaf + 0.22 * (thing.colour((220, 230, 120)) - leaf))


def _rock(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.54)
    paint = thing.window.paint
    stone, shade = thing.colour((150, 148, 150), (156, 136, 122)), thing.colour((108, 108, 116), (116, 96, 88))
    body = thing.peak(-0.04, 0.66, 0.9) & thing.below(0.48) & thing.box(-0.5, 0.5, 0, 0.6)
    paint(body, stone, mask=mask)
    paint(body & ~thing.side(0.06, 0.4, -0.4), shade)
    cap = thing.snowy[:, None] * (thing.colour((244, 248, 255)) - stone)
    paint(body & ~thing.below(0.33), stone + 0.12 * (255 - stone) * (1 - thing.snowy[:, None]) + cap)


def _cactus(thing: Thing, mask: int) -> None:
    _shadow(thing, 0.22)
    green, light = thing.colour((44, 116, 74), (70, 124, 62)), thing.colour((78, 150, 92), (104, 156, 78))
    body = thing.box(-0.09, 0.09, 0, 0.9) | thing.disc(0, 0.9, 0.09)
    for side, low, high in ((-1, 0.38, 0.66), (1, 0.52, 0.80)):
        inner, outer = sorted((side * 0.05, side * 0.34))
        body |= thing.box(inner, outer, low - 0.065, low + 0.065)
        body |= thing.box(side * 0.28 - 0.065, side * 0.28 + 0.065, low, high) | thing.disc(side * 0.28, high, 0.065)
        body |= thing.disc(side * 0.28, low, 0.065)
    thing.window.paint(body, green, mask=mask)
    thing.window.paint(thing.box(-0.05, 0.0, 0.03, 0.92) & body, light)


def _boat(thing: Thing, mask: int) -> None:
    paint = thing.window.paint
    image = thing.ellipse(0, -0.03, 0.46, 0.06)
    paint(image, thing.colour((20, 70, 110)), opacity=0.35)
    hull = thing.box(-0.5, 0.5, 0, 0.2) & ~thing.side(-0.36, 0, -0.7) & thing.side(0.36, 0, 0.7)
    red, blue = thing.colour((196, 62, 48)), thing.colour((52, 74, 128))
    paint(thing.box(-0.025, 0.025, 0.15, 1.0), thing.colour((96, 70, 54)), mask=mask)
    sail = thing.side(-0.04, 0, 0) & ~thing.below(0.27) & ~thing.side(-0.42, 0.27, 0.54)
    jib = ~thing.side(0.04, 0, 0) & ~thing.below(0.27) & thing.side(0.34, 0.27, -0.5)
    paint(sail & thing.below(1.0), thing.colour((252, 250, 240), (250, 232, 200)), mask=mask)
    paint(jib & thing.below(1.0), thing.colour((236, 226, 214), (240, 176, 130)), mask=mask)
    paint(hull, red + (thing.tint > 0.5)[:, None] * (blue - red), mask=mask)


Box = tuple[float, float, float, float]  # How far a thing reaches to the left, right, down and up, in sizes.

_KINDS: Mapping[str, tuple[Callable[[Thing, int], None], str, Box]] = {
    "round tree": (_round_tree, "tree", (-0.42, 0.42, -0.06, 1.0)),
    "fir": (_fir, "tree", (-0.36, 0.36, -0.06, 1.02)),
    "palm": (_palm, "tree", (-0.42, 0.56, -0.06, 0.98)),
    "house": (_house, "house", (-0.66, 0.66, -0.12, 1.02)),
    "bush": (_bush, "bush", (-0.56, 0.56, -0.1, 0.6)),
    "rock": (_rock, "rock", (-0.58, 0.58, -0.1, 0.62)),
    "cactus": (_cactus, "cactus", (-0.38, 0.38, -0.05, 1.02)),
    "boat": (_boat, "boat", (-0.54, 0.54, -0.12, 1.02)),
}
