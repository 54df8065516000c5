"""Pictures of a run's folder, read whole or refused: any of them may be cut, damaged, or a trap."""

import io
from pathlib import Path

from PIL import Image

MOST_PIXELS = 8 * 10**7  # A file of a few kilobytes can unfold to more than memory holds; Pillow warns from 9e7 on.


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


def is_whole(path: Path) -> bool:
    """Whether a file holds a picture that can be read to its last pixel."""
    try:
        opened(path.read_bytes()).close()
    except OSError:
        return False
    return True
