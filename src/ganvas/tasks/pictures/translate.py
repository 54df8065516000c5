"""``ganvas translate``: pictures of one kind, made into the other kind by a trained model."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from ganvas.core.shapes import Bytes
    from ganvas.data.packed import Packed
    from ganvas.tasks.pictures.chosen_translation import ChosenTranslation
    from ganvas.tasks.pictures.translation_truth import TranslationTruth
    from ganvas.train.trained import Trained

MOST_IN_A_GRID = 512


@dataclass(frozen=True, kw_only=True)
class Translate:
    """Translate pictures of any size with a run of a model such as translate/cyclegan; after a stop it goes on.

    Examples:
      ganvas translate runs/x days/ -o nights
      ganvas translate runs/x photo.jpg -o nights --memory 4
      ganvas translate runs/x sketches/ -o made --truth drawings/
      ganvas translate runs/x nights.zip --direction b-to-a --to grid -o days.png
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    source: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC")]
    """The pictures, of any sizes: whatever `ganvas train --data` takes, or one picture."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """File or folder to write."""
    direction: str | None = None
    """a-to-b makes pictures of --data into those of --other, b-to-a the other way; the first where left out."""
    to: Literal["auto", "folder", "grid", "zip"] = "auto"
    """A folder of files as they were, a zip of PNG files, or one sheet of pictures and translations; -o says which."""
    fit: Literal["keep", "refuse", "crop", "pad", "stretch"] = "keep"
    """keep translates at the pictures' own sizes, in their formats; the others bring them to the model's size."""
    truth: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """The true translations, by the names of the pictures: measures what is made of files as they are, beside floors
    that need no training."""
    memory: float = 2.0
    """Gigabytes that a tile of a picture may take; larger pictures go through in tiles, with the same result."""
    seed: int = 0
    """Of the noise of models that have some: of every file, or of every --batch of pictures in a zip or a sheet."""
    style: str | None = None
    """A picture whose style is taken, or several for their mean, by models that take one: translate/munit."""
    background: str = "white"
    """Colour behind transparent pictures and padding: a name or #rrggbb."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What to do with files that cannot be read."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    batch: int = 64
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Translated:
    """What was written."""

    path: Path
    pictures: int
    found: int = 0  # Of them, those that were there from an earlier time.
    renewed: int = 0  # Of them, those made again since their pictures have changed.
    direction: str
    model: str
    kimg: float
    scores: dict[str, dict[str, float]] | None = None  # PSNR and SSIM of the model, then of floors; of the truth.


def translate(task: Translate) -> Translated:
    """Translates and writes; nothing half-written is left behind.

    Raises:
        UserError: the model does not translate, or not this way; the pictures do not fit; something is at ``out``.
    """
    from ganvas.core.errors import UserError
    from ganvas.data.packing import prepare
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    if task.batch < 1:
        raise UserError(f"--batch {task.batch} must be at least 1.")
    as_they_are = task.fit == "keep" and _form(task) == "folder"
    if not as_they_are:
        if task.truth is not None:
            raise UserError("--truth measures files as they are: leave out --fit, and write a folder.")
        _require_free(task)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    direction = _direction(task, trained)
    picture = trained.model.config.picture
    first = direction == _directions(trained)[0]
    channels = picture.channels if first else trained.model.config.other_picture.channels
    chosen = _chosen(task, trained, direction)
    if as_they_are:
        return _translate_files(task, chosen, channels, first=first)
    packed = prepare(
        task.source,
        size=picture.size,
        channels=channels,
        fit="refuse" if task.fit == "keep" else task.fit,
        background=task.background,
        broken=task.broken,
    )
    {"folder": _write_folder, "zip": _write_zip, "grid": _write_grid}[_form(task)](task, chosen, packed)
    return Translated(path=task.out, pictures=len(packed), direction=direction, model=trained.name, kimg=trained.kimg)


def _chosen(task: Translate, trained: "Trained", direction: str) -> "ChosenTranslation":
    from ganvas.core.errors import UserError
    from ganvas.losses.capabilities import TakesStyle
    from ganvas.tasks.pictures.chosen_translation import ChosenTranslation, style_of_pictures

    if task.style is not None and not isinstance(trained.model, TakesStyle):
        raise UserError(
            f"--style {task.style}: {trained.name} takes no style. Leave it out, or train a model that does: "
            "translate/munit."
        )
    style = None if task.style is None else style_of_pictures(trained, task.style, direction)
    return ChosenTranslation(trained=trained, direction=direction, seed=task.seed, style=style)


def _translate_files(task: Translate, chosen: "ChosenTranslation", channels: int, *, first: bool) -> Translated:
    """Every picture at its own size, in its own format."""
    from ganvas.data.colour import parse_colour
    from ganvas.data.sources.locations import refuse_out_inside
    from ganvas.tasks.pictures.translated_files import TranslatedFiles
    from ganvas.tasks.pictures.work import require_memory

    require_memory(task.memory)
    refuse_out_inside(task.source, task.out)
    files = TranslatedFiles(
        chosen=chosen,
        channels=channels,
        source=task.source,
        out=task.out,
        memory_gb=task.memory,
        background=parse_colour(task.background),
        broken=task.broken,
        truth=_truth(task, chosen.trained, first=first),
    )
    files.write()
    return Translated(
        path=task.out,
        pictures=files.pictures,
        found=files.found,
        renewed=files.renewed,
        direction=chosen.direction,
        model=chosen.trained.name,
        kimg=chosen.trained.kimg,
        scores=None if files.truth is None else files.truth.scores(),
    )


