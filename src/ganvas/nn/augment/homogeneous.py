"""Matrices in homogeneous coordinates, one per picture: of the plane (n, 3, 3) and of colours (n, 4, 4)."""

from collections.abc import Sequence

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import PerSample

PlaneMaps = Float[Tensor, "n 3 3"]  # Of points (x, y, 1): x to the right and y down, in pixels from the middle.
ColourMaps = Float[Tensor, "n 4 4"]  # Of colours (red, green, blue, 1).


def translation(x: PerSample, y: PerSample) -> PlaneMaps:
    """Moves a point by (x, y)."""
    return _rows(x, [[1, 0, x], [0, 1, y], [0, 0, 1]])


def scaling(x: PerSample, y: PerSample) -> PlaneMaps:
    """Multiplies both coordinates."""
    return _rows(x, [[x, 0, 0], [0, y, 0], [0, 0, 1]])


def rotation(angle: PerSample) -> PlaneMaps:
    """Turns by an angle in radians, clockwise as a picture is looked at."""
    return _turn(angle.cos(), angle.sin())


def quarter_turns(turns: PerSample) -> PlaneMaps:
    """Turns by whole multiples of 90 degrees, with cosines and sines that are exactly -1, 0 or 1."""
    turns = turns % 4
    return _turn((1 - turns) * (turns != 3), (2 - turns) * (turns % 2))


def along_grey(grey: PerSample, colour: PerSample, shift: PerSample) -> ColourMaps:
    """Multiplies by ``grey`` along the grey axis and by ``colour`` across it, then adds ``shift`` to each channel."""
    a, b = (grey - colour) / 3 + colour, (grey - colour) / 3
    return _rows(grey, [[a, b, b, shift], [b, a, b, shift], [b, b, a, shift], [0, 0, 0, 1]])


def hue_rotation(angle: PerSample) -> ColourMaps:
    """Turns colours around the grey axis by an angle in radians (Rodrigues' formula)."""
    cosine, sine = angle.cos(), angle.sin() / 3**0.5
    same, mixed = (1 - cosine) / 3 + cosine, (1 - cosine) / 3
    low, high = mixed - sine, mixed + sine
    return _rows(angle, [[same, low, high, 0], [high, same, low, 0], [low, high, same, 0], [0, 0, 0, 1]])


def _turn(cosine: PerSample, sine: PerSample) -> PlaneMaps:
    return _rows(cosine, [[cosine, -sine, 0], [sine, cosine, 0], [0, 0, 1]])


def _rows(like: PerSample, rows: Sequence[Sequence[Tensor | int]]) -> Tensor:
    """One matrix per picture, of entries that are numbers or one number per picture."""
    flat = [entry if isinstance(entry, Tensor) else torch.full_like(like, entry) for row in rows for entry in row]
    return torch.stack(flat, -1).unflatten(-1, (len(rows), -1))
