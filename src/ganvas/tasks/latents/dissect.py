"""``ganvas dissect``: what each unit of a network stands for, and what the picture loses without it."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

if TYPE_CHECKING:
    from ganvas.dissect.dissection import Dissection
    from ganvas.dissect.permanent import UnitSet
    from ganvas.dissect.places import Place
    from ganvas.dissect.subject import Subject


@dataclass(frozen=True, kw_only=True)
class Dissect:
    """Take a trained network apart: which units draw what, what goes without them, and how much of it is chance.

    Every count stands beside what the untrained network, randomly rotated axes and other pictures' labels give.

    Examples:
      ganvas dissect runs/demo
      ganvas dissect runs/demo --layers blocks.1.1 "#17" --labeller colours
      ganvas dissect runs/demo:discriminator --pictures 256
      ganvas dissect runs/demo --units mine.json
      ganvas dissect runs/wide --beside runs/narrow runs/narrower
      ganvas dissect runs/demo --edit mine.json -o runs/demo-without
      ganvas dissect runs/demo --edit mine.json --where tree -o runs/demo-no-trees
      ganvas dissect package.module:make_generator --input 1,128
    """

    run: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="RUN")]
    """Folder of a run, with :PART for another of its networks than the one that draws; or package.module:factory or
    file.py:factory of a network of your own."""
    input: str | None = None
    """Shape of the input of a network of your own, with its batch: 1,128 for latents, which are drawn from N(0, 1)."""
    data: str | None = None
    """Pictures that a network of your own looks at: any source."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """Folder for the page, the tables and the JSON; RUN/dissection when left out. With --edit, for the new model."""
    units: Path | None = None
    """Units that you chose, silenced beside the others: a JSON file {"layer": "#11", "units": [3, 17]}."""
    edit: Path | None = None
    """Such a file whose units are silenced for good: a model without them is written to --out, and nothing else."""
    where: str | None = None
    """With --edit: the label at which they are silenced, by a change of rank one of the layer's weights; elsewhere they
    go on. Everywhere when left out."""
    layers: tuple[str, ...] = ()
    """Layers by their names in the code, or #7 for an operation, as in `ganvas receptive-field`; by default what
    activations give, eight of them at most."""
    effect_layer: str | None = None
    """The layer whose units are silenced one by one; by default the one whose units fit best, of those with eight times
    as many units as are silenced together."""
    labeller: str | None = None
    """Who says what is where: scenes, exact (masks of the pictures that a network looks at), colours, brightness,
    edges, texture, the folder of a trained segmenter, or one of a network of the Hugging Face hub.
    By default what suits the pictures."""
    pictures: int = 512
    """Pictures that units are held against."""
    effect_pictures: int = 384
    """Pictures on which each unit is silenced."""
    held_out_pictures: int = 384
    """Further pictures, on which the strongest units are silenced together."""
    set_size: int = 8
    """How many units are silenced together."""
    to_paint: int | None = None
    """Write so many of the pictures into --out/images, for you to paint masks of 5 to 20 of them into --out/masks, and
    nothing else; --labeller with that folder then learns your labels."""
    beside: tuple[Path, ...] = ()
    """Other runs that were dissected alike, whose layers stand in the same table."""
    context: tuple[str, ...] = ()
    """Labels whose units are put into every place in turn, such as house: where can one be put? About 20 seconds
    each."""
    context_pictures: int = 64
    """Pictures for that."""
    silence: Literal["zero", "mean"] = "zero"
    """What a silenced unit says: 0, or its mean."""
    permutations: int = 39
    """Of the pictures, for the test whether a unit fits a label beyond its position; fewer than 19 leave it out."""
    twins: bool = True
    """Compare with the untrained network and with rotated axes."""
    kimg: float | None = None
    """Which of the run's models; the newest when left out."""
    seed: int = 0
    """Of latents, rotations and permutations."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class LayerLine:
    """A layer in one line: units that fit a label, and how many of the twins' do."""

    layer: str
    label: str
    units: int
    fitting: float
    rotated: float | None
    untrained: float | None
    permuted: float | None
    best: float  # Mean over units of the best chance-corrected score.


@dataclass(frozen=True, kw_only=True)
class SetLine:
    """What goes when some units are silenced together, on pictures that they were not chosen on."""

    label: str
    chosen_by: str
    units: tuple[int, ...]
    removed: float  # Share of the label that is gone.
    standard_error: float


@dataclass(frozen=True, kw_only=True)
class Edited:
    """A model whose units were silenced for good."""

    model: Path
    layer: str
    units: tuple[int, ...]
    apart: float  # From the edit, largest difference of a colour from -1 to 1.


@dataclass(frozen=True, kw_only=True)
class RemovalLine:
    """The share of a label that an edit takes away, on pictures that it was not made on."""

    label: str
    removed: float
    standard_error: float


