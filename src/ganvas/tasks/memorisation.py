"""``ganvas memorisation``: whether a run's pictures are nearer to its training set than to pictures it never saw."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.dissect.latents.nearest_pictures import Memorised


@dataclass(frozen=True, kw_only=True)
class Memorisation:
    """Look for the training pictures nearest to generated ones, beside as many pictures that were held out.

    Of a generator that learnt the law of the pictures, half are nearer to the training set; of one that plays it back,
    all are. Distances are Euclidean, of pixels.

    Examples:
      ganvas memorisation runs/demo
      ganvas memorisation runs/photos --held-out test-photos/
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of a run that draws pictures."""
    held_out: str | None = None
    """Pictures of the same kind that the run never saw: any source. Of a run on scenes, fresh scenes when left out."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Folder for the sheet and the numbers; RUN/memorisation when left out."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 256
    """How many pictures are drawn."""
    most: int = 4096
    """Of the training pictures and of the held-out ones, so many at the most; as many of each."""
    shown: int = 12
    """Of the pictures, those nearest to a training picture, on the sheet."""
    label: str | None = None
    """The class to draw, for a run with classes."""
    kimg: float | None = None
    """Which of the run's models; the newest when left out."""
    seed: int = 0
    """Of what is drawn, and of which pictures are taken."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class MemorisationResult:
    """How many pictures are nearer to the training set."""

    model: str
    pictures: int
    among: int  # Training pictures, and as many held-out ones.
    held_out: str
    share: float
    standard_error: float  # If nothing was memorised.
    ratio: float  # Median distance to the training set, by that to the held-out set.
    sheet: Path
    file: Path


def memorisation(task: Memorisation) -> MemorisationResult:
    """Draws pictures, finds their neighbours on both sides, and writes a sheet of the nearest.

    Raises:
        UserError: the run draws points, or it is not said which pictures were held out.
    """
    import torch

    from ganvas.core.checks import at_least
    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import require_writable, write_json
    from ganvas.dissect.latents.held_out import fresh_scenes, held_out, rows_of_colours, some_of
    from ganvas.dissect.latents.nearest_pictures import memorised
    from ganvas.train import trained

    at_least(task, 2, "n", "most")
    at_least(task, 1, "shown")
    folder = task.out or task.run / "memorisation"
    kept = trained.load(task.run, kimg=task.kimg)
    if kept.unit != "pictures":
        raise UserError(f"{task.run} draws {kept.unit}, and this looks for pictures. Give a run of pictures.")
    require_writable(folder / "memorisation.json")
    spec = task.held_out or fresh_scenes(kept)
    seen, unseen = kept.reals(quiet=task.quiet), held_out(kept, spec, quiet=task.quiet)
    count = min(len(seen), len(unseen), task.most)
    fakes = torch.from_numpy(kept.sample(task.n, seed=task.seed, label=task.label).bytes)
    sets = [some_of(packed, count, task.seed) for packed in (seen, unseen)]
    found = memorised(rows_of_colours(fakes), *(rows_of_colours(rows) for rows in sets))
    _sheet(task, found, fakes, sets, folder / "memorisation.png")
    numbers = {"share": found.share, "standard_error": found.error, "ratio": found.ratio, "pictures": task.n}
    write_json(folder / "memorisation.json", {**numbers, "among": count, "held_out": spec, "seed": task.seed})
    return MemorisationResult(
        model=kept.name,
        pictures=task.n,
        among=count,
        held_out=spec,
        share=found.share,
        standard_error=found.error,
        ratio=found.ratio,
        sheet=folder / "memorisation.png",
        file=folder / "memorisation.json",
    )


def _sheet(task: Memorisation, found: "Memorised", fakes: "Tensor", sets: "list[Tensor]", path: Path) -> None:
    """Three rows: the nearest training pictures, what was drawn, and the nearest held-out pictures."""
    import torch

    from ganvas.report.pictures.grid import grid, save_png

    shown = found.distances.argsort()[: task.shown]
    rows = [sets[0][found.nearest[shown]], fakes[shown], sets[1][found.nearest_unseen[shown]]]
    pictures = torch.cat(rows).numpy()
    save_png(grid(pictures, columns=len(shown), scale=max(1, 64 // pictures.shape[2])), path)
