"""A number beside the number it is held against, each with its error, small enough for the cell of a table."""

import math
from dataclasses import dataclass

from ganvas.report.drawing.axis import Scale

WIDTH, HEIGHT = 190, 24
STYLE = (
    "<style>.whiskers{color:#1d2329;--v:#0072b2}.whiskers path{stroke:currentColor;stroke-opacity:.55;fill:none}"
    ".whiskers .value{stroke:var(--v);stroke-opacity:1;stroke-width:1.6}.whiskers .dot{fill:var(--v)}"
    ".whiskers .level{fill:none;stroke:currentColor;stroke-opacity:.8;stroke-width:1.4}"
    ".whiskers .rule{stroke-opacity:.16}"
    "@media screen and (prefers-color-scheme:dark){.whiskers{color:#e3e7eb;--v:#5cb3ea}}</style>"
)


@dataclass(frozen=True, kw_only=True)
class Measured:
    """A value with its standard error."""

    value: float
    error: float | None = None


def whiskers(value: Measured, floor: Measured | None, *, scale: Scale) -> str:
    """An ``<svg>``: a filled dot for the value, a ring for the floor, bars of two standard errors on either side."""
    described = f"{value.value:.4g}" + (f", floor {floor.value:.4g}" if floor else "")
    parts = [
        f'<svg class="whiskers" xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" width="{WIDTH}" '
        f'height="{HEIGHT}" role="img" aria-label="{described}">{STYLE}',
        f'<path class="rule" d="M{scale.start:.1f} 12H{scale.end:.1f}"/>',
    ]
    if floor is not None and _drawable(floor.value, scale):
        parts.append(f'<path d="{_bar(floor, scale)}"/>')
        parts.append(f'<circle class="level" cx="{scale(floor.value):.1f}" cy="12" r="4"/>')
    if _drawable(value.value, scale):
        parts.append(f'<path class="value" d="{_bar(value, scale)}"/>')
        parts.append(f'<circle class="dot" cx="{scale(value.value):.1f}" cy="12" r="3.6"/>')
    return "".join([*parts, "</svg>"])


def shared_scale(shown: list[Measured]) -> Scale:
    """One scale for the cells of a table: logarithmic when all values are positive and differ by more than 5 times."""
    finite = [one for one in shown if math.isfinite(one.value)]
    ends = [one.value + sign * 2 * (one.error or 0) for one in finite for sign in (-1, 1)] or [0.0, 1.0]
    least = min((one.value for one in finite), default=0.0)
    if least > 0 and max(ends) / least > 5:
        low, high = max(min(ends), least / 2), max(ends)
        return Scale(low=low / 1.1, high=high * 1.1, start=8, end=WIDTH - 8, log=True)
    margin = (max(ends) - min(ends)) * 0.05 or abs(max(ends)) * 0.05 or 1.0
    return Scale(low=min(ends) - margin, high=max(ends) + margin, start=8, end=WIDTH - 8)


def _bar(one: Measured, scale: Scale) -> str:
    error = 2 * (one.error or 0)
    low, high = max(one.value - error, scale.low), min(one.value + error, scale.high)
    left, right = float(scale(low)), float(scale(high))
    return f"M{left:.1f} 8v8M{left:.1f} 12H{right:.1f}M{right:.1f} 8v8" if right - left >= 1 else ""


def _drawable(value: float, scale: Scale) -> bool:
    return math.isfinite(value) and (value > 0 or not scale.log)
