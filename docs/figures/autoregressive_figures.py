"""Makes blind_spot.png: what the middle pixel's colours depend on in PixelCNN and in Gated PixelCNN, by gradients.

python docs/figures/autoregressive_figures.py; some seconds of one processor core.
"""

from dataclasses import replace
from pathlib import Path

import torch
from torch import Tensor

from ganvas.core import catalogue
from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import initialise
from ganvas.report.drawing.drawing import Drawing, Item, Text, write
from ganvas.report.drawing.panels import Axes, heat_map

HERE = Path(__file__).parent
MODELS = {"pixelcnn": "PixelCNN", "gated_pixelcnn": "Gated PixelCNN"}
SIDE, PANEL, BLOCKS = 21, 190.0, 12


def blind_spot() -> None:
    """Of each network what the middle pixel depends on (by gradient), and the earlier pixels that it does not."""
    items: list[Item] = []
    for number, (name, title) in enumerate(MODELS.items()):
        place = (4 + number * (PANEL + 8), 4.0, PANEL, PANEL)
        seen = seen_from_the_middle(name)
        past = torch.arange(SIDE * SIDE).view(SIDE, SIDE) < SIDE * (SIDE // 2) + SIDE // 2
        values = torch.where(seen, 1.0, torch.where(past, 0.45, 0.0)).numpy()
        count = f"{title}: {int(seen.sum())} of {int(past.sum())} earlier pixels"
        items += heat_map(values, place, axes=Axes(title=count), value_range=(0.0, 1.0))
    note = "Yellow: seen from the middle. Green: earlier, and never seen. Dark: the middle itself, and later pixels."
    items.append(Text(x=4, y=PANEL - 20, text=note, size=7))
    drawing = Drawing(width=len(MODELS) * (PANEL + 8), height=PANEL - 12, items=tuple(items))
    write(drawing, HERE / "blind_spot.png", dpi=144.0)


def seen_from_the_middle(name: str) -> Tensor:
    """Whether the middle pixel's numbers move with each pixel of a picture."""
    module = catalogue.load("models", f"autoregressive/{name}")
    config = catalogue.load("recipes", f"autoregressive/{name}").small().config
    model = module.Model(replace(config, height=SIDE, width=SIDE, blocks=BLOCKS)).double()
    initialise(model, stream(0, "weights"))
    shape = (8, 3, SIDE, SIDE)
    images = (2 * torch.rand(shape, generator=stream(1, "pictures"), dtype=torch.float64) - 1).requires_grad_()
    numbers = model.numbers(images, None)[..., SIDE // 2, SIDE // 2]
    (numbers * torch.randn(numbers.shape[1], generator=stream(2, "weights"), dtype=torch.float64)).sum().backward()
    assert images.grad is not None
    return images.grad.abs().sum((0, 1)) > 0


if __name__ == "__main__":
    torch.set_num_threads(1)
    blind_spot()
