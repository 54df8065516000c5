"""``ganvas edit``: a picture is changed where a person has drawn on it, after the lines and colours drawn there."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from ganvas.tasks.pictures.inpaint import Inpainted


@dataclass(frozen=True, kw_only=True)
class Edit:
    """Change a picture after strokes (mask, sketch, colour) with a run of a model such as fill/sketch_colour.

    The strokes are a JSON file, and can be replayed on the same picture at any size. Nothing outside of the mask
    changes.

    Examples:
      ganvas edit runs/x photo.png --strokes photo.json -o edited.png
      ganvas edit runs/x photos/ --strokes drawings/ -o edited
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")]
    """A picture, or a folder of pictures."""
    strokes: Path
    """The strokes, or a folder of them with the pictures' names."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """A folder to write, or a file where one picture is given."""
    context: int | None = None
    """Pixels around what is changed that the model sees; as for `ganvas inpaint`."""
    seed: int = 0
    """Of the noise that some models fill with: another seed is another try."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    device: str = "cpu"


def edit(task: Edit) -> "Inpainted":
    """Fills and writes, as ``ganvas inpaint`` does.

    Raises:
        UserError: what is given as strokes is none, or as of :func:`ganvas.tasks.pictures.inpaint.inpaint`.
    """
    from ganvas.core.errors import UserError
    from ganvas.data.holes.strokes import is_strokes
    from ganvas.tasks.pictures.inpaint import Inpaint, inpaint

    if task.strokes.is_file() and not is_strokes(task.strokes):
        raise UserError(f"--strokes {task.strokes}: strokes are a .json file. `ganvas inpaint --masks` takes pictures.")
    return inpaint(
        Inpaint(
            run=task.run,
            source=task.source,
            masks=task.strokes,
            out=task.out,
            context=task.context,
            seed=task.seed,
            kimg=task.kimg,
            device=task.device,
        )
    )
