"""Sheets of a game of points: the critic's level lines with its pushes at the samples, and the map of latents."""

import math
from collections.abc import Sequence

import numpy as np
from jaxtyping import Float

from ganvas.report.drawing.axis import Scale
from ganvas.report.drawing.palette import BLUE, GREEN, INK, RULE, SOFT, VERMILION, shaded
from ganvas.report.drawing.primitives import Clip, Command, Drawing, Image, Item, Paint, Path, Rect, Text
from ganvas.report.pictures.level_lines import level_lines, spread_levels
from ganvas.report.pictures.point_moment import PointMoment
from ganvas.report.pictures.scatter import LEFT, OPACITY, REAL, SIDE, TOP, Span, painted_dots, tick_marks

LEVELS = 11
ARROW = 0.05  # Length of a typical push, in parts of the sheet's side.
TYPICAL = 0.8  # Share of the pushes that are shorter than that.
HEAD = 0.35  # Of an arrow's length.
LONGEST = 2.0  # Times the typical push: longer ones are cut.
APART, FOOT = 26.0, 34.0  # In points.


def critic_sheet(moment: PointMoment, real: Float[np.ndarray, "n 2"], *, title: str = "") -> Drawing:
    """Two plots side by side, as far as the moment's span reaches.

    Args:
        real: Points of the data, in grey on both.
        title: Words above the left plot.
    """
    left, right, bottom, top = (float(value) for value in moment.span)
    spans = ((left, right), (bottom, top))
    second = LEFT + SIDE + APART
    items = _plot(LEFT, spans, [_cloud(LEFT, [(real, REAL, 1.0), (moment.samples, BLUE, OPACITY)], spans)])
    items += [_clipped(LEFT, _critic(moment, spans)), Text(x=LEFT, y=TOP - 7, text=title, size=9, fill=INK)]
    items += _plot(second, spans, [_cloud(second, [(real, REAL, 1.0)], spans), *_latents(moment, second, spans)])
    items.append(Text(x=second, y=TOP - 7, text="What a grid of latents becomes", size=9, fill=INK))
    said = "Level lines of the critic (yellow: real to it), and its push at some samples" if moment.levels.size else ""
    items.append(Text(x=LEFT, y=TOP + SIDE + 25, text=said, size=7.5, fill=SOFT))
    axes = "Along the first latent blue, along the second green"
    items.append(Text(x=second, y=TOP + SIDE + 25, text=axes, size=7.5, fill=SOFT))
    return Drawing(width=second + SIDE + 12, height=TOP + SIDE + FOOT, items=tuple(items), title=title or "Points")


def _plot(x: float, spans: tuple[Span, Span], inside: Sequence[Item]) -> list[Item]:
    frame = Rect(x=x, y=TOP, width=SIDE, height=SIDE, paint=Paint(stroke=RULE))
    ticks = tick_marks(Scale(low=spans[0][0], high=spans[0][1], start=x, end=x + SIDE), TOP + SIDE + 10, along_x=True)
    if x == LEFT:
        upwards = Scale(low=spans[1][0], high=spans[1][1], start=TOP + SIDE, end=TOP)
        ticks += tick_marks(upwards, LEFT - 4, along_x=False)
    return [_clipped(x, inside), frame, *ticks]


def _clipped(x: float, items: Sequence[Item]) -> Clip:
    return Clip(x=x, y=TOP, width=SIDE, height=SIDE, items=tuple(items))


def _cloud(x: float, clouds: Sequence[tuple[np.ndarray, str, float]], spans: tuple[Span, Span]) -> Image:
    return Image(x=x, y=TOP, width=SIDE, height=SIDE, pixels=painted_dots(clouds, spans), smooth=True)


def _critic(moment: PointMoment, spans: tuple[Span, Span]) -> list[Item]:
    """Level lines, dark where the critic sees fakes, and arrows along its gradient."""
    if not moment.levels.size:
        return []
    values = moment.levels.astype(np.float64)
    levels = spread_levels(values, LEVELS)
    colours = shaded(np.linspace(0, 0.9, max(len(levels), 2))[None], low=0, high=1)[0]
    items: list[Item] = []
    for level, colour in zip(levels, colours, strict=False):
        pieces = level_lines(values, level)
        cell = SIDE / (np.array(values.shape) - 1)
        at = [LEFT, TOP + SIDE] + pieces[..., ::-1] * [cell[1], -cell[0]]
        commands = [part for piece in at.tolist() for part in _stroke(piece)]
        if commands:
            stroke = "#" + bytes(colour.tolist()).hex()
            items.append(Path(commands=tuple(commands), paint=Paint(stroke=stroke, stroke_width=0.7, opacity=0.8)))
    return items + _arrows(moment, spans)


def _arrows(moment: PointMoment, spans: tuple[Span, Span]) -> list[Item]:
    starts, pushes = moment.pushed[:, 0].astype(np.float64), moment.pushed[:, 1].astype(np.float64)
    lengths = np.sqrt((pushes**2).sum(1))
    typical = float(np.quantile(lengths, TYPICAL)) if len(lengths) else 0.0
    if not (typical > 0 and math.isfinite(typical)):
        return []
    scaled = pushes * (np.minimum(lengths, LONGEST * typical) / np.maximum(lengths, 1e-300) / typical)[:, None]
    (left, right), (bottom, _) = spans
    unit = SIDE / (right - left)
    commands: list[Command] = []
    for (x, y), (across, up) in zip(starts.tolist(), (scaled * ARROW * SIDE).tolist(), strict=True):
        foot = [LEFT + (x - left) * unit, TOP + SIDE - (y - bottom) * unit]
        tip = [foot[0] + across, foot[1] - up]
        commands += _stroke([foot, tip])
        for turn in (2.6, -2.6):  # Radians from the arrow's own direction.
            back = (across * math.cos(turn) - up * math.sin(turn), across * math.sin(turn) + up * math.cos(turn))
            commands += _stroke([tip, [tip[0] + HEAD * back[0], tip[1] - HEAD * back[1]]])
    return [Path(commands=tuple(commands), paint=Paint(stroke=VERMILION, stroke_width=0.8))] if commands else []


def _latents(moment: PointMoment, x: float, spans: tuple[Span, Span]) -> list[Item]:
    (left, right), (bottom, _) = spans
    unit = SIDE / (right - left)
    items: list[Item] = []
    for lines, colour in zip(moment.latent_lines.astype(np.float64), (BLUE, GREEN), strict=False):
        at = np.stack([x + (lines[..., 0] - left) * unit, TOP + SIDE - (lines[..., 1] - bottom) * unit], axis=-1)
        commands = [part for line in at[np.isfinite(at).all((1, 2))].tolist() for part in _stroke(line)]
        if commands:
            items.append(Path(commands=tuple(commands), paint=Paint(stroke=colour, stroke_width=0.7, opacity=0.9)))
    return items


def _stroke(places: list[list[float]]) -> list[Command]:
    """A line through places."""
    (x, y), *rest = places
    return [("M", ((x, y),)), *(("L", ((right, down),)) for right, down in rest)]
