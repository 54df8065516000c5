"""The backdrop of a scene: all that lies behind its things, painted from far to near."""

from collections.abc import Mapping

import numpy as np

from ganvas.core.hashes.splitmix import mix
from ganvas.data.scenes.canvas import Canvas, Shape, Window, limit, wave
from ganvas.data.scenes.factors import CLOUDS, LANDSCAPES, RIDGES, TIMES, Factors, unit
from ganvas.data.scenes.paints import Palette, between, table

MaskIds = Mapping[str, int]  # Name of a mask to its number.

MEADOW, DESERT, WINTER, COAST = range(len(LANDSCAPES))
DUSK, NIGHT = TIMES.index("dusk"), TIMES.index("night")
STARS_PER_SIDE = 5  # Cells per short side, each with at most one star.


def paint_backdrop(canvas: Canvas, factors: Factors, palette: Palette, masks: MaskIds) -> None:
    """Paints everything but the things on the ground and on the sea."""
    horizon = factors["horizon"] * canvas.tallness
    _paint_sky(canvas, horizon, palette, masks["sky"])
    _paint_stars(canvas, factors, horizon)
    _paint_light(canvas, factors, horizon, palette, masks)
    for k in range(CLOUDS):
        _paint_cloud(canvas, factors, k, horizon, palette, masks["cloud"])
    for k in range(RIDGES):
        _paint_ridge(canvas, factors, k, horizon, palette, masks["mountain"])
    _paint_ground(canvas, factors, horizon, palette, masks)
    _paint_glitter(canvas, factors, horizon, palette)
    _paint_shore(canvas, factors, palette, masks["sand"])
    _paint_pond(canvas, factors, palette, masks["water"])


def light_place(factors: Factors, canvas: Canvas) -> tuple[np.ndarray, np.ndarray]:
    """Where the sun or the moon stands, from the left and from the top; low at dusk, high otherwise."""
    height = np.where(
        factors["time"] == DUSK, 0.02 + 0.30 * factors["light_height"], 0.5 + 0.28 * factors["light_height"]
    )
    return factors["light_x"] * canvas.breadth, factors["horizon"] * canvas.tallness * (1 - height)


def shore_height(factors: Factors, across: np.ndarray) -> np.ndarray:
    """The shore line at ``across``, fractions of the width, n by anything: a fraction of the height from the top."""
    shape = (-1,) + (1,) * (across.ndim - 1)
    phase, slope, level = (factors[name].reshape(shape) for name in ("near_phase", "shore_slope", "shore"))
    return level + slope * (across - 0.5) + 0.018 * wave(across * 1.5 + phase)


def _paint_sky(canvas: Canvas, horizon: np.ndarray, palette: Palette, mask: int) -> None:
    """Two blends from the top over the middle (at six tenths of the way) to the horizon."""
    window = canvas.band(0, float(horizon.max()) + 0.06)
    fallen = limit(-window.y / horizon[:, None, None])
    top, middle, low = (
        colour[:, :, None, None] for colour in (palette.sky("top"), palette.sky("middle"), palette.sky_low)
    )
    colour = top + limit(fallen / 0.6)[:, None] * (middle - top)
    window.colour[:] = colour + limit((fallen - 0.55) / 0.45)[:, None] * (low - colour)
    window.mask[:] = mask


def _paint_stars(canvas: Canvas, factors: Factors, horizon: np.ndarray) -> None:
    """Points of light, one in some of the cells of a grid. They are part of the sky and own no pixel."""
    rows = np.flatnonzero(factors["time"] == NIGHT)
    if not len(rows):
        return
    x, y = np.zeros(len(rows), np.float32), horizon[rows]
    with canvas.window(rows, x, y).reaching(x, x + canvas.breadth, x, y) as window:
        from_top = y[:, None, None] - window.y
        column, line = np.floor(window.x * STARS_PER_SIDE), np.floor(from_top * STARS_PER_SIDE)
        cell = (column + 64 * line).astype(np.uint64)
        hashed = mix(cell ^ (factors["star_seed"][rows].astype(np.uint64) << np.uint64(32))[:, None, None])
        left = 0.25 + 0.5 * unit(hashed)
        top = 0.25 + 0.5 * unit(hashed << np.uint64(20))
        there = unit(hashed << np.uint64(36))
        across = window.x * STARS_PER_SIDE - column - left
        down = from_top * STARS_PER_SIDE - line - top
        near = limit(1.35 - np.sqrt(across * across + down * down) * 6)
        fading = limit(1.3 * window.y / y[:, None, None])
        window.blend(near * np.where(there > 0.45, there, 0) * fading, table([(250, 250, 250)]))


