"""Many pictures as one, pixel for pixel."""

import io
import math
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file

MODES = {1: "L", 3: "RGB", 4: "RGBA"}
WHITE = 255


def grid(
    images: UInt8[np.ndarray, "n h w c"], *, columns: int | None = None, gap: int = 1, scale: int = 1
) -> Image.Image:
    """The pictures in reading order, row by row.

    Args:
        images: Grey (c = 1), RGB (3) or RGBA (4). No picture at all gives one empty cell of white pixels.
        columns: Pictures per row; left out, the layout whose outline is nearest to a square.
        gap: Pixels between neighbours, of the result and not of the pictures, so that grids of 4x4 pictures at scale 8
            and of 32x32 pictures at scale 1 have one size. White, or transparent between RGBA pictures.
        scale: Every pixel becomes a square of this side; nothing is blended.
    """
    if images.shape[3] not in MODES:
        raise UserError(f"Pictures of {images.shape[3]} channels cannot be drawn: grey (1), RGB (3) or RGBA (4) can.")
    assert columns is None or columns > 0
    assert gap >= 0
    assert scale > 0
    n, height, width, channels = images.shape
    across = columns or best_columns(n, height=height, width=width)
    down = max(1, math.ceil(n / across))
    cell_h, cell_w = height * scale + gap, width * scale + gap
    background = 0 if channels == 4 else WHITE
    canvas = np.full((down * cell_h - gap, across * cell_w - gap, channels), background, np.uint8)
    for index, picture in enumerate(images):
        top, left = index // across * cell_h, index % across * cell_w
        large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
        canvas[top : top + height * scale, left : left + width * scale] = large
    return Image.fromarray(canvas[:, :, 0] if channels == 1 else canvas)


def best_columns(n: int, *, height: int, width: int) -> int:
    """Pictures per row that bring ``n`` pictures nearest to a square with few empty cells; of equals, the wider.

    >>> [best_columns(n, height=32, width=32) for n in (64, 12, 7)], best_columns(8, height=32, width=64)
    ([8, 4, 3], 2)
    """

    def cost(columns: int) -> float:
        rows = math.ceil(n / columns)
        return abs(math.log(columns * width / (rows * height))) + (columns * rows - n) / n

    return min(range(max(n, 1), 0, -1), key=lambda columns: round(cost(columns), 9)) if n else 1


def png(image: Image.Image, **options: Any) -> bytes:
    """The bytes of a PNG; ``options`` are those of pillow, such as ``optimize`` or ``compress_level``."""
    file = io.BytesIO()
    image.save(file, format="PNG", **options)
    return file.getvalue()


def save_png(image: Image.Image, path: Path) -> None:
    """Writes a PNG that is whole or not there."""
    with atomic_file(path) as partial:
        image.save(partial, format="PNG", optimize=True)
