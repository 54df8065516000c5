"""Makes subpixel_phases.png: the kernel of a transposed convolution, its phases, and where their outputs go.

python docs/figures/subpixel_phases.py
"""

from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.nn.transposed.subpixel import depth_to_space, subpixel_kernel
from ganvas.nn.transposed.transposed_geometry import geometry

OUT = Path(__file__).with_name("subpixel_phases.png")
CELL, GAP = 44, 70
COLOURS = ("#56b4e9", "#e69f00", "#009e73", "#cc79a7")  # Okabe and Ito's, apart for every eye.
WIDTH, HEIGHT, TOP = 1060, 350, 40


def main():
    font, small = ImageFont.load_default(17), ImageFont.load_default(14)
    sheet = Image.new("RGB", (WIDTH, HEIGHT), "white")
    draw = ImageDraw.Draw(sheet)
    taps = torch.arange(16.0).view(1, 1, 4, 4)
    phases = subpixel_kernel(taps, geometry(taps, stride=2))  # (4, 1, 2, 2), as the convolution has them.

    def grid(x, y, values, colours):
        for row, line in enumerate(values):
            for column, value in enumerate(line):
                at = (x + column * CELL, y + row * CELL, x + (column + 1) * CELL, y + (row + 1) * CELL)
                draw.rectangle(at, colours[row][column], "white", 2)
                draw.text(((at[0] + at[2]) / 2, (at[1] + at[3]) / 2), value, "black", small, anchor="mm")

    checked = [[COLOURS[row % 2 * 2 + column % 2] for column in range(6)] for row in range(6)]
    grid(20, TOP, [[str(int(tap)) for tap in row] for row in taps[0, 0]], checked)
    draw.text((20, TOP + 4 * CELL + 12), "kernel 4, stride 2:\n16 taps, 4 phases", "black", font)

    x = 20 + 4 * CELL + GAP
    for phase in range(4):
        left, top = x + phase % 2 * (2 * CELL + 24), TOP + phase // 2 * (2 * CELL + 24)
        values = [[str(int(tap)) for tap in row] for row in phases[phase, 0]]
        grid(left, top, values, [[COLOURS[phase]] * 2] * 2)
    draw.text((x, TOP + 4 * CELL + 36), "4 ordinary kernels 2x2,\nturned round: 4 channels", "black", font)

    x += 4 * CELL + 24 + GAP
    for phase in range(4):
        shift = 12 * phase
        grid(x + shift, TOP + shift, [["", "", ""]] * 3, [[COLOURS[phase]] * 3] * 3)
    draw.text((x, TOP + 3 * CELL + 56), "their 4 results,\n3x3 for an input of 2x2", "black", font)

    x += 3 * CELL + 36 + GAP
    numbers = depth_to_space(torch.arange(4.0).view(1, 4, 1, 1).expand(1, 4, 3, 3), (2, 2))[0, 0].int()
    order = [[COLOURS[number] for number in row] for row in numbers.tolist()]
    grid(x, TOP, [[""] * 6] * 6, order)
    draw.rectangle((x + CELL, TOP + CELL, x + 5 * CELL, TOP + 5 * CELL), None, "black", 3)
    draw.text((x + 6 * CELL, TOP + 6 * CELL + 6), "depth to space, less a border of 1", "black", font, anchor="ra")
    for arrow in (20 + 4 * CELL, 20 + 8 * CELL + GAP + 24, 20 + 11 * CELL + 2 * GAP + 60):
        y = TOP + 2 * CELL
        draw.line((arrow + 16, y, arrow + GAP - 18, y), "black", 3)
        draw.polygon([(arrow + GAP - 12, y), (arrow + GAP - 24, y - 8), (arrow + GAP - 24, y + 8)], "black")
    sheet.save(OUT, optimize=True)


if __name__ == "__main__":
    main()
