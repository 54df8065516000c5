"""Makes colour_names.png: scenes, the colour name of each pixel, and the three names with the largest area.

python docs/figures/colour_names.py
"""

from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.data.packing import prepare
from ganvas.features.colours import COLOURS, Colours

COUNT, SIDE, MARGIN, CAPTION = 6, 128, 6, 58
OUT = Path(__file__).with_name("colour_names.png")


def main() -> None:
    packed = prepare(f"scenes:{COUNT},{SIDE}x{SIDE},seed=4", quiet=True)
    pictures = torch.from_numpy(packed.read(slice(0, COUNT))).permute(0, 3, 1, 2)
    network = Colours()
    shares = network.extract(pictures, ["segments"])["segments"]
    paint = torch.tensor([[code[0] >> 16, code[0] >> 8 & 255, code[0] & 255] for code in COLOURS.values()])
    maps = paint.to(torch.uint8)[network.label(pictures)]
    canvas = Image.new("RGB", (COUNT * (SIDE + MARGIN) + MARGIN, 2 * (SIDE + MARGIN) + CAPTION), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(13)
    for place in range(COUNT):
        left = MARGIN + place * (SIDE + MARGIN)
        canvas.paste(Image.fromarray(pictures[place].permute(1, 2, 0).numpy()), (left, MARGIN))
        canvas.paste(Image.fromarray(maps[place].numpy()), (left, SIDE + 2 * MARGIN))
        largest = shares[place].argsort(descending=True)[:3].tolist()
        said = "\n".join(f"{list(COLOURS)[name]} {shares[place, name]:.0f} %" for name in largest)
        draw.text((left, 2 * (SIDE + MARGIN) + 4), said, "black", font)
    canvas.save(OUT)


if __name__ == "__main__":
    main()
