"""``ganvas paint``: the picture of a painting that was made in the studio, again and to the bit."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro


@dataclass(frozen=True, kw_only=True)
class PaintTask:
    """Draw what was walked to or painted in the studio: a latent, and strokes with units of the network.

    Examples:
      ganvas paint runs/demo painting.json -o picture.png
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    painting: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="PAINTING")]
    """The file that the studio saved."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("painting.png")
    """A .png to write."""
    kimg: float | None = None
    """Which of the run's models; the one it was painted with when left out."""


@dataclass(frozen=True, kw_only=True)
class PaintedPicture:
    """What was drawn."""

    path: Path
    model: str
    kimg: float
    strokes: int


def paint(task: PaintTask) -> PaintedPicture:
    """Draws and writes.

    Raises:
        UserError: the file is no painting, is one of other weights, or the run keeps no such model.
    """
    from ganvas.core.errors import UserError
    from ganvas.dissect.painting import painted, painter_of, read_painting
    from ganvas.report.pictures.grid import grid, save_png

    if task.out.suffix.lower() != ".png":
        raise UserError(f"-o {task.out}: a painting is written as .png, which keeps every bit.")
    painting = read_painting(task.painting)
    kimg = task.kimg if task.kimg is not None or (task.run / "model.json").exists() else painting["kimg"]
    painter = painter_of(task.run, kimg=kimg)
    save_png(grid(painted(painter, painting)[None]), task.out)
    return PaintedPicture(
        path=task.out, model=painter.kept.name, kimg=painter.kept.kimg, strokes=len(painting["strokes"])
    )
