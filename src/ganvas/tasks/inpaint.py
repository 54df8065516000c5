"""``ganvas inpaint``: holes in pictures are filled in by a trained model, and nothing else changes."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from ganvas.data.holes.strokes import Drawn
    from ganvas.tasks.inpainting.filling import HoleFiller
    from ganvas.tasks.inpainting.mask_files import MaskRules
    from ganvas.tasks.pictures.kept_files import KeptPicture
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
    from ganvas.core.files.atomic_files import write_bytes
    from ganvas.core.progress import progress
    from ganvas.data.holes.strokes import is_strokes
    from ganvas.losses.capabilities import Fills
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
    places = _places(task, names, root)
    _folder(task, trained, places)
    done = sum(place.exists() for place in places.values())
    rules = MaskRules(white=task.white, resize=task.resize_masks)
    untouched: list[str] = []
    with progress("Filling", len(names), unit="pictures") as report:
        for index, name in enumerate(names):
            if not places[name].exists():
                same = places[name].suffix == Path(name).suffix
                content, empty = _filled(task, filler, trained, root / name, masks[index], rules, same=same)
                write_bytes(places[name], content)
                untouched += [name] if empty else []
            report(index + 1)
    results, floor = _measured(task, names, root, places, masks, rules)
    return Inpainted(
        path=task.out,
        pictures=len(names),
        before=done,
        untouched=tuple(untouched),
        white=None if all(is_strokes(mask) for mask in masks) else "known" if task.white == "known" else "hole",
        recoded=tuple(name for name in names if places[name].suffix != Path(name).suffix),
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
        raise UserError(f"There is no {source}.")
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


def _folder(task: Inpaint, trained: "Trained", places: dict[str, Path]) -> None:
    """Begins the folder, or goes on with one that an interrupted command with the same settings has left.

    Raises:
        UserError: what is there was made otherwise, or by something else.
    """
    from ganvas.core.errors import UserError
    from ganvas.data.sources.locations import refuse_out_inside
    from ganvas.tasks.pictures.output_folder import OutputFolder

    if task.out in places.values():
        if task.out.exists():
            raise UserError(f"-o {task.out}: something is there already. Choose another name, or remove it.")
        return
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
    OutputFolder(task.out, "inpaint", made_by)


def _filled(
    task: Inpaint,
    filler: "HoleFiller",
    trained: "Trained",
    path: Path,
    mask: Path,
    rules: "MaskRules",
    *,
    same: bool,
) -> tuple[bytes, bool]:
    """The file to write, and whether nothing was to be filled in: then the file itself, if the format is the same."""
    from ganvas.core.derived_seeds import derive_seed
    from ganvas.tasks.inpainting.mask_files import read_mask
    from ganvas.tasks.pictures.kept_files import open_kept

    picture = open_kept(path, exact=True)
    drawn = read_mask(mask, picture.size, rules)
    _say_what_is_not_heeded(trained, mask, drawn)
    if not drawn.hole.any():
        return path.read_bytes() if same else picture.exchanged(picture.channels(3), drawn.hole), True
    pixels = picture.channels(_channels(trained, picture, path))
    filled = filler(pixels, drawn, seed=derive_seed(task.seed, "fill", path.name))
    return picture.exchanged(filled, drawn.hole), False


def _say_what_is_not_heeded(trained: "Trained", path: Path, drawn: "Drawn") -> None:
    """Lines and colours that this model knows nothing of."""
    from ganvas.core.progress import say
    from ganvas.losses.capabilities import Fills

    planes = {"sketch": drawn.sketch, "colour": drawn.coloured}
    ignored = [name for name, plane in planes.items() if plane.any() and name not in trained.require(Fills).guides]
    if ignored:
        say(f"{path} holds strokes of {' and '.join(ignored)}, which {trained.name} does not heed.")


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
