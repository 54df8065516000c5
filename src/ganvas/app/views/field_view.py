"""Fields on the Network screen: a sample, and what one cell of a layer has to do with each of its pixels."""

import numpy as np
from jaxtyping import UInt8
from PIL import Image

from ganvas.core.pixels import to_bytes
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject
from ganvas.dissect.unit_fields import UnitField
from ganvas.report.pictures.grid import png
from ganvas.report.web import page
from ganvas.report.web.page import Html, element

SIDE = 288  # Pixels of the screen that a picture has along its longer side, or a little less.
DARKEST = 0.12  # What is left of the brightness where a pixel has nothing to do with the cell.
FRAME, CELL = (240, 228, 66), (230, 159, 0)  # Okabe and Ito's yellow and orange.

Pixels = UInt8[np.ndarray, "h w 3"]


def field_view(subject: Subject, place: Place, cell: tuple[int, int], found: UnitField) -> Html:
    """The sample with the field's frame, and the same lit by the field's strength."""
    picture = to_bytes(found.picture[None])[0].permute(1, 2, 0).numpy()
    shown = np.repeat(picture, 3, axis=2) if picture.shape[2] == 1 else picture
    strength = np.sqrt(found.strength / max(found.strength.max(), 1e-300))[..., None]
    lit = (shown * (DARKEST + (1 - DARKEST) * strength)).round().astype(np.uint8)
    frames = [(_of_cell(place, cell, shown.shape[:2]), CELL)]
    frames += [(found.reach, FRAME)] if found.reach else []
    return page.join(
        element(
            "div",
            page.figure(
                page.picture(_framed(shown, frames), "The sample with frames"), "The sample: the cell (orange)"
            ),
            page.figure(page.picture(_framed(lit, frames), "The sample lit by the field"), "Lit by how strongly"),
            class_="fields",
        ),
        element("p", _told(subject, place, cell, found)),
    )


def _told(subject: Subject, place: Place, cell: tuple[int, int], found: UnitField) -> str:
    verb = "moves" if subject.kind == "draws" else "is moved by"
    who = f"Cell {cell[0]}, {cell[1]} of {place.title}"
    if found.reach is None:
        return f"{who} {verb} no pixel of this sample: its units are silent there."
    top, bottom, left, right = found.reach
    count = int((found.strength > 0).sum())
    return (
        f"{who} {verb} {count:,} of {found.strength.size:,} pixels, within {bottom - top + 1}×{right - left + 1} "
        f"(yellow frame); standard deviation {found.deviation[0]:.1f}×{found.deviation[1]:.1f} pixels."
    )


def _of_cell(place: Place, cell: tuple[int, int], size: tuple[int, ...]) -> tuple[int, int, int, int]:
    """First and last row, first and last column of the part of a picture that a cell stands for."""
    ends = [
        (at * length // cells, max((at + 1) * length // cells - 1, at * length // cells))
        for at, cells, length in zip(cell, place.size, size, strict=True)
    ]
    return *ends[0], *ends[1]


def _framed(picture: Pixels, frames: list[tuple[tuple[int, int, int, int], tuple[int, int, int]]]) -> bytes:
    """A PNG of the picture, enlarged, with frames of some rows and columns in their colours."""
    scale = max(SIDE // max(picture.shape[:2]), 1)
    large = picture.repeat(scale, axis=0).repeat(scale, axis=1)
    for (top, bottom, left, right), colour in frames:
        rows, columns = slice(top * scale, (bottom + 1) * scale), slice(left * scale, (right + 1) * scale)
        for edge in (large[rows, columns][:2], large[rows, columns][-2:]):
            edge[:] = colour
        for edge in (large[rows, columns][:, :2], large[rows, columns][:, -2:]):
            edge[:] = colour
    return png(Image.fromarray(large), compress_level=1)