def _paint_light(canvas: Canvas, factors: Factors, horizon: np.ndarray, palette: Palette, masks: MaskIds) -> None:
    """The sun is a disc; the moon a disc without a second one. Around it the sky glows."""
    x, y = light_place(factors, canvas)
    radius = factors["light_size"]
    for name, rows in (
        ("sun", np.flatnonzero((factors["light"] > 0) & (factors["time"] != NIGHT))),
        ("moon", np.flatnonzero((factors["light"] > 0) & (factors["time"] == NIGHT))),
    ):
        if not len(rows):
            continue
        centre, r = np.zeros(len(rows), np.float32), radius[rows]
        glow = np.where(factors["time"] == DUSK, 0.75, 0.45)[rows].astype(np.float32)
        reach = r + glow
        with canvas.window(rows, x[rows], y[rows]).reaching(-reach, reach, -reach, reach) as window:
            away = np.sqrt(window.x * window.x + window.y * window.y)
            near = np.maximum(1 - np.maximum(away - r[:, None, None], 0) / glow[:, None, None], 0)
            window.blend(near * near * (0.5 if name == "sun" else 0.28), palette.light[rows])
            shape = window.disc(centre, centre, r)
            if name == "moon":
                shift = factors["moon_phase"][rows] * r
                shape &= ~window.disc(shift, shift * 0.6, r * 0.92)
            window.paint(shape, palette.light[rows], mask=masks[name])


def _paint_cloud(canvas: Canvas, factors: Factors, k: int, horizon: np.ndarray, palette: Palette, mask: int) -> None:
    """Three discs on a level base, darker below."""
    rows = np.flatnonzero(factors["cloud_count"] > k)
    if not len(rows):
        return
    size, form = factors[f"cloud{k}_size"][rows], factors[f"cloud{k}_shape"][rows]
    x = factors[f"cloud{k}_x"][rows] * canvas.breadth
    y = factors[f"cloud{k}_y"][rows] * horizon[rows]
    nil = np.zeros_like(size)
    with canvas.window(rows, x, y).reaching(-0.55 * size, 0.55 * size, nil, 0.5 * size) as window:
        lean = (form - 0.5) * 0.2 * size
        puffs = window.disc(lean, 0.18 * size, 0.23 * size)
        puffs |= window.disc(-0.27 * size, 0.10 * size, (0.13 + 0.05 * form) * size)
        puffs |= window.disc(0.27 * size, 0.09 * size, (0.18 - 0.05 * form) * size)
        up = limit(window.y / (0.24 * size)[:, None, None])[:, None]
        shade, light = palette.cloud_shade[rows][:, :, None, None], palette.cloud[rows][:, :, None, None]
        window.paint(puffs & ~window.below(nil), shade + up * (light - shade), mask=mask, opacity=0.94)


def _paint_ridge(canvas: Canvas, factors: Factors, k: int, horizon: np.ndarray, palette: Palette, mask: int) -> None:
    """A mountain with a lit and a shaded side and a cap of snow; in the desert a flat-topped rock with a dark seam."""
    rows = np.flatnonzero(factors["ridge_count"] > k)
    if not len(rows):
        return
    landscape = factors["landscape"][rows].astype(np.int64)
    height = factors[f"ridge{k}_height"][rows] * table((0.9, 0.8, 1.25, 0.45))[landscape]
    half = factors[f"ridge{k}_width"][rows] * height * table((1.0, 0.95, 0.75, 2.0))[landscape]
    top = height * table((1.0, 1.9, 1.0, 1.0))[landscape]  # The desert's are cut off below their tops.
    x = factors[f"ridge{k}_x"][rows] * canvas.breadth
    nil, foot = np.zeros_like(x), np.full_like(x, -0.06)
    with canvas.window(rows, x, horizon[rows]).reaching(-1.35 * half, 1.35 * half, foot, height) as window:
        body = window.peak(nil, top, top / half) & window.below(height) & ~window.below(foot)
        stone = table(((104, 132, 150), (196, 104, 66), (128, 146, 178), (92, 140, 128)))[landscape]
        dark = table(((78, 104, 132), (158, 76, 58), (98, 118, 158), (72, 116, 118)))[landscape]
        cap = table(((236, 242, 246), (148, 70, 54), (248, 250, 255), (92, 140, 128)))[landscape]
        window.paint(body, palette.hazy(stone, 0.22, rows), mask=mask)
        to_left = (factors["light_x"][rows] * canvas.breadth < x)[:, None, None]
        left = window.side(nil, height, 0.16 * half / height)
        window.paint(body & Shape(np.where(to_left, 1 - left.cover, left.cover)), palette.hazy(dark, 0.22, rows))
        jag = 0.05 * np.abs(wave(window.x / (0.5 * half)[:, None, None]))
        line = table((0.70, 0.60, 0.58, 2.0))[landscape] * height
        above = window.within(line[:, None, None] + jag * (landscape != DESERT)[:, None, None] - window.y)
        seam = table((2.0, 0.76, 2.0, 2.0))[landscape] * height
        window.paint(body & above & window.below(seam), palette.hazy(cap, 0.12, rows))


