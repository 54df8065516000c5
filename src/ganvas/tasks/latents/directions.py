"""``ganvas directions``: along which latents pictures change, and how many of them matter."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.dissect.latents.latent_directions import FoundDirections
    from ganvas.dissect.latents.latent_generator import LatentGenerator


SHOWN, STEPS = 3, 5  # Pictures on the sheet, and how often each stands there along a direction.


@dataclass(frozen=True, kw_only=True)
class Directions:
    """Find directions of latents along which pictures change, show them, and say how many latents matter.

    Examples:
      ganvas directions runs/demo
      ganvas directions runs/demo --method pca --count 8
      ganvas directions runs/demo --method labelled --labeller scenes
    """

    run: Annotated[Path, tyro.conf.Positional]
    """Folder of a run whose model draws from latents."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Folder for the sheet and the directions; RUN/directions when left out."""
    method: Literal["sefa", "sefa-code", "pca", "labelled"] = "sefa"
    """sefa: eigenvectors of the first map of the latents, as in the paper; sefa-code: as in its code, whose rows have
    length 1; pca: principal components of the pictures; labelled: what goes with each label's share of the picture."""
    count: int = 5
    """How many directions."""
    step: float = 3.0
    """How far the sheet goes along a direction, either way."""
    labeller: str | None = None
    """For labelled: who says what is where, as in `ganvas dissect`."""
    label: str | None = None
    """The class to draw, for a run with classes."""
    samples: int = 2048
    """Latents for pca and labelled."""
    points: int = 24
    """Latents at which the change of the picture is measured."""
    kimg: float | None = None
    """Which of the run's models; the newest when left out."""
    seed: int = 0
    """Of all latents."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class DirectionLine:
    """One direction."""

    name: str
    value: float  # Eigenvalue, share of the variance, or R^2.
    change: float  # Root mean square change of the picture at the step, colours from -1 to 1.


@dataclass(frozen=True, kw_only=True)
class DirectionsResult:
    """The directions, beside random ones."""

    model: str
    method: str
    step: float
    directions: tuple[DirectionLine, ...]
    random_change: float  # Of random directions, mean.
    effective_rank: float  # Of E[J^T J]: how many latents matter.
    latents: int
    sheet: Path
    file: Path


def directions(task: Directions) -> DirectionsResult:
    """Finds them, measures what they do, and writes a sheet and the numbers."""
    import torch

    from ganvas.core.checks import at_least
    from ganvas.core.files.atomic_files import require_writable, write_json
    from ganvas.core.seeds import stream
    from ganvas.dissect.latents import latent_generator
    from ganvas.dissect.latents.jacobian import effective_rank, mean_gram, rms_change
    from ganvas.dissect.latents.latent_directions import random_directions

    at_least(task, 1, "count", "points")
    at_least(task, 16, "samples")
    folder = task.out or task.run / "directions"
    require_writable(folder / "directions.json")
    made = latent_generator.of_run(task.run, kimg=task.kimg, label=task.label)
    with torch.no_grad():
        found, names = _found(task, made)
        z = made.latents(task.points, stream(task.seed, "directions", "points"))
        lines = tuple(
            DirectionLine(name=name, value=float(value), change=rms_change(made.decode, z, way, step=task.step))
            for name, value, way in zip(names, found.values, found.directions, strict=True)
        )
        chance = random_directions(task.count, z.shape[1], stream(task.seed, "directions", "random"))
        random = sum(rms_change(made.decode, z, way, step=task.step) for way in chance) / len(chance)
        rank = effective_rank(mean_gram(made.decode, z))
    sheet = _sheet(task, made, found, folder / "directions.png")
    values = {"method": found.method, "names": list(names), "values": found.values.tolist()}
    write_json(folder / "directions.json", {**values, "directions": found.directions.tolist()})
    return DirectionsResult(
        model=made.kept.name,
        method=found.method,
        step=task.step,
        directions=lines,
        random_change=random,
        effective_rank=rank,
        latents=z.shape[1],
        sheet=sheet,
        file=folder / "directions.json",
    )


def _found(task: Directions, made: "LatentGenerator") -> "tuple[FoundDirections, list[str]]":
    from dataclasses import replace

    from ganvas.core.seeds import stream
    from ganvas.dissect.latents.latent_directions import first_map, pca, sefa

    z = made.latents(task.samples, stream(task.seed, "directions", "samples"))
    if task.method in ("sefa", "sefa-code"):
        form = "paper" if task.method == "sefa" else "code"
        found = sefa(first_map(made.network, z), form=form, count=task.count)
    elif task.method == "pca":
        found = pca(z, _drawn(made, z).flatten(1), count=task.count)
    else:
        found, names = _labelled(task, made, z)
        order = found.values.argsort(descending=True)[: task.count]
        kept = replace(found, directions=found.directions[order], values=found.values[order])
        return kept, [names[at] for at in order.tolist()]
    return found, [f"{number + 1}" for number in range(len(found.directions))]


def _labelled(task: Directions, made: "LatentGenerator", z: "Tensor") -> "tuple[FoundDirections, tuple[str, ...]]":
    from ganvas.dissect import subject
    from ganvas.dissect.effects.shares import shares
    from ganvas.dissect.labellers.labeller_catalogue import labeller_named
    from ganvas.dissect.latents.latent_directions import labelled

    labeller = labeller_named(task.labeller, subject.of_run(task.run, kimg=task.kimg), quiet=task.quiet)
    masks = labeller.segment(_drawn(made, z).clamp(-1, 1))
    return labelled(z, shares(masks, len(labeller.labels))), labeller.labels


def _drawn(made: "LatentGenerator", z: "Tensor") -> "Tensor":
    import torch

    return torch.cat([made.decode(part) for part in z.split(64)])


def _sheet(task: Directions, made: "LatentGenerator", found: "FoundDirections", path: Path) -> Path:
    """A row per direction: some pictures, each at even steps either way."""
    import torch

    from ganvas.core.pixels import to_bytes
    from ganvas.core.seeds import stream
    from ganvas.report.pictures.grid import grid, save_png

    z = made.latents(SHOWN, stream(task.seed, "directions", "shown"))
    steps = torch.linspace(-task.step, task.step, STEPS)[None, :, None]
    with torch.no_grad():
        rows: list[Any] = [made.decode((z[:, None] + steps * way.to(z)).flatten(0, 1)) for way in found.directions]
    pictures = to_bytes(torch.cat(rows)).permute(0, 2, 3, 1).numpy()
    save_png(grid(pictures, columns=SHOWN * STEPS, scale=max(1, 64 // pictures.shape[1])), path)
    return path
