"""Makes checkerboard.png: how often each pixel is painted on, and what transposed convolutions start as.

python docs/figures/checkerboard.py
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.claims.operators.checkerboard import icnr_transposed_, leaves_checkerboard
from ganvas.data.scenes.scenes import Scenes
from ganvas.nn.layers.initialise import normal_
from ganvas.nn.transposed.transposed import conv_transpose

OUT = Path(__file__).with_name("checkerboard.png")
SIDE, GAP, TEXT = 288, 24, 62  # Pixels of a panel, between panels, and below each for two lines.
BLUES = np.array([[239, 243, 255], [189, 215, 231], [107, 174, 214], [33, 113, 181], [8, 48, 107]])


def main():
    font, bold = ImageFont.load_default(15), ImageFont.load_default(18)
    counts = [(3, 2), (4, 2), (4, 3)]
    top = [(overlaps(k, s), f"kernel {k}, stride {s}", said(k, s)) for k, s in counts]
    small, *starts = pictures()
    bottom = [
        (small, "a picture of 32 pixels", "the input, its brightness"),
        (starts[0], "kernel 4, stride 2, random start", "the phases differ: a pattern of 2"),
        (starts[1], "kernel 4, stride 2, ICNR start", "the phases are equal: none"),
    ]
    width, height = 3 * SIDE + 4 * GAP, 2 * (SIDE + TEXT + GAP) + GAP
    sheet = Image.new("RGB", (width, height), "white")
    draw = ImageDraw.Draw(sheet)
    for row, panels in enumerate((top, bottom)):
        for column, (panel, title, note) in enumerate(panels):
            x, y = GAP + column * (SIDE + GAP), GAP + row * (SIDE + TEXT + GAP)
            sheet.paste(panel, (x, y))
            draw.text((x, y + SIDE + 8), title, "black", bold)
            draw.text((x, y + SIDE + 34), note, "#555555", font)
    sheet.save(OUT, optimize=True)


def overlaps(kernel, stride):
    """Taps that paint on each pixel of a corner of 12 by 12, as shades with their number."""
    shown = 12
    ones, weight = torch.ones(1, 1, 12, 12), torch.ones(1, 1, kernel, kernel)
    found = conv_transpose(ones, weight, stride=stride, padding=kernel // 2)[0, 0, :shown, :shown].int().numpy()
    shades = {
        count: BLUES[round(index)]
        for index, count in zip(np.linspace(0, 3, len(set(found.flat))), sorted(set(found.flat)), strict=True)
    }
    cell, font = SIDE // shown, ImageFont.load_default(13)
    panel = Image.new("RGB", (SIDE, SIDE))
    draw = ImageDraw.Draw(panel)
    for (row, column), count in np.ndenumerate(found):
        x, y = column * cell, row * cell
        draw.rectangle((x, y, x + cell - 1, y + cell - 1), tuple(int(c) for c in shades[count]))
        light = shades[count].sum() < 400
        draw.text((x + cell // 2, y + cell // 2), str(count), "white" if light else "#222222", font, anchor="mm")
    return panel


def said(kernel, stride):
    if leaves_checkerboard(kernel, stride):
        return f"{stride} does not divide {kernel}: a checkerboard"
    return f"{stride} divides {kernel}: every pixel alike"


def pictures():
    """A scene, and what two starts of one layer make of it."""
    image = Scenes(32, 32, count=8, seed=3).picture(2).image
    grey = torch.from_numpy(np.asarray(image, dtype=np.float32).mean(-1))[None, None] / 127.5 - 1
    made = []
    for start in (normal_, icnr_transposed_):
        weight, settings = torch.empty(1, 1, 4, 4), {"stride": 2} if start is icnr_transposed_ else {}
        start(weight, torch.Generator().manual_seed(5), **settings)
        weight /= weight.sum() / 4  # The same mean brightness in both.
        made.append(conv_transpose(grey, weight, stride=2, padding=1))
    return [panel(part) for part in (grey, *made)]


def panel(values):
    low, high = values.quantile(0.01), values.quantile(0.99)
    levels = ((values[0, 0] - low) / (high - low)).clamp(0, 1).mul(255).round().byte().numpy()
    return Image.fromarray(levels).resize((SIDE, SIDE), Image.Resampling.NEAREST).convert("RGB")


if __name__ == "__main__":
    main()