def _paint_ground(canvas: Canvas, factors: Factors, horizon: np.ndarray, palette: Palette, masks: MaskIds) -> None:
    """Grass, sand or snow with a nearer swell, or the sea, which is level."""
    window = canvas.band(float(horizon.min()) - 0.06, canvas.tallness)
    landscape = factors["landscape"].astype(np.int64)
    sea = landscape == COAST
    flat = sea[:, None, None]
    across = window.x / canvas.breadth
    swell = factors["relief"][:, None, None] * wave(across * 1.25 + factors["relief_phase"][:, None, None])
    edge = np.where(flat, np.float32(0), swell) - horizon[:, None, None]
    span = (canvas.tallness - horizon)[:, None, None]
    depth = limit((edge - window.y) / span)
    far, low = palette.ground("far")[:, :, None, None], palette.ground("low")[:, :, None, None]
    kinds = np.array([masks[name] for name in ("grass", "sand", "snow", "water")], dtype=np.uint8)
    window.paint(window.within(window.y - edge), far + depth[:, None] * (low - far), mask=kinds[landscape])
    near_edge = factors["near_edge"][:, None, None]
    near_edge = near_edge - 0.10 * wave(across * 0.75 + factors["near_phase"][:, None, None])
    down = (-window.y - horizon[:, None, None]) / span
    nearer = window.within((np.where(flat, np.float32(2), near_edge) - down) * span)
    window.blend(nearer.cover * 0.75, palette.ground("near"))
    _paint_ripples(window, np.flatnonzero(sea), factors, horizon)


def _paint_ripples(window: Window, rows: np.ndarray, factors: Factors, horizon: np.ndarray) -> None:
    """Bands of a little more and a little less light on the sea, bent, and fading towards the horizon."""
    x, y, phase = window.x[rows], window.y[rows], factors["near_phase"][rows][:, None, None]
    bands = wave(0.25 * wave(x * 1.5 + phase) - y * 7)
    fading = limit((-y - horizon[rows][:, None, None]) * 8)
    window.colour[rows] += (7 * fading * bands)[:, None]


def _paint_glitter(canvas: Canvas, factors: Factors, horizon: np.ndarray, palette: Palette) -> None:
    """The sun's or the moon's broken image on the sea."""
    rows = np.flatnonzero((factors["landscape"] == COAST) & (factors["light"] > 0))
    if not len(rows):
        return
    x, y = light_place(factors, canvas)[0][rows], horizon[rows]
    nil, far = np.zeros_like(x), canvas.tallness - y
    reach = np.full_like(x, 0.2)
    with canvas.window(rows, x, y).reaching(-reach, reach, -far, nil) as window:
        width = 0.07 + 0.25 * -window.y + 0.03 * wave(window.y * 9)
        near = np.maximum(1 - np.abs(window.x) / np.minimum(width, 0.2), 0) * (window.y < 0)
        window.blend(near * (0.45 + 0.25 * wave(window.y * 7)), palette.light[rows])


def _paint_shore(canvas: Canvas, factors: Factors, palette: Palette, mask: int) -> None:
    """Sand below a slanting line, wet where the sea meets it, and a line of foam."""
    rows = np.flatnonzero(factors["landscape"] == COAST)
    if not len(rows):
        return
    x, y = np.zeros(len(rows), np.float32), np.full(len(rows), canvas.tallness, np.float32)
    reach = np.full_like(x, 0.42 * canvas.tallness)
    own = {name: values[rows] for name, values in factors.items()}
    with canvas.window(rows, x, y).reaching(x, x + canvas.breadth, x, reach) as window:
        line = canvas.tallness - shore_height(own, window.x / canvas.breadth) * canvas.tallness
        foam = palette.lit(table([(245, 245, 245)]), rows)
        warm = (own["ground_tint"] + 1) / 2
        dry = between(table([(246, 222, 164)]), table([(236, 200, 138)]), warm)
        near = between(table([(232, 196, 130)]), table([(218, 172, 112)]), warm)
        window.paint(window.within(window.y - line - 0.028), foam, opacity=0.8)
        down = limit((line - window.y) / 0.3)[:, None]
        first, last = palette.lit(dry, rows)[:, :, None, None], palette.lit(near, rows)[:, :, None, None]
        window.paint(window.within(window.y - line), first + down * (last - first), mask=mask)


def _paint_pond(canvas: Canvas, factors: Factors, palette: Palette, mask: int) -> None:
    """A flat pond before the things of a meadow, with the sky in it."""
    rows = np.flatnonzero((factors["landscape"] == MEADOW) & (factors["pond"] > 0))
    if not len(rows):
        return
    x = factors["pond_x"][rows] * canvas.breadth
    y = (0.1 * factors["horizon"][rows] + 0.9) * canvas.tallness
    width, nil = factors["pond_size"][rows], np.zeros_like(x)
    height = np.minimum(width * 0.2, 0.085 * (1 - factors["horizon"][rows]) * 2)
    with canvas.window(rows, x, y).reaching(-width, width, -height, height) as window:
        deep, light = palette.lit(table([(70, 140, 190)]), rows), palette.sky_low[rows]
        window.paint(window.ellipse(nil, nil, width, height), deep + 0.45 * (light - deep), mask=mask)
