"""Figures as values: draw once, write as SVG, PDF or PNG.

A :class:`Drawing` is a page in points (1/72 inch) with plain items on it. Every figure of Ganvas is one, as are the
charts of its web pages; a figure can be tested by looking at its items rather than at pixels.
"""

from pathlib import Path as FilePath

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import atomic_file
from ganvas.report.drawing.letters import fitted, text_width
from ganvas.report.drawing.palette import OKABE_ITO
from ganvas.report.drawing.primitives import (
    Box,
    Circle,
    Clip,
    Drawing,
    Image,
    Item,
    Paint,
    Path,
    Point,
    Rect,
    Text,
    bounds,
    line,
    polygon,
    polyline,
    rounded,
)

__all__ = [
    "OKABE_ITO",
    "Box",
    "Circle",
    "Clip",
    "Drawing",
    "Image",
    "Item",
    "Paint",
    "Path",
    "Point",
    "Rect",
    "Text",
    "bounds",
    "check_suffix",
    "encoded",
    "fitted",
    "line",
    "polygon",
    "polyline",
    "rounded",
    "text_width",
    "write",
]

SUFFIXES = (".svg", ".pdf", ".png")


def write(drawing: Drawing, path: FilePath, *, dpi: float = 300.0) -> FilePath:
    """Writes the drawing in the format that the path's suffix names; whole or not at all.

    Args:
        dpi: Pixels per inch of a PNG. SVG and PDF have no pixels.

    Raises:
        UserError: the suffix is none of ``.svg``, ``.pdf``, ``.png``, or the path cannot be written.
    """
    check_suffix(path)
    data = encoded(drawing, path.suffix.lower(), dpi=dpi)
    with atomic_file(path) as partial:
        partial.write_bytes(data)
    return path


def check_suffix(path: FilePath) -> None:
    """Refuses a path whose format is not known, before any work is done for it.

    Raises:
        UserError: it is a folder, or the suffix is none of those that can be written.
    """
    if path.is_dir():
        raise UserError(f"{path}: a folder is there. Give the name of a file to write, such as {path / 'figure.pdf'}.")
    if path.suffix.lower() not in SUFFIXES:
        given = f"the suffix '{path.suffix}'" if path.suffix else "no suffix"
        raise UserError(f"{path} has {given}, which names no format of figures. Use one of {', '.join(SUFFIXES)}.")


def encoded(drawing: Drawing, suffix: str, *, dpi: float = 300.0) -> bytes:
    """The file's bytes."""
    if suffix == ".svg":
        from ganvas.report.drawing.svg import svg

        return svg(drawing).encode()
    if suffix == ".pdf":
        from ganvas.report.drawing.pdf import pdf

        return pdf(drawing)
    assert suffix == ".png", suffix
    return _png(drawing, dpi)


def _png(drawing: Drawing, dpi: float) -> bytes:
    import io

    from PIL import Image as Pictures

    from ganvas.report.drawing.png import pixels

    buffer = io.BytesIO()
    Pictures.fromarray(pixels(drawing, dpi=dpi)).save(buffer, "PNG", dpi=(dpi, dpi), optimize=True)
    return buffer.getvalue()
