"""Names of the rows of a sheet, kept in its PNG file as text: whoever has the picture has them."""

import json
from collections.abc import Sequence

from PIL import PngImagePlugin

from ganvas.report.pictures.reading import opened

KEY = "rows"


def row_names_chunk(names: Sequence[str]) -> PngImagePlugin.PngInfo:
    """What Pillow is given as ``pnginfo`` of the PNG file."""
    info = PngImagePlugin.PngInfo()
    info.add_itxt(KEY, json.dumps(list(names)))
    return info


def row_names(data: bytes) -> list[str]:
    """Those of a sheet, from above; none of a picture that has none, or that cannot be read."""
    try:
        with opened(data) as image:
            names = json.loads(image.info.get(KEY, "[]"))
    except (OSError, ValueError, TypeError):
        return []
    return names if isinstance(names, list) and all(isinstance(name, str) for name in names) else []
