"""Makes deconvolution.png: a scene, its blur by a shaken hand with noise, and what brings it back.

python docs/figures/deconvolution.py
"""

import math
from pathlib import Path

import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.claims.operators.convolution import convolve
from ganvas.claims.operators.deconvolve import richardson_lucy, wiener
from ganvas.data.scenes.scenes import Scenes

HEIGHT, WIDTH, SCALE, COLUMNS, MARGIN, CAPTION = 112, 128, 2, 3, 8, 40
PICTURE, NOISE, AROUND = 5, 0.01, 40
OUT = Path(__file__).with_name("deconvolution.png")


def main() -> None:
    scene = torch.from_numpy(Scenes(HEIGHT, WIDTH, seed=2).picture(PICTURE).image.copy())
    truth = scene.permute(2, 0, 1)[None].double() / 255
    psf = shaken_hand(11)
    noise = NOISE * torch.randn(truth.shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    # As a camera sees it: light from around the picture comes in, which no method here knows.
    padded = torch.nn.functional.pad(truth, (5, 5, 5, 5), mode="reflect")
    blurred = (convolve(padded, psf, mode="valid") + noise).clamp(0, 1)
    panels = [
        ("as it is", truth, psf),
        (f"shaken, noise of {NOISE:.0%}", blurred, None),
        ("Wiener, balance 0", wiener(blurred, psf, 0.0), None),
        ("Richardson-Lucy, 20 steps", richardson_lucy(blurred, psf, steps=20), None),
        ("the same, mirrored first", mirrored(blurred, lambda x: richardson_lucy(x, psf, steps=20)), None),
        ("Wiener 0.02, mirrored first", mirrored(blurred, lambda x: wiener(x, psf, 0.02)), None),
    ]
    sheet([(title, said(picture, truth), picture, inset) for title, picture, inset in panels]).quantize(256).save(
        OUT, optimize=True
    )


def mirrored(picture, restore):
    """Restored with the picture's mirror image around it, which is then cut off."""
    around = torch.nn.functional.pad(picture, (AROUND,) * 4, mode="reflect")
    return restore(around)[:, :, AROUND:-AROUND, AROUND:-AROUND]


def shaken_hand(side):
    """The path of a point of light while the shutter was open: an arc, slower at its end."""
    psf = torch.zeros(side, side, dtype=torch.float64)
    for step in range(2000):
        t = step / 1999
        row, column = side / 2 + 4.2 * math.sin(2.2 * t - 1.1) * t, side / 2 - 4.5 + 9 * t**0.7
        psf[int(row), int(min(column, side - 1))] += 1
    return psf / psf.sum()


def said(picture, truth):
    error = (picture.clamp(0, 1) - truth).square().mean().item()
    return f"{-10 * math.log10(error):.1f} dB" if error else ""


def sheet(panels):
    wide, high = SCALE * WIDTH + 2 * MARGIN, SCALE * HEIGHT + CAPTION + MARGIN
    canvas = Image.new("RGB", (COLUMNS * wide, -(-len(panels) // COLUMNS) * high), "white")
    draw, font = ImageDraw.Draw(canvas), ImageFont.load_default(15)
    for index, (title, number, picture, inset) in enumerate(panels):
        left, top = index % COLUMNS * wide + MARGIN, index // COLUMNS * high + MARGIN
        canvas.paste(drawn(picture, SCALE), (left, top))
        if inset is not None:
            canvas.paste(drawn((inset / inset.max()).sqrt().expand(1, 3, -1, -1), 4), (left + 6, top + 6))
        draw.text((left, top + SCALE * HEIGHT + 6), title, "black", font)
        draw.text((left + SCALE * WIDTH, top + SCALE * HEIGHT + 6), number, "#444444", font, anchor="ra")
    return canvas


def drawn(picture, scale):
    pixels = (255 * picture[0].clamp(0, 1)).round().byte().permute(1, 2, 0).numpy()
    image = Image.fromarray(pixels)
    return image.resize((scale * image.width, scale * image.height), Image.Resampling.NEAREST)


if __name__ == "__main__":
    main()
