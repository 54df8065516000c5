"""Makes halving.png: rings that become finer outwards, halved in the ways of ganvas.claims.operators.downsample.

python docs/figures/halving.py
"""

import math
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.claims.operators.downsample import METHODS, Downsample

SIDE, SCALE, MARGIN, CAPTION = 180, 2, 8, 26
OUT = Path(__file__).with_name("halving.png")


def main() -> None:
    row = (torch.arange(SIDE, dtype=torch.float64) - SIDE / 2 + 0.5).square()
    # The phase grows as r^2: at the middle of a side rings are two pixels wide, the finest that the grid can hold.
    rings = 0.5 + 0.5 * torch.cos(math.pi / SIDE * (row[:, None] + row))
    panels = [("all 180 pixels", rings, 1)]
    panels += [(method, Downsample(method)(rings[None, None])[0, 0], 2) for method in METHODS]
    wide, high = SIDE * SCALE // 2 + 2 * MARGIN, SIDE * SCALE // 2 + CAPTION + MARGIN
    canvas = Image.new("RGB", (3 * wide, 2 * high), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(14)
    for index, (title, picture, scale) in enumerate(panels):
        left, top = index % 3 * wide + MARGIN, index // 3 * high + MARGIN
        pixels = Image.fromarray((255 * picture.clamp(0, 1)).round().byte().numpy())
        canvas.paste(
            pixels.resize((pixels.width * scale, pixels.height * scale), Image.Resampling.NEAREST), (left, top)
        )
        draw.text((left, top + SIDE + 4), title, "black", font)
    canvas.convert("L").quantize(64).save(OUT, optimize=True)  # Grey as it is: a third of the size.


if __name__ == "__main__":
    main()
