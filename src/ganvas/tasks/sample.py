"""Draw samples from a trained model: a grid, a folder, a zip, a table, lines, graphs, or a walk between latents."""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.sample_sizes.sample_unit import SampleUnit

if TYPE_CHECKING:
    from torch import Tensor

    from ganvas.train.trained import Trained


MOST_SCALE = 16


@dataclass(frozen=True, kw_only=True)
class Sample:
    """Draw pictures, points, sounds, lines or graphs from a run. The same seed gives the same ones, whatever the batch.

    Examples:
      ganvas sample runs/x -n 64 --seed 1 -o grid.png
      ganvas sample runs/x -n 50000 --to zip -o fakes.zip
      ganvas sample runs/points -n 1000 -o points.csv
      ganvas sample runs/words -n 20 --to wav -o words
      ganvas sample runs/text -n 1000 --temperature 0.8 -o lines.txt
      ganvas sample runs/molecules -n 1000 -o molecules.smi
      ganvas sample runs/edm --steps 5 --solver euler -o quick.png
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    n: Annotated[int, tyro.conf.arg(aliases=["-n"])] = 64
    """How many."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """File or folder to write; samples.png, samples/ or samples.zip where left out. Points: .csv, .npy, .npz, .png.
    Lines: .txt. Graphs: .png, .svg, .pdf, .edges, .npz, and .smi of molecules."""
    to: Literal["grid", "folder", "zip", "wav"] = "grid"
    """One sheet, a folder of PNG files, or a zip of them that StyleGAN's and EDM's tools read. Sounds: a sheet, or with
    wav a folder of wave files; with -o x.wav one file of all of them."""
    seed: int = 0
    label: str | None = None
    """Class to draw, by name or number; only models trained with --conditional."""
    truncation: float | None = None
    """Draw more typical, less varied pictures: 0.7 keeps 70 % of a latent's distance from the mean (StyleGAN2)."""
    temperature: float | None = None
    """Draw more probable, less varied samples: 0.7 takes latents of 0.7 times their deviation (flows), or divides the
    logits of every choice by 0.7 (text, graphs)."""
    steps: int | None = None
    """Of a diffusion model: steps from noise to samples; fewer are quicker and rougher."""
    solver: Literal["euler", "midpoint", "heun"] | None = None
    """Of a diffusion model: how a step is made. euler asks the network once, the others twice."""
    guidance: float | None = None
    """Of a diffusion model with classes: above 1 exaggerates what is special about the class."""
    churn: float | None = None
    """Of diffusion/edm: noise that is added on the way and removed again; 0 for none."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    scale: int | None = None
    """Enlarge the pictures of a grid so many times; chosen by size where left out."""
    batch: int = 64
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Interpolate:
    """Walk between latents and film the way: the walk is a loop, along great circles of the latent sphere.

    Examples:
      ganvas interpolate runs/x --seed 1 -o walk.webp
      ganvas interpolate runs/x --pace pictures -o walk.webp
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])] = Path("walk.webp")
    """A .webp or .gif, or a folder for PNG frames."""
    points: int = 5
    """Latents that the walk visits before it comes back to the first."""
    frames: int = 24
    """Frames from one to the next."""
    pace: Literal["latents", "pictures"] = "latents"
    """What changes evenly from frame to frame: the latents, so that pictures rush and dawdle; or the pictures, which
    draws the walk twice."""
    grid: int = 9
    """Walks side by side."""
    fps: int = 24
    seed: int = 0
    label: str | None = None
    truncation: float | None = None
    kimg: float | None = None
    scale: int | None = None
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Drawn:
    """What was written."""

    path: Path
    pictures: int
    seed: int
    model: str
    kimg: float
    unit: SampleUnit = "pictures"


def sample(task: Sample) -> Drawn:
    """Draws and writes; nothing half-written is left behind."""
    from ganvas.core.errors import UserError
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    if task.n < 1:
        raise UserError(f"-n {task.n}: the number of pictures must be at least 1.")
    if task.batch < 1:
        raise UserError(f"--batch {task.batch} must be at least 1.")
    _refuse_scale(task.scale)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    name = {"grid": "samples.png", "zip": "samples.zip"}.get(task.to, "samples")
    out = task.out or Path("samples.txt" if trained.unit == "lines" else name)
    of_pictures = {"grid": _write_grid, "folder": _write_folder, "zip": _write_zip, "wav": _write_wav}[task.to]
    others = {"points": _write_points, "sounds": _write_sounds, "lines": _write_lines, "graphs": _write_graphs}
    write = others.get(trained.unit, of_pictures)
    write(task, trained, out)
    return Drawn(path=out, pictures=task.n, seed=task.seed, model=trained.name, kimg=trained.kimg, unit=trained.unit)


