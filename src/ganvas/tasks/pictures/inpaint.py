"""``ganvas inpaint``: holes in pictures are filled in by a trained model, and nothing else changes."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from ganvas.tasks.inpainting.asked_fillings import AskedFilling
    from ganvas.tasks.inpainting.filling import HoleFiller
    from ganvas.tasks.inpainting.mask_files import MaskRules
    from ganvas.tasks.pictures.kept_files import KeptPicture
    from ganvas.tasks.pictures.output_folder import OutputFolder
    from ganvas.train.trained import Trained


@dataclass(frozen=True, kw_only=True)
class Inpaint:
    """Fill holes in pictures with a run of a model that does so, such as fill/gated. Nothing outside of them changes.

    White in a mask is what is to be filled in. The same command goes on where it was interrupted.

    Examples:
      ganvas inpaint runs/x photos/ --masks masks/ -o filled
      ganvas inpaint runs/x photo.jpg --masks strokes.json -o filled.png
      ganvas inpaint runs/x photos/ --masks logo.png -o filled --truth originals/
    """

    run: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Run directory, or one of its model/<kimg> folders."""
    source: Annotated[Path, tyro.conf.Positional, tyro.conf.arg(metavar="IN")]
    """A picture, or a folder of pictures."""
    masks: Path
    """A folder of masks with the pictures' names, one mask for all, or strokes as .json."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """A folder to write, or a file where one picture is given."""
    truth: Path | None = None
    """The pictures without holes, by the same names: measures the fillings beside one that needs no learning."""
    white: Literal["auto", "hole", "known"] = "auto"
    """What white marks in masks; auto takes it for the hole and refuses masks that are mostly white."""
    resize_masks: bool = False
    """Enlarge or reduce masks of another size than their pictures."""
    context: int | None = None
    """Pixels around a hole that the model sees; 0 is the whole picture. Left out: 256 in pictures above 1 megapixel by
    models that look at a picture as a whole, everything else is seen whole."""
    memory: float = 2.0
    """Gigabytes that what is seen at once may take: larger pictures go through in tiles, with the same result, where a
    model allows it."""
    seed: int = 0
    """Of the noise that some models fill with."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    device: str = "cpu"


@dataclass(frozen=True, kw_only=True)
class Inpainted:
    """What was written, and how good it is where the truth was given."""

    path: Path
    pictures: int
    before: int  # Of them, that an interrupted command had finished.
    renewed: int  # Of them, made again since their pictures or masks have changed.
    untouched: tuple[str, ...]  # Whose mask was empty.
    white: Literal["hole", "known"] | None  # What white marked; None of strokes.
    recoded: tuple[str, ...]  # Written as PNG, because their own format would have changed every pixel.
    model: str
    kimg: float
    results: tuple[dict[str, Any], ...] = ()  # Of the truth: the model's, then those of the harmonic filling.
    floor: tuple[dict[str, Any], ...] = ()


def inpaint(task: Inpaint) -> Inpainted:
    """Fills and writes; every file is whole or not there.

    Raises:
        UserError: the model does not fill; a picture or a mask is missing or cannot be used; something else is at
            ``out``.
    """
    from ganvas.data.holes.strokes import is_strokes
    from ganvas.losses.capabilities import Fills
    from ganvas.tasks.inpainting.asked_fillings import asked_fillings
    from ganvas.tasks.inpainting.filling import HoleFiller
    from ganvas.tasks.inpainting.mask_files import MaskRules, masks_of
    from ganvas.tasks.pictures.work import require_memory
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    require_memory(task.memory)
    names, root = _pictures(task.source)
    masks = masks_of(names, task.masks)
    trained = load(task.run, kimg=task.kimg, device=pick_device(task.device))
    filler = HoleFiller(
        model=trained.require(Fills),
        channels=trained.channels,
        context=task.context,
        memory_gb=task.memory,
        device=trained.device,
    )
    asked = asked_fillings(names, root, masks, _places(task, names, root))
    folder = _folder(task, trained, asked)
    rules = MaskRules(white=task.white, resize=task.resize_masks)
    waiting = asked if folder is None else _not_done(asked, folder)
    _check(task, trained, waiting, rules)
    untouched = _fill(task, filler, trained, waiting, rules, folder)
    results, floor = _measured(task, names, root, {one.name: one.place for one in asked}, masks, rules)
    return Inpainted(
        path=task.out,
        pictures=len(names),
        before=len(asked) - len(waiting),
        renewed=0 if folder is None else folder.renewed,
        untouched=untouched,
        white=None if all(is_strokes(mask) for mask in masks) else "known" if task.white == "known" else "hole",
        recoded=tuple(one.name for one in asked if not one.keeps_format),
        model=trained.name,
        kimg=trained.kimg,
        results=results,
        floor=floor,
    )


def _pictures(source: Path) -> tuple[list[str], Path]:
    """Relative names of the pictures, and the folder that they lie in."""
    from ganvas.core.errors import UserError
    from ganvas.data.sources.labels import is_picture

    if source.is_file():
        return [source.name], source.parent
    if not source.is_dir():
        raise UserError(f"There is no file or folder {source}.")
    found = [path for path in sorted(source.rglob("*")) if is_picture(path.name)]
    names = [path.relative_to(source).as_posix() for path in found if path.is_file()]
    if not names:
        raise UserError(f"{source} holds no pictures. Name a picture, or a folder of pictures.")
    return names, source


