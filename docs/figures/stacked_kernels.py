"""Makes stacked_kernels.svg: what stacks of small kernels cost beside one large, and what they look at.

python docs/figures/stacked_kernels.py
"""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ganvas.anatomy.fields.effective_field import effective_field
from ganvas.anatomy.fields.stacked_kernels import compare_kernels
from ganvas.report.drawing.drawing import Drawing, Item, write
from ganvas.report.drawing.panels import Axes, Curve, chart

SIDES, CHANNELS = (3, 5, 7, 9, 11, 13, 15), 64
FORMS = ("one large", "3x3 stacked", "1xk, kx1", "kxk depthwise, 1x1", "3x3 depthwise, 1x1, stacked")
WIDTH, HEIGHT, GAP = 525.0, 190.0, 12.0


def weights() -> list[Curve]:
    """By C^2, for every side that is to be seen; the kernel of 3 is its own stack."""
    found = {side: compare_kernels(channels=CHANNELS, size=32, large=side) for side in SIDES if side > 3}
    curves = []
    for place, name in enumerate(FORMS):
        y = [stacks[place].per_square for stacks in found.values()]
        curves.append(Curve(name=name, x=list(found), y=y, marks=True))
    return curves


def looks(*kernels: int) -> tuple[np.ndarray, np.ndarray]:
    """The mean gradient along a row through the middle unit, as a share of all of it: what a random start looks at."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for index, side in enumerate(kernels):
        layers.append(nn.Conv2d(3 if index == 0 else 32, 32, side, padding=side // 2, bias=False))
        nn.init.normal_(layers[-1].weight)
    field = effective_field(nn.Sequential(*layers), (3, 31, 31), samples=32).gradient ** 2
    row = field.sum(0) / field.sum()
    reach = sum(side // 2 for side in kernels)
    return np.arange(-reach, reach + 1), row[15 - reach : 16 + reach]


def main() -> None:
    left, right = (WIDTH - GAP) * 0.6, (WIDTH - GAP) * 0.4
    costs = Axes(
        title=f"weights by C², {CHANNELS} channels",
        x_title="side of the field that is seen, pixels",
        log_y=True,
        x_range=(4.4, 15.6),
        x_ticks=[(float(side), str(side)) for side in SIDES if side > 3],
        size=8.0,
    )
    ticks = [(float(x), str(x).replace("-", "−")) for x in (-6, -3, 0, 3, 6)]
    sees = Axes(
        title="share of a unit's gradient", x_title="pixels from the middle", size=8.0, y_range=(0, 0.21), x_ticks=ticks
    )
    large, small = looks(15), looks(*[3] * 7)
    curves = [
        Curve(name="one 15x15", x=large[0], y=large[1], marks=True),
        Curve(name="7 x 3x3", x=small[0], y=small[1], marks=True),
    ]
    items: list[Item] = [*chart(weights(), (2, 2, left, HEIGHT), axes=costs)]
    items += chart(curves, (2 + left + GAP, 2, right, HEIGHT), axes=sees)
    title = "Weights of one large kernel and of stacks that see as far, and where their units look"
    write(Drawing(width=WIDTH, height=HEIGHT + 4, items=tuple(items), title=title), Path(__file__).with_suffix(".svg"))


if __name__ == "__main__":
    main()
