"""Reduced copies of stills for a page: with loss and, where that is not enough, smaller."""

import io
import math

from PIL import Image

QUALITY = 85  # Of WebP with loss, of 100.
LEAST_SIDE_PX = 64  # No picture is made smaller to save bytes.


def reduced(image: Image.Image, *, most_bytes: int, most_side: int) -> tuple[bytes, tuple[int, int]]:
    """A picture as WebP of at most ``most_bytes`` and ``most_side`` pixels along its longer side, and its size.

    A picture of ``LEAST_SIDE_PX`` may be larger: nothing would be left to be seen.
    """
    image = image.convert("RGBA" if "A" in image.mode else "RGB")
    image.thumbnail((most_side, most_side), Image.Resampling.LANCZOS)
    while True:
        memory = io.BytesIO()
        image.save(memory, format="WEBP", quality=QUALITY)
        data = memory.getvalue()
        if len(data) <= most_bytes or max(image.size) <= LEAST_SIDE_PX:
            return data, image.size
        side = max(round(max(image.size) * min(0.95 * math.sqrt(most_bytes / len(data)), 0.9)), LEAST_SIDE_PX)
        image.thumbnail((side, side), Image.Resampling.LANCZOS)
