"""Several pictures one after another in a PBM, PGM or PPM, as the format allows: Pillow would give the first alone."""

import io
import re

_GAP = rb"(?:\s|#[^\n]*\n)+"
_HEAD = re.compile(rb"P([456])" + _GAP + rb"(\d+)" + _GAP + rb"(\d+)")
_LARGEST_VALUE = re.compile(_GAP + rb"(\d+)")
_BITS, _COLOUR = b"4", b"6"


def another_follows(start: bytes, file: io.BufferedIOBase) -> bool:
    """Whether behind the binary pixels that ``start`` announces the head of another picture comes."""
    if (head := _HEAD.match(start)) is None:
        return False
    width, height, at = int(head[2]), int(head[3]), head.end()
    row_bytes = (width + 7) // 8
    if head[1] != _BITS:
        if (largest := _LARGEST_VALUE.match(start, at)) is None:
            return False
        row_bytes = width * (3 if head[1] == _COLOUR else 1) * (2 if int(largest[1]) > 255 else 1)
        at = largest.end()
    file.seek(at + 1 + row_bytes * height)
    return re.match(rb"\s*P[1-6]\s", file.read(16)) is not None