@dataclass(frozen=True, kw_only=True)
class RewrittenModel:
    """A model whose units were silenced where a label is."""

    model: Path
    layer: str
    units: tuple[int, ...]
    where: str
    removals: tuple[RemovalLine, ...]  # Of every label that there is.


@dataclass(frozen=True, kw_only=True)
class ToPaint:
    """Pictures that wait for masks."""

    folder: Path
    pictures: int


@dataclass(frozen=True, kw_only=True)
class DissectResult:
    """The main figures; the files have the rest."""

    subject: str
    labeller: str
    protocol: str
    layers: tuple[LayerLine, ...]
    effect_layer: str | None
    sets: tuple[SetLine, ...]
    notes: tuple[str, ...]
    page: Path
    folder: Path


def dissect(task: Dissect) -> DissectResult | Edited | RewrittenModel | ToPaint:
    """Loads the run, dissects its network, and writes page, tables and JSON; or the edited model; or pictures to paint.

    Raises:
        UserError: there is no such run, network, layer, unit or labeller, or it has no pictures.
    """
    from ganvas.core.files.atomic_files import require_writable
    from ganvas.dissect import dissection as whole
    from ganvas.dissect.labellers.labeller_catalogue import labeller_named
    from ganvas.dissect.permanent import read_units
    from ganvas.dissect.written import written

    _check(task)
    if task.edit is not None:
        return _edited(task, task.edit)
    if task.to_paint is not None:
        return _to_paint(task, task.to_paint)
    subject = _subject(task)
    folder = _folder(task)
    require_writable(folder / "dissection.html")
    places = _places(task, subject)
    effect_place = None if task.effect_layer is None else subject.numbering.place(task.effect_layer)
    labeller = labeller_named(task.labeller, subject, quiet=task.quiet)
    settings = whole.DissectionSettings(
        pictures=task.pictures,
        effect_pictures=task.effect_pictures,
        held_out_pictures=task.held_out_pictures,
        set_size=task.set_size,
        permutations=task.permutations,
        silence=task.silence,
        seed=task.seed,
        twins=task.twins,
        context=task.context,
        context_pictures=task.context_pictures,
    )
    by_hand = None if task.units is None else read_units(task.units, subject)
    found = whole.dissect(
        subject,
        labeller,
        places,
        settings,
        effect_place=effect_place,
        by_hand=by_hand,
        beside=task.beside,
        quiet=task.quiet,
    )
    page = written(found, folder)
    return _result(found, page, folder)


def _check(task: Dissect) -> None:
    from ganvas.core.checks import at_least
    from ganvas.core.errors import UserError

    if task.where is not None and task.edit is None:
        raise UserError(f"--where {task.where} says where --edit silences units. Give the units: --edit FILE.")

    at_least(task, 8, "pictures", "effect_pictures", "held_out_pictures", "context_pictures")
    at_least(task, 1, "set_size")
    at_least(task, 0, "permutations")


def _parts(run: str) -> tuple[str, str | None]:
    """The folder and the part of ``runs/x:discriminator``."""
    if Path(run).exists() or ":" not in run:
        return run, None
    folder, _, part = run.rpartition(":")
    return folder, part


def _folder(task: Dissect) -> Path:
    """Where the results go."""
    from ganvas.core.errors import UserError

    folder = Path(_parts(task.run)[0])
    if task.out is None and not folder.is_dir():
        raise UserError(f"{task.run} is no run, whose folder could take the results. Name one: --out FOLDER.")
    return task.out or folder / "dissection"


def _subject(task: Dissect) -> "Subject":
    from ganvas.core.errors import UserError
    from ganvas.core.run_folder import is_run_or_model
    from ganvas.dissect import subject

    folder, part = _parts(task.run)
    if is_run_or_model(Path(folder)) or not (part or Path(folder).suffix):
        if task.data or task.input:
            raise UserError(f"{folder} is a run, whose inputs are known: leave --data and --input out.")
        return subject.of_run(Path(folder), part=part, kimg=task.kimg, seed=task.seed)
    return _own_network(task)


def _own_network(task: Dissect) -> "Subject":
    """A network from somebody's own code."""
    from ganvas.anatomy.loading.load import load
    from ganvas.anatomy.loading.random_weights import with_weights
    from ganvas.core.errors import UserError
    from ganvas.data.packing import prepare
    from ganvas.dissect import subject
    from ganvas.tasks.networks.network_options import parse_input

    loaded = load(task.run, values=True)
    shape = parse_input(task.input) if task.input else (loaded.inputs or (None,))[0]
    if not isinstance(shape, tuple):
        raise UserError(f"The input of {task.run} is not known. Give its shape with the batch, such as --input 1,128.")
    data = None
    if task.data is not None:
        if len(shape) != 4:
            raise UserError(f"--data gives pictures, and {task.run} reads {'x'.join(map(str, shape))}. Leave it out.")
        data = prepare(task.data, size=(shape[2], shape[3]), channels=shape[1], fit="crop", quiet=task.quiet)
    network = with_weights(loaded, seed=task.seed)
    return subject.of_network(
        network, loaded.name, loaded.whose, shape, data=data, spec=task.data or "", seed=task.seed
    )


