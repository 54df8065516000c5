"""Makes metrics_blindness.png: one set of scenes spoilt in several ways, and what SWD and MS-SSIM say of each.

python docs/figures/metrics_blindness.py
"""

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageDraw, ImageFont

from ganvas.data.scenes import Scenes
from ganvas.metrics.engine import measure, reference
from ganvas.report.grid import grid

N, SIZE, SHOWN, SCALE = 1024, 32, 8, 2
OUT = Path(__file__).with_name("metrics_blindness.png")


def main() -> None:
    pictures = Scenes(SIZE, SIZE, count=3 * N, seed=0).pictures(0, 3 * N)[0]
    reals, fakes = pictures[: 2 * N], pictures[2 * N :]
    kept = reference(batches(reals), n=N)
    random = np.random.default_rng(0)
    rows = [
        ("another draw of reals", fakes),
        ("all of them darker and paler", (fakes * 0.5 + 20).astype(np.uint8)),
        ("left and right half swapped", np.roll(fakes, SIZE // 2, axis=2)),
        ("64 pictures, each 16 times", np.repeat(fakes[:64], 16, axis=0)[random.permutation(N)]),
        ("one picture", np.repeat(fakes[:1], N, axis=0)),
        (
            "blurred over 2 x 2 pixels",
            fakes.reshape(N, 16, 2, 16, 2, 3).mean((2, 4)).repeat(2, 1).repeat(2, 2).astype(np.uint8),
        ),
        ("noise of the same colours", random.permuted(fakes.reshape(N, -1, 3), axis=1).reshape(fakes.shape)),
    ]
    drawn = [(title, spoilt, measure(kept, batches(spoilt)).results) for title, spoilt in rows]
    sheet(drawn).save(OUT)


def batches(pictures):
    for start in range(0, len(pictures), 64):
        yield torch.from_numpy(pictures[start : start + 64].copy()).permute(0, 3, 1, 2)


def sheet(drawn):
    """A row of pictures per set, its name and its numbers behind it."""
    font, strips = ImageFont.load_default(15), []
    for title, pictures, results in drawn:
        found = {result.metric: result for result in results}
        strip = grid(pictures[:SHOWN], columns=SHOWN, scale=SCALE)
        canvas = Image.new("RGB", (strip.width + 370, strip.height + 8), "white")
        canvas.paste(strip, (4, 4))
        draw = ImageDraw.Draw(canvas)
        draw.text((strip.width + 20, 14), title, "black", font)
        numbers = [f"SWD {said(found['swd'], 1)}", f"MS-SSIM {said(found['ms_ssim'], 3)}"]
        for place, number in zip((20, 190), numbers, strict=True):
            draw.text((strip.width + place, 38), number, "#444444", font)
        strips.append(canvas)
    whole = Image.new("RGB", (strips[0].width, sum(strip.height for strip in strips)), "white")
    for index, strip in enumerate(strips):
        whole.paste(strip, (0, index * strip.height))
    return whole


def said(result, places):
    return f"{result.value:.{places}f} ± {result.standard_error:.{places}f}"


if __name__ == "__main__":
    main()
