"""Pictures of a run's folder, read whole or refused: any of them may be cut, damaged, or a trap."""

import io
from collections.abc import Iterable
from pathlib import Path

from PIL import Image

MOST_PIXELS = 10**8  # A file of a few kilobytes can unfold to more than memory holds.


def opened(data: bytes) -> Image.Image:
    """The picture that a file holds, read to its last pixel.

    Raises:
        OSError: it cannot be read, for whatever reason, or has more than :data:`MOST_PIXELS`.
    """
    try:
        image = Image.open(io.BytesIO(data))
        if image.width * image.height > MOST_PIXELS:
            raise OSError(f"a picture of {image.width}x{image.height} pixels is too large")
        image.load()
    except OSError:
        raise
    except Exception as error:  # A broken chunk is a SyntaxError, ValueError, struct.error or other to Pillow.
        raise OSError(f"a picture cannot be read: {error}") from error
    return image


def whole(paths: Iterable[Path]) -> list[Path]:
    """Those of the files that hold a picture, to its last pixel; the others are omitted."""
    return [path for path in paths if _is_whole(path)]


def _is_whole(path: Path) -> bool:
    try:
        opened(path.read_bytes()).close()
    except OSError:
        return False
    return True
