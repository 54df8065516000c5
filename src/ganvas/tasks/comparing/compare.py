"""``ganvas compare RUN ...``: families side by side by quality, diversity, likelihood and cost; never one score."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from ganvas.core.errors import UserError
from ganvas.core.files.atomic_files import write_json, write_text
from ganvas.tasks.comparing.compare_options import Compare

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganvas.core.shapes import Bytes
    from ganvas.data.packed import Packed
    from ganvas.report.web.comparison.compared import Compared, Comparison, Turned
    from ganvas.train.trained import Trained

PAGES = (".html", ".htm")
LARGEST_CELL = 96  # Pixels that a picture of a sheet is enlarged to at most.


@dataclass(frozen=True, kw_only=True)
class CompareResult:
    """Where the page is, and the table as text."""

    page: Path
    json: Path
    csv: Path
    models: list[str]
    printed: str
    notes: list[str] = field(default_factory=list)


def compare(task: Compare) -> CompareResult:
    """Reads the runs, measures what was asked for, draws, and writes three files, each whole or not at all."""
    from ganvas.report.web.comparison import comparison_page, comparison_text

    if task.out.suffix.lower() not in PAGES:
        raise UserError(f"-o {task.out} is not the name of a page. Give a name that ends in .html.")
    if task.sheet < 0:
        raise UserError(f"--sheet {task.sheet}: so many pictures cannot be drawn. Take 0 for none.")
    comparison = compared(task)
    data, rows = task.out.with_suffix(".json"), task.out.with_suffix(".csv")
    write_text(task.out, comparison_page.html(comparison))
    write_json(data, comparison_text.as_plain(comparison))
    write_text(rows, comparison_text.as_csv(comparison))
    return CompareResult(
        page=task.out,
        json=data,
        csv=rows,
        models=[one.name for one in comparison.models],
        printed=comparison_text.text(comparison),
        notes=list(comparison.notes),
    )


def compared(task: Compare) -> "Comparison":
    """The comparison as plain values."""
    from ganvas.report.web.comparison.compared import Comparison
    from ganvas.tasks.comparing import measured, turned_dials

    paths, trained = _runs(task)
    dials = turned_dials.chosen_dials(task, trained)
    if task.data is not None or task.n is not None:
        measured.measured_alike(task, paths, trained)
    names = _names(paths)
    turns = turned_dials.of_all(task, trained, names, dials, _real_pictures(task, trained)) if task.turn else None
    return Comparison(
        models=[
            _of_run(task, path, one, name, turns.curves[name] if turns else ())
            for path, one, name in zip(paths, trained, names, strict=True)
        ],
        seed=task.seed,
        reals=_reals(task, trained) if task.sheet else None,
        real_precision=turns.reals.precision if turns else None,
        real_recall=turns.reals.recall if turns else None,
        turned_protocol=turns.protocol if turns else "",
        notes=_notes(trained, names),
        command=_command(task),
    )


def _runs(task: Compare) -> tuple[list[Path], "list[Trained]"]:
    """The runs with their newest models; what cannot be compared is refused before anything is measured."""
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    if not task.runs:
        raise UserError("No run is given. Name those to lay side by side: ganvas compare RUN RUN.")
    paths = [Path(spec).expanduser() for spec in task.runs]
    if len({path.resolve() for path in paths}) < len(paths):
        raise UserError("A run is named twice. Name each once.")
    device = pick_device(task.device)
    trained = [load(path, device=device) for path in paths]
    for path, one in zip(paths, trained, strict=True):
        if one.draws_points:
            raise UserError(
                f"{path} is a run of points, and pictures are compared here. `ganvas measure {path}` measures it "
                "against its law."
            )
        if not (path / "run.json").exists():
            raise UserError(f"{path} is one model of a run. Name the run's folder, which knows what it cost.")
    return paths, trained


def _names(paths: list[Path]) -> list[str]:
    """Folder names, with as many parents as it takes to tell them apart."""
    parts = [path.resolve().parts for path in paths]
    for length in range(1, max(map(len, parts)) + 1):
        names = ["/".join(one[-length:]) for one in parts]
        if len(set(names)) == len(names):
            return names
    return [str(path.resolve()) for path in paths]


def _of_run(task: Compare, path: Path, trained: "Trained", name: str, turned: "Sequence[Turned]") -> "Compared":
    from ganvas.report.web import run_reader
    from ganvas.report.web.comparison.compared import Compared
    from ganvas.tasks.comparing.measured import gaps
    from ganvas.train.sampling.drawn import can_draw
    from ganvas.train.sampling.sampling_cost import sampling_cost

    asked = task.held_out is not None or task.data is not None or task.n is not None
    memorised = gaps(task, path, trained) if asked else []
    drawing, sheet, notes = None, None, []
    if task.sheet and can_draw(trained.model):
        drawing, pictures = sampling_cost(trained, batch=task.sheet, seed=task.seed)
        sheet = _png(pictures)
    elif task.sheet:
        notes.append("draws no pictures of its own, so none are shown and nothing is timed.")
    return Compared(
        run=run_reader.read(path),
        name=name,
        kimg=trained.kimg,
        parameters=sum(p.numel() for p in trained.model.parameters()),
        drawing=drawing,
        sheet=sheet,
        gaps=memorised,
        turned=turned,
        settings_tried=_settings_tried(path),
        notes=notes,
    )


def _settings_tried(path: Path) -> int | None:
    """Of a run that a search made: how many it has tried. Nobody else notes it."""
    from ganvas.core.files.atomic_files import read_json
    from ganvas.tasks.searching.search_folder import DESCRIPTION

    around = path.resolve().parent.parent / DESCRIPTION
    if not around.exists():
        return None
    described = read_json(around)
    tried = described.get("tried") if isinstance(described, dict) else None
    return tried if isinstance(tried, int) else None


def _real_pictures(task: Compare, trained: "list[Trained]") -> "Packed":
    from ganvas.data.packing import prepare

    first = trained[0]
    if task.data is None:
        return first.reals(quiet=task.quiet)
    size = (first.height, first.width)
    return prepare(task.data, size=size, channels=first.channels, fit=task.fit, quiet=task.quiet)


def _reals(task: Compare, trained: "list[Trained]") -> bytes | None:
    """As many real pictures; None where they are not there any more."""
    import torch

    from ganvas.metrics.measuring.draws import draw

    try:
        packed = _real_pictures(task, trained)
    except UserError:
        return None
    drawn = torch.cat(list(draw(packed, min(task.sheet, len(packed)), seed=task.seed)))
    return _png(drawn)


def _png(pictures: "Bytes") -> bytes:
    from ganvas.report.pictures.grid import grid, png

    scale = max(1, LARGEST_CELL // max(pictures.shape[2:]))
    return png(grid(pictures.permute(0, 2, 3, 1).contiguous().numpy(), scale=scale))


def _notes(trained: "list[Trained]", names: list[str]) -> list[str]:
    """What keeps runs from being compared fairly."""
    notes = []
    if len({str(one.data.get("fingerprint")) for one in trained}) > 1:
        listed = "; ".join(f"{name}: {one.data.get('spec')}" for name, one in zip(names, trained, strict=True))
        notes.append(f"The models learnt from unlike pictures ({listed}).")
    if len({(one.height, one.width, one.channels) for one in trained}) > 1:
        notes.append("The models draw pictures of unlike sizes: costs are of each one's own size.")
    return notes


def _command(task: Compare) -> list[str]:
    import sys

    return ["ganvas", *sys.argv[1:]]
