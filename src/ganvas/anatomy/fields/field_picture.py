"""A picture of a receptive field: the set that a unit reads beside the strength with which each pixel moves it."""

import numpy as np
from jaxtyping import Float

from ganvas.anatomy.fields.effective_field import EffectiveField
from ganvas.anatomy.fields.receptive_field import Field
from ganvas.report.drawing.drawing import Drawing, Item, Text
from ganvas.report.drawing.panels import Axes, heat_map

SIDE, GAP, TOP, FOOT = 200.0, 18.0, 30.0, 6.0  # Points.
MARGIN = 0.08  # Of the field's size, shown around it.


def field_picture(model: str, found: Field, gradient: EffectiveField | None) -> Drawing:
    """One panel for the set, and one for the gradient where it was measured, around the field and no wider."""
    rows, columns = _window(found)
    panels = [("pixels read", found.pixels[rows, columns].astype(np.float64))]
    if gradient is not None:
        strength = gradient.gradient[rows, columns]
        panels.append(("gradient, square root of its share of the strongest", np.sqrt(_scaled(strength))))
    width = len(panels) * SIDE + (len(panels) - 1) * GAP + 16
    items: list[Item] = [
        Text(x=8, y=13, text=f"{model}: {found.layer}, unit {found.unit}", size=8, weight="bold"),
        Text(x=8, y=24, text=_caption(found, gradient), size=7),
    ]
    for number, (title, values) in enumerate(panels):
        place = (8 + number * (SIDE + GAP), TOP, SIDE, SIDE)
        origin = (float(rows.start), float(columns.start))
        items += heat_map(values, place, axes=Axes(title=title, whole=True), value_range=(0.0, 1.0), origin=origin)
    lowest = max(
        item.y for item in items if isinstance(item, Text)
    )  # Of the ticks; panels are as tall as their window.
    return Drawing(width=width, height=lowest + FOOT, items=tuple(items))


def _window(found: Field) -> tuple[slice, slice]:
    """A square around the field with a margin, moved or cut to lie within the borders; all where nothing is read."""
    if not found.read:
        return slice(0, found.pixels.shape[0]), slice(0, found.pixels.shape[1])
    longest = max(last - first + 1 for first, last in found.inside)
    side = longest + 2 * max(2, round(MARGIN * longest))
    cuts = []
    for (first, last), size in zip(found.inside, found.pixels.shape, strict=True):
        start = min(max((first + last + 1 - side) // 2, 0), max(size - side, 0))
        cuts.append(slice(start, min(start + side, size)))
    return cuts[0], cuts[1]


def _scaled(strength: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    most = strength.max()
    return strength / most if most > 0 else strength


def _caption(found: Field, gradient: EffectiveField | None) -> str:
    text = f"field {' x '.join(map(str, found.size))}, {found.read:,} pixels read, {found.holes:,} holes"
    if gradient is not None:
        text += f"; deviation {gradient.deviation[0]:.1f} x {gradient.deviation[1]:.1f} pixels"
    return text
