"""Colours that the colour-blind tell apart, and a colour map whose steps look alike.

The eight colours are those of Okabe & Ito (2008, "Color Universal Design"); the map is viridis (Smith & van der Walt
2015), given by a table of points and straight lines in between.
"""

import re

import numpy as np
from jaxtyping import Float, UInt8

BLACK, ORANGE, SKY, GREEN = "#000000", "#e69f00", "#56b4e9", "#009e73"
YELLOW, BLUE, VERMILION, PURPLE = "#f0e442", "#0072b2", "#d55e00", "#cc79a7"
OKABE_ITO = (BLUE, ORANGE, GREEN, VERMILION, SKY, PURPLE, YELLOW, BLACK)
"""In the order in which curves take them: the pale yellow late, since it is faint on white."""

INK, SOFT, RULE = "#1d2329", "#5d6670", "#d4d8dc"
"""Text, quiet text, and the lines behind a plot."""

ON_DARK = {INK: "#e3e7eb", SOFT: "#9aa4af", RULE: "#30363d", BLACK: "#ffffff"}
"""What takes their place on a dark ground, where the other colours are seen as well."""

VIRIDIS = (
    *("#440154", "#48186a", "#472d7b", "#424086", "#3b528b", "#33638d", "#2c728e", "#26828e", "#21918c"),
    *("#1fa088", "#28ae80", "#3fbc73", "#5ec962", "#84d44b", "#addc30", "#d8e219", "#fde725"),
)


def rgb(colour: str) -> tuple[int, int, int]:
    """The three bytes of ``#rrggbb``.

    >>> rgb("#0072b2")
    (0, 114, 178)
    """
    assert re.fullmatch("#[0-9a-f]{6}", colour), f"{colour!r} is not #rrggbb"
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def mixed(colour: str, other: str, part: float) -> str:
    """``colour`` with ``part`` of another in it, per byte.

    >>> mixed("#000000", "#ffffff", 0.2)
    '#333333'
    """
    parts = (round(a + (b - a) * part) for a, b in zip(rgb(colour), rgb(other), strict=True))
    return "#" + "".join(f"{value:02x}" for value in parts)


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1): 0 black, 1 white. Ink goes on what is above 0.18, white on what is below.

    >>> round(luminance("#ffffff"), 6), round(luminance("#000000"), 6)
    (1.0, 0.0)
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in rgb(colour))]
    return float(np.dot((0.2126, 0.7152, 0.0722), linear))


def shaded(values: Float[np.ndarray, "h w"], *, low: float, high: float) -> UInt8[np.ndarray, "h w 3"]:
    """A colour per value, from ``low`` (dark) to ``high`` (bright); beyond them the ends; light grey for nan."""
    assert high > low
    table = np.array([rgb(colour) for colour in VIRIDIS], dtype=np.float64)
    part = np.clip((np.nan_to_num(values, nan=low) - low) / (high - low), 0, 1) * (len(table) - 1)
    left = np.minimum(part.astype(np.int64), len(table) - 2)
    rest = (part - left)[..., None]
    colours = table[left] * (1 - rest) + table[left + 1] * rest
    colours[np.isnan(values)] = 224
    return np.rint(colours).astype(np.uint8)