def interpolate(task: Interpolate) -> Drawn:
    """Films a walk through latent space."""
    import numpy as np
    import torch

    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import atomic_folder
    from ganvas.core.pixels import to_bytes
    from ganvas.core.progress import tracked
    from ganvas.report.pictures.animation import write_animation
    from ganvas.report.pictures.grid import grid
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    if task.points < 2 or task.frames < 1 or task.grid < 1 or task.fps < 1:
        raise UserError("An interpolation needs --points of at least 2, and --frames, --grid and --fps of at least 1.")
    _refuse_scale(task.scale)
    ending = task.out.suffix.lower()
    if ending not in ("", ".webp", ".gif"):
        raise UserError(
            f"-o {task.out}: an animation is a .webp or .gif; a name without an ending is a folder of frames."
        )
    if not ending:
        _refuse_existing(task.out)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    scale = task.scale or max(1, 128 // trained.width)
    total = task.points * task.frames
    drawn = _loop(task, trained)

    def pictures() -> Iterator[Any]:
        for at in tracked(_pace(task, drawn), "Drawing", total=total, unit="frames"):
            rows = to_bytes(drawn(at)).cpu().permute(0, 2, 3, 1).contiguous().numpy()
            yield np.asarray(grid(rows, scale=scale).convert("RGB"))

    with torch.no_grad():
        if ending:
            write_animation(list(pictures()), task.out, fps=task.fps)
        else:
            with atomic_folder(task.out) as partial:
                _save_all(pictures(), partial)
    return Drawn(path=task.out, pictures=total, seed=task.seed, model=trained.name, kimg=trained.kimg)


def _loop(task: Interpolate, trained: "Trained") -> "Callable[[Tensor], Tensor]":
    """What the walks show where each of them has come, in latents visited."""
    import torch

    from ganvas.dissect.latents.walks import slerp

    z = trained.latents(task.grid * task.points, seed=task.seed).view(task.points, task.grid, -1)
    labels = trained.labels(task.grid, seed=task.seed, label=task.label)
    walks = torch.arange(task.grid)

    def drawn(at: "Tensor") -> "Tensor":
        start = at.floor().long() % task.points
        a, b = z[start, walks], z[(start + 1) % task.points, walks]
        return trained.decode(slerp(a, b, at - at.floor(), straight=True), labels, truncation=task.truncation)

    return drawn


def _pace(task: Interpolate, drawn: "Callable[[Tensor], Tensor]") -> "Tensor":
    """Where each walk has come in each frame (frames, walks), in latents visited."""
    import torch

    from ganvas.core.progress import tracked
    from ganvas.dissect.latents.walks import even_pace, picture_change

    total = task.points * task.frames
    even = (torch.arange(total + 1, dtype=torch.float64) / task.frames)[:, None].expand(-1, task.grid)
    if task.pace == "latents":
        return even[:-1]
    changes, before = [], drawn(even[0])
    for at in tracked(even[1:], "Pacing", total=total, unit="frames"):
        after = drawn(at)
        changes.append(picture_change(after, before).cpu())
        before = after
    paced = [even_pace(change, total + 1) * task.points for change in torch.stack(changes, 1)]
    return torch.stack(paced, 1)[:-1]


def _write_grid(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import atomic_file

    if out.suffix.lower() not in (".png", ".webp", ".jpg", ".jpeg"):
        raise UserError(f"-o {out}: a grid is a .png, .webp or .jpg file. For single files: --to folder or --to zip.")
    most = 4096
    if task.n > most:
        raise UserError(
            f"-n {task.n}: a sheet of more than {most} pictures cannot be looked at. Use --to folder or --to zip."
        )
    pictures = trained.sample(task.n, seed=task.seed, batch=task.batch, **_how(task))
    scale = task.scale or max(1, 1024 // (math.ceil(math.sqrt(task.n)) * trained.width))
    image = pictures.grid(scale=min(scale, MOST_SCALE))
    with atomic_file(out) as partial:
        kind = {".jpg": "JPEG", ".jpeg": "JPEG", ".webp": "WEBP"}.get(out.suffix.lower(), "PNG")
        (image.convert("RGB") if kind == "JPEG" else image).save(partial, format=kind)


def _how(task: Sample) -> dict[str, Any]:
    """What a person asked for besides how many and which, as arguments of a trained model."""
    from ganvas.losses.diffusion.solvers import SolverOptions

    solver = SolverOptions(steps=task.steps, solver=task.solver, guidance=task.guidance, churn=task.churn)
    return {"label": task.label, "truncation": task.truncation, "temperature": task.temperature, "solver": solver}


def _write_graphs(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.train.sampling.drawn_graphs import write_graphs

    _refuse_what_pictures_have(task, trained)
    _refuse_solver(task, trained)
    write_graphs(trained, out, n=task.n, seed=task.seed, temperature=task.temperature)


def _refuse_solver(task: Sample, trained: "Trained") -> None:
    from ganvas.core.errors import UserError

    solver = next(iter(_how(task)["solver"].given), None)
    if solver is not None:
        raise UserError(f"--{solver}: {trained.name} solves no equation to draw. Leave it out.")


def _write_lines(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import write_text

    _refuse_what_pictures_have(task, trained)
    _refuse_solver(task, trained)
    if out.suffix.lower() != ".txt":
        raise UserError(f"-o {out}: lines are written as text. Choose a name that ends in .txt.")
    lines = trained.sample_lines(task.n, seed=task.seed, temperature=task.temperature)
    write_text(out, "".join(f"{line}\n" for line in lines))


def _refuse_what_pictures_have(task: Sample, trained: "Trained") -> None:
    from ganvas.core.errors import UserError

    options = {"--label": task.label, "--scale": task.scale, "--truncation": task.truncation}
    given = [name for name, value in options.items() if value is not None]
    if given or task.to != "grid":
        raise UserError(
            f"{trained.name} draws {trained.unit}, without classes or pixels. Leave out {[*given, '--to'][0]}."
        )


def _write_points(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.train.sampling.drawn_points import write_points

    _refuse_what_pictures_have(task, trained)
    solver = _how(task)["solver"]
    write_points(trained, out, n=task.n, seed=task.seed, temperature=task.temperature, solver=solver)


def _write_wav(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.core.errors import UserError

    raise UserError(f"--to wav: {trained.name} draws pictures, which cannot be heard. Use grid, folder or zip.")


def _write_sounds(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.core.errors import UserError
    from ganvas.train.sampling.drawn_sounds import write_sounds

    how = _how(task)
    options = {f"--{name}": how[name] for name in ("truncation", "temperature")} | {"--scale": task.scale}
    given = [name for name, value in options.items() if value is not None]
    given += [f"--{name}" for name in how["solver"].given]
    if given or task.to in ("folder", "zip"):
        what = given[0] if given else f"--to {task.to}"
        raise UserError(f"{what}: {trained.name} draws sounds. Use --to wav for files, or --to grid for a sheet.")
    as_files = task.to == "wav" or (task.out is not None and task.out.suffix.lower() == ".wav")
    if as_files and not out.suffix:
        _refuse_existing(out)
    write_sounds(trained, out, n=task.n, seed=task.seed, label=task.label, batch=task.batch, as_files=as_files)


def _write_folder(task: Sample, trained: "Trained", out: Path) -> None:
    from ganvas.core.files.atomic_files import atomic_folder

    _refuse_existing(out)
    with atomic_folder(out) as partial:
        _save_all(_each(task, trained), partial)


def _write_zip(task: Sample, trained: "Trained", out: Path) -> None:
    import io
    import json
    import zipfile

    from PIL import Image

    from ganvas.core.errors import UserError
    from ganvas.core.files.atomic_files import atomic_file

    if out.suffix.lower() != ".zip":
        raise UserError(f"-o {out}: --to zip writes a .zip file. Choose a name that ends in .zip.")
    _refuse_existing(out)
    labels = trained.labels(task.n, seed=task.seed, label=task.label)
    with atomic_file(out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        names = []
        for index, picture in enumerate(_each(task, trained)):
            names.append(f"{index // 1000:05d}/img{index:08d}.png")
            buffer = io.BytesIO()
            Image.fromarray(picture.squeeze()).save(buffer, format="PNG")
            archive.writestr(names[-1], buffer.getvalue())
        listed = None if labels is None else [[name, int(label)] for name, label in zip(names, labels, strict=True)]
        archive.writestr("dataset.json", json.dumps({"labels": listed}))


def _each(task: Sample, trained: "Trained") -> Iterator[Any]:
    """Pictures (h, w, c) one by one, with progress."""
    from ganvas.core.progress import progress

    with progress("Drawing", task.n, unit="pictures") as report:
        done = 0
        drawn = trained.sample_bytes(task.n, seed=task.seed, batch=task.batch, **_how(task))
        for batch in drawn:
            yield from batch.permute(0, 2, 3, 1).contiguous().numpy()
            done += len(batch)
            report(done)


def _save_all(pictures: Iterator[Any], folder: Path) -> None:
    from PIL import Image

    for index, picture in enumerate(pictures):
        Image.fromarray(picture.squeeze()).save(folder / f"{index:06d}.png")


def _refuse_existing(out: Path) -> None:
    from ganvas.core.errors import UserError

    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UserError(f"-o {out}: something is there already. Choose another name, or remove it.")


def _refuse_scale(scale: int | None) -> None:
    from ganvas.core.errors import UserError

    if scale is not None and not 1 <= scale <= MOST_SCALE:
        raise UserError(f"--scale {scale} must be a whole number from 1 to {MOST_SCALE}.")
