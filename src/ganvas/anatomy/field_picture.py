"""A picture of a receptive field: the set that a unit reads beside the strength with which each pixel moves it."""

import numpy as np
from jaxtyping import Float

from ganvas.anatomy.effective_field import EffectiveField
from ganvas.anatomy.receptive_field import Field
from ganvas.report.drawing import Drawing, Item, Text
from ganvas.report.panels import Axes, heat_map

SIDE, GAP, TOP, FOOT = 200.0, 18.0, 30.0, 22.0  # Points; the colour bar narrows a panel, and squares it, by the foot.
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
        items += heat_map(values, place, axes=Axes(title=title), value_range=(0.0, 1.0), origin=origin)
    return Drawing(width=width, height=TOP + SIDE - FOOT, items=tuple(items))


def _window(found: Field) -> tuple[slice, slice]:
    """The field's box with a margin, cut at the borders."""
    cuts = []
    for (first, last), size in zip(found.inside, found.pixels.shape, strict=True):
        margin = max(2, round(MARGIN * (last - first + 1)))
        cuts.append(slice(max(first - margin, 0), min(last + 1 + margin, size)))
    return cuts[0], cuts[1]


def _scaled(strength: Float[np.ndarray, "h w"]) -> Float[np.ndarray, "h w"]:
    most = strength.max()
    return strength / most if most > 0 else strength


def _caption(found: Field, gradient: EffectiveField | None) -> str:
    text = f"field {' x '.join(map(str, found.size))}, {found.read:,} pixels read, {found.holes:,} holes"
    if gradient is not None:
        text += f"; deviation {gradient.deviation[0]:.1f} x {gradient.deviation[1]:.1f} pixels"
    return text