def _places(task: Inpaint, names: list[str], root: Path) -> dict[str, Path]:
    """Where each picture is written; the suffix says what its format can keep."""
    from ganvas.core.errors import UserError
    from ganvas.tasks.pictures.kept_files import exact_suffix

    suffixes = {name: exact_suffix(root / name) for name in names}
    if task.source.is_file() and task.out.suffix:
        (suffix,) = suffixes.values()
        if task.out.suffix.lower() != suffix.lower():
            raise UserError(
                f"-o {task.out}: {names[0]} is written as {suffix}, which keeps every pixel outside of the hole. "
                "Choose a name that ends so."
            )
        return {names[0]: task.out}
    places = {name: task.out / Path(name).with_suffix(suffixes[name]) for name in names}
    for name in names:  # a.jpg beside a.png: both would be a.png.
        if places[name].suffix != Path(name).suffix and list(places.values()).count(places[name]) > 1:
            places[name] = task.out / f"{name}{suffixes[name]}"
    return places


def _folder(task: Inpaint, trained: "Trained", asked: Sequence["AskedFilling"]) -> "OutputFolder | None":
    """The folder, also one that an interrupted command with the same settings has left; None where a file is written.

    Raises:
        UserError: what is there was made otherwise, or by something else.
    """
    from ganvas.core.errors import UserError
    from ganvas.data.sources.locations import refuse_out_inside
    from ganvas.tasks.pictures.output_folder import OutputFolder

    if any(one.place == task.out for one in asked):
        if task.out.exists():
            raise UserError(f"-o {task.out}: something is there already. Choose another name, or remove it.")
        return None
    refuse_out_inside(str(task.source), task.out)
    made_by = {
        "model": trained.name,
        "weights": trained.fingerprint,
        "source": str(task.source.resolve()),
        "masks": str(task.masks.resolve()),
        "white": task.white,
        "resize_masks": task.resize_masks,
        "context": task.context,
        "seed": task.seed,
    }
    return OutputFolder(task.out, "inpaint", made_by)


def _not_done(asked: Sequence["AskedFilling"], folder: "OutputFolder") -> list["AskedFilling"]:
    """Those that are not there, or made of other files; every picture that is there is read."""
    from ganvas.core.progress import tracked
    from ganvas.tasks.inpainting.asked_fillings import MANY

    there = [one for one in asked if one.place.exists()]
    looked_at = tracked(there, "Comparing", total=len(there), unit="pictures", quiet=len(there) < MANY)
    done = {one.name for one in looked_at if folder.done(one.place.relative_to(folder.path).as_posix(), one.made_of())}
    return [one for one in asked if one.name not in done]


def _check(task: Inpaint, trained: "Trained", waiting: Sequence["AskedFilling"], rules: "MaskRules") -> None:
    """All that can be said of masks and truths before the first picture is filled, so that a refusal leaves nothing."""
    from ganvas.losses.capabilities import Fills
    from ganvas.tasks.inpainting.asked_fillings import check_masks

    marked = check_masks(waiting, rules, guides=trained.require(Fills).guides, model=trained.name)
    if task.truth is not None:
        from ganvas.tasks.inpainting.against_truth import truth_of

        for one in marked:
            truth_of(one.name, one.root, task.truth)


def _fill(
    task: Inpaint,
    filler: "HoleFiller",
    trained: "Trained",
    waiting: Sequence["AskedFilling"],
    rules: "MaskRules",
    folder: "OutputFolder | None",
) -> tuple[str, ...]:
    """Fills and writes; the names of pictures in which nothing was to be filled."""
    from ganvas.core.files.atomic_files import write_bytes
    from ganvas.core.progress import progress

    untouched: list[str] = []
    with progress("Filling", len(waiting), unit="pictures") as report:
        for index, one in enumerate(waiting):
            made_of = one.made_of()
            content, empty = _filled(task, filler, trained, one, rules)
            if folder is None:
                write_bytes(one.place, content)
            else:
                folder.write(one.place.relative_to(folder.path).as_posix(), content, made_of)
            untouched += [one.name] if empty else []
            report(index + 1)
    return tuple(untouched)


def _filled(
    task: Inpaint, filler: "HoleFiller", trained: "Trained", one: "AskedFilling", rules: "MaskRules"
) -> tuple[bytes, bool]:
    """The file to write, and whether nothing was to be filled in: then the file itself, if the format is the same."""
    from ganvas.core.hashes.derived_seeds import derive_seed
    from ganvas.tasks.inpainting.mask_files import read_mask
    from ganvas.tasks.pictures.kept_files import open_kept

    picture = open_kept(one.picture, exact=True)
    drawn = read_mask(one.mask, picture.size, rules)
    if not drawn.hole.any():
        same = one.picture.read_bytes() if one.keeps_format else picture.exchanged(picture.channels(3), drawn.hole)
        return same, True
    pixels = picture.channels(_channels(trained, picture, one.picture))
    filled = filler(pixels, drawn, seed=derive_seed(task.seed, "fill", one.picture.name))
    return picture.exchanged(filled, drawn.hole), False


def _channels(trained: "Trained", picture: "KeptPicture", path: Path) -> int:
    """Of the model; a model of grey pictures is not asked to fill coloured ones."""
    from ganvas.core.errors import UserError

    if trained.channels == 1 and picture.pixels.shape[2] > 2:
        raise UserError(f"{path} is in colour, and {trained.name} of this run has learnt grey pictures.")
    if trained.channels not in (1, 3):
        raise UserError(
            f"{trained.name} of this run has learnt pictures of {trained.channels} channels, not RGB or grey."
        )
    return trained.channels


def _measured(
    task: Inpaint, names: list[str], root: Path, places: dict[str, Path], masks: list[Path], rules: "MaskRules"
) -> tuple[tuple[dict[str, Any], ...], tuple[dict[str, Any], ...]]:
    if task.truth is None:
        return (), ()
    from ganvas.tasks.inpainting.against_truth import against_truth

    found, floor = against_truth(names, root, places, masks, rules, task.truth)
    return tuple(result.to_plain() for result in found), tuple(result.to_plain() for result in floor)