def _to_paint(task: Dissect, count: int) -> ToPaint:
    """Writes pictures of the subject for a person to paint on."""
    from PIL import Image

    from ganvas.core.errors import UserError
    from ganvas.core.pixels import to_bytes
    from ganvas.dissect.labelled_sample import SERIES
    from ganvas.dissect.labellers.mask_folder import IMAGES, MASKS
    from ganvas.report.pictures.grid import save_png

    if task.out is None or count < 1:
        raise UserError("--to-paint writes at least one picture. Say how many and where: --to-paint 12 --out FOLDER.")
    pictures = [picture for batch, _ in _subject(task).seen(count, of=SERIES) for picture in to_bytes(batch)]
    (task.out / MASKS).mkdir(parents=True, exist_ok=True)
    for number, picture in enumerate(pictures):
        shown = picture.permute(1, 2, 0).numpy()
        save_png(
            Image.fromarray(shown[:, :, 0] if shown.shape[2] == 1 else shown), task.out / IMAGES / f"{number:03d}.png"
        )
    return ToPaint(folder=task.out, pictures=len(pictures))


def _edited(task: Dissect, file: Path) -> Edited | RewrittenModel:
    """Writes the model of a run without some units."""
    from ganvas.core.errors import UserError
    from ganvas.dissect.permanent import read_units, save_edited, silenced_for_good

    if task.out is None:
        raise UserError("--edit writes a new model. Say where: --out FOLDER.")
    subject = _subject(task)
    if subject.kind != "draws" or "spec" not in subject.data:
        raise UserError(f"--edit writes the model of a run that draws pictures, and {subject.name} is none.")
    chosen = read_units(file, subject)
    if task.where is not None:
        return _rewritten(task, subject, chosen, task.where, task.out)
    module, apart = silenced_for_good(subject, chosen)
    save_edited(Path(_parts(task.run)[0]), module, chosen, task.out, kimg=task.kimg)
    return Edited(model=task.out, layer=chosen.place.title, units=chosen.units, apart=apart)


def _rewritten(task: Dissect, subject: "Subject", chosen: "UnitSet", where: str, out: Path) -> RewrittenModel:
    """Writes the model of a run whose units are silent where a label is."""
    from ganvas.dissect.labellers.labeller import require_label
    from ganvas.dissect.labellers.labeller_catalogue import labeller_named
    from ganvas.dissect.permanent import save_edited
    from ganvas.dissect.rewriting import rewritten

    labeller = labeller_named(task.labeller, subject, quiet=task.quiet)
    require_label(where, labeller)
    pictures, held_out = task.effect_pictures, task.held_out_pictures
    found = rewritten(subject, labeller, chosen, where, pictures=pictures, held_out=held_out)
    save_edited(Path(_parts(task.run)[0]), found.module, chosen, out, kimg=task.kimg, where=where)
    lines = tuple(
        RemovalLine(label=effect.label, removed=-effect.relative, standard_error=effect.relative_error)
        for effect in found.effects
        if effect.before > 0
    )
    return RewrittenModel(model=out, layer=chosen.place.title, units=chosen.units, where=where, removals=lines)


def _places(task: Dissect, subject: "Subject") -> "tuple[Place, ...]":
    if not task.layers:
        return subject.numbering.chosen()
    return tuple({place.name: place for place in map(subject.numbering.place, task.layers)}.values())


def _result(found: "Dissection", page: Path, folder: Path) -> DissectResult:
    lines = [
        LayerLine(
            layer=layer.place.name,
            label=layer.place.label,
            units=layer.place.units,
            fitting=layer.fitting.trained,
            rotated=layer.fitting.rotated,
            untrained=layer.fitting.untrained,
            permuted=layer.fitting.permuted,
            best=layer.best.trained,
        )
        for layer in found.layers
    ]
    sets = [
        SetLine(
            label=one.label,
            chosen_by=one.chosen_by,
            units=one.units,
            removed=-one.on(one.label).relative,
            standard_error=one.on(one.label).relative_error,
        )
        for one in found.sets
        if one.label
    ]
    return DissectResult(
        subject=found.subject,
        labeller=found.labeller,
        protocol=found.protocol,
        layers=tuple(lines),
        effect_layer=None if found.effect_layer is None else found.effect_layer.title,
        sets=tuple(sets),
        notes=found.notes,
        page=page,
        folder=folder,
    )
