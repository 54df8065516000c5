"""Draws docs/figures/receptive_fields.png: what units read, and what they look at."""

from pathlib import Path

import numpy as np
import torch
from torch import nn

from ganvas.anatomy.fields.effective_field import effective_field
from ganvas.anatomy.fields.gridding import path_counts
from ganvas.report.drawing.drawing import Drawing, Item, Text, write
from ganvas.report.drawing.panels import Axes, heat_map

SIDE = 150.0


def dilated(rates: list[int]) -> np.ndarray:
    """By how many paths each pixel of the field is read, as a share of the most."""
    counts = path_counts(rates, [3] * len(rates)).astype(float)
    both = np.outer(counts, counts)
    return both / both.max()


def measured(depth: int) -> np.ndarray:
    """The gradient of the middle unit of a stack of 3 x 3 layers with ReLU, He's start."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for index in range(depth):
        layers += [nn.Conv2d(3 if index == 0 else 16, 16, 3, padding=1, bias=False), nn.ReLU()]
        nn.init.kaiming_normal_(layers[-2].weight, nonlinearity="relu")
    found = effective_field(nn.Sequential(*layers), (3, 2 * depth + 1, 2 * depth + 1), samples=64)
    return found.gradient / found.gradient.max()


def main() -> None:
    panels = [
        ("rates 2 4 8: 225 of 841 pixels", dilated([2, 4, 8])),
        ("rates 1 2 5: all of 289", dilated([1, 2, 5])),
        ("20 layers of 3 x 3: gradient", measured(20)),
    ]
    items: list[Item] = []
    for number, (title, values) in enumerate(panels):
        place = (4 + number * (SIDE + 8), 4.0, SIDE, SIDE)
        items += heat_map(values, place, axes=Axes(title=title), value_range=(0.0, 1.0))
    items.append(Text(x=4, y=SIDE - 8, text="Colour: share of the most. Axes: pixels of the field.", size=7))
    width = len(panels) * (SIDE + 8)
    write(Drawing(width=width, height=SIDE - 2, items=tuple(items)), Path(__file__).with_suffix(".png"))


if __name__ == "__main__":
    main()