def _truth(task: Translate, trained: "Trained", *, first: bool) -> "TranslationTruth | None":
    from ganvas.tasks.pictures.translation_truth import TranslationTruth, floors_of

    if task.truth is None:
        return None
    config = trained.model.config
    channels = (config.other_picture if first else config.picture).channels
    return TranslationTruth(task.truth, channels, floors_of(trained, first=first))


def _form(task: Translate) -> Literal["folder", "grid", "zip"]:
    """What is written: as asked for, or as the ending of the place says."""
    if task.to != "auto":
        return task.to
    ending = task.out.suffix.lower()
    return "zip" if ending == ".zip" else "grid" if ending in (".png", ".webp", ".jpg", ".jpeg") else "folder"


def _require_free(task: Translate) -> None:
    from ganvas.core.errors import UserError

    form = _form(task)
    endings = {"zip": (".zip",), "grid": (".png",), "folder": ()}[form]
    if endings and task.out.suffix.lower() not in endings:
        raise UserError(f"-o {task.out}: --to {form} writes a {endings[0]} file. Choose a name that ends so.")
    if task.out.exists() and (not task.out.is_dir() or any(task.out.iterdir())):
        raise UserError(f"-o {task.out}: something is there already. Choose another name, or remove it.")


def _directions(trained: "Trained") -> list[str]:
    from ganvas.losses.capabilities import Translates

    return list(trained.require(Translates).directions)


def _direction(task: Translate, trained: "Trained") -> str:
    from ganvas.core.errors import UserError, did_you_mean

    known = _directions(trained)
    if task.direction is None:
        return known[0]
    if task.direction not in known:
        raise UserError(
            f"--direction {task.direction}: this model does not go that way.{did_you_mean(task.direction, known)} "
            f"Directions: {', '.join(known)}."
        )
    return task.direction


def _translations(task: Translate, chosen: "ChosenTranslation", packed: "Packed") -> Iterator[tuple["Bytes", "Bytes"]]:
    """Batches (b, c, h, w) of pictures and of their translations, with progress."""
    import torch

    from ganvas.core.pixels import to_bytes, to_float
    from ganvas.core.progress import progress

    with progress("Translating", len(packed), unit="pictures") as report:
        for start in range(0, len(packed), task.batch):
            rows = packed.read(slice(start, min(start + task.batch, len(packed))))
            pictures = torch.from_numpy(rows.copy()).permute(0, 3, 1, 2)
            yield pictures, to_bytes(chosen(to_float(pictures.to(chosen.trained.device)))).cpu()
            report(min(start + task.batch, len(packed)))


def _named(task: Translate, chosen: "ChosenTranslation", packed: "Packed") -> Iterator[tuple[str, Any]]:
    """Each translation as a Pillow picture, with a name of its own: that of its file, or its number."""
    from PIL import Image

    names = _file_names(packed)
    done = 0
    for _, made in _translations(task, chosen, packed):
        for picture in made.permute(0, 2, 3, 1).contiguous().numpy():
            yield names[done], Image.fromarray(picture.squeeze())
            done += 1


def _file_names(packed: "Packed") -> list[str]:
    """The stems of the files that the rows came from where all differ, else numbers; all end in .png."""
    stems = [Path(name).stem for name in packed.names or ()]
    if len(stems) != len(packed) or len({stem.casefold() for stem in stems}) < len(stems) or not all(stems):
        stems = [f"{index:06d}" for index in range(len(packed))]
    return [f"{stem}.png" for stem in stems]


def _write_folder(task: Translate, chosen: "ChosenTranslation", packed: "Packed") -> None:
    from ganvas.core.files.atomic_files import atomic_folder

    with atomic_folder(task.out) as partial:
        for name, picture in _named(task, chosen, packed):
            picture.save(partial / name, format="PNG")


def _write_zip(task: Translate, chosen: "ChosenTranslation", packed: "Packed") -> None:
    import io
    import zipfile

    from ganvas.core.files.atomic_files import atomic_file

    with atomic_file(task.out) as partial, zipfile.ZipFile(partial, "w", zipfile.ZIP_STORED) as archive:
        for name, picture in _named(task, chosen, packed):
            buffer = io.BytesIO()
            picture.save(buffer, format="PNG")
            archive.writestr(name, buffer.getvalue())


def _write_grid(task: Translate, chosen: "ChosenTranslation", packed: "Packed") -> None:
    import torch

    from ganvas.core.errors import UserError
    from ganvas.report.pictures.grid import best_columns, grid, save_png
    from ganvas.train.sheets.sample_grids import same_colours

    if len(packed) > MOST_IN_A_GRID:
        raise UserError(
            f"{task.source} has {len(packed):,} pictures, and a sheet of more than {MOST_IN_A_GRID} cannot be looked "
            "at. Use --to folder or --to zip, or translate fewer."
        )
    parts = list(_translations(task, chosen, packed))
    pictures, made = (torch.cat([part[side] for part in parts]) for side in (0, 1))
    columns = best_columns(len(packed), height=2 * packed.height, width=packed.width)
    rows = [side for pair in zip(pictures.split(columns), made.split(columns), strict=True) for side in pair]
    if len(pictures) % columns:  # The last row of pictures leaves places empty; its translations start below it.
        rows = [_padded(row, columns) for row in rows]
    save_png(grid(same_colours(rows), columns=columns, scale=max(1, 1024 // (columns * packed.width)), gap=2), task.out)


def _padded(row: "Bytes", columns: int) -> "Bytes":
    """White pictures where a row is short."""
    import torch

    return torch.cat([row, row.new_full((columns - len(row), *row.shape[1:]), 255)])
