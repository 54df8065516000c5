"""``ganvas measure A B``: how unlike generated pictures are to real ones, in numbers with error bars."""

import dataclasses
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.atomic_files import append_line
from ganvas.core.errors import UserError
from ganvas.core.results import Result

if TYPE_CHECKING:
    from ganvas.data.packed import Packed
    from ganvas.train.trained import Trained

MOST = 16_384  # Pictures on each side where --n is left out: the number of Karras et al. 2018.
BATCH = 64


@dataclass(frozen=True, kw_only=True)
class Measure:
    """Measure generated pictures against real ones: every value beside what reals score against reals.

    Examples:
      ganvas measure runs/x
      ganvas measure FAKES REALS --n 5000
      ganvas measure FAKES REALS --size 64 --channels 3 --fit crop
    """

    a: tyro.conf.Positional[str]
    """What was generated: a run directory, or a source of pictures (folder, archive, array file)."""
    b: tyro.conf.Positional[str | None] = None
    """The real pictures; those that the run was trained on where left out."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Pictures on each side. Left out: as many as leave a second draw of reals for the floor, 16384 at most."""
    metrics: tuple[str, ...] = ("swd", "ms_ssim")
    """Which metrics; `ganvas metrics` lists them."""
    seed: int = 0
    """Chooses pictures, latents and all random numbers of the metrics."""
    size: str | None = None
    """Bring pictures of a source to a size first: 64, or 64x96 (height x width). Runs keep their own."""
    channels: Literal[1, 3, 4] | None = None
    """1 grey, 3 RGB, 4 RGBA. Default: the run's, or the pictures' own."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape, or smaller than the size."""
    background: str = "white"
    """Colour under transparent pixels and on padding: a name or #rrggbb."""
    broken: Literal["refuse", "skip"] = "refuse"
    """Stop at a file that cannot be read, or leave it out."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    batch: int = BATCH
    """Pictures generated at a time; changes no value."""
    device: str = "auto"
    """Where to generate: cpu, cuda, or auto."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class Row:
    """One line of the table. Texts, ready to be shown."""

    metric: str
    value: str  # With its standard error.
    beside: str  # What real pictures score in the place of the generated ones.
    better: str
    n: int


@dataclass(frozen=True, kw_only=True)
class MeasureResult:
    """What was measured, with everything needed to trust it."""

    a: str
    b: str
    n: int
    seed: int
    seconds: float
    results: list[Result]
    floor: list[Result]  # The same metrics, a second draw of reals in the place of A; empty with too few reals.
    reals: str  # Fingerprint of the real pictures drawn.
    fakes: str  # Fingerprint of the generated pictures drawn.
    kimg: float | None = None  # Of the run's model.
    model: str | None = None  # Fingerprint of its weights.
    written: str | None = None  # The measures.jsonl to which a line was added.

    def rows(self) -> list[Row]:
        """The table: every result beside its floor, undivided metrics before their parts."""
        floor = {result.metric: result for result in [*self.results, *self.floor] if result.metric.endswith(".real")}
        floor = {name.removesuffix(".real"): result for name, result in floor.items()}
        floor |= {result.metric: result for result in self.floor}
        return [
            Row(
                metric=result.metric,
                value=with_error(result),
                beside=with_error(floor[result.metric]) if result.metric in floor else "–",
                better={"neither": "as reals"}.get(result.better, result.better),
                n=result.n,
            )
            for result in self.results
            if not result.metric.endswith(".real")
        ]


def with_error(result: Result) -> str:
    """``12.04 ± 0.50``: the error with two digits, the value with as many places.

    >>> with_error(Result(metric="swd", value=12.0398, standard_error=0.5002, error_method="", n=16, seed=0,
    ...                   better="lower", protocol=""))
    '12.04 ± 0.50'
    """
    if result.standard_error is None or not result.standard_error > 0:
        return f"{result.value:.4g}"
    places = max(0, 1 - int(f"{result.standard_error:e}".partition("e")[2]))
    return f"{result.value:.{places}f} ± {result.standard_error:.{places}f}"


@dataclass(frozen=True, kw_only=True)
class _Side:
    """Where pictures come from."""

    spec: str
    shape: tuple[int, int, int]  # Height, width, channels.
    count: int | None  # None for a model, which draws as many as are asked.
    batches: Callable[[int], Iterator[Any]]  # So many pictures in random order, uint8 (b, c, h, w).
    trained: "Trained | None" = None


def measure(task: Measure) -> MeasureResult:
    """Draws equally many pictures of either side at random and measures them; a run's result is kept in the run."""
    from ganvas.metrics import engine, shelf

    if not task.metrics:
        raise UserError(f"No metric is named. Choose from: {', '.join(shelf.names())}.")
    minimum = max(shelf.load(name).MINIMUM for name in task.metrics)
    a = _side(task, task.a, like=None)
    b = _side(task, task.b, like=a) if task.b is not None else _trained_on(task, a)
    if a.shape != b.shape:
        raise UserError(
            f"{a.spec} has pictures of {_words(a.shape)}, and {b.spec} of {_words(b.shape)}. "
            f"Bring both to one size and colour: {_common(a.shape, b.shape)}."
        )
    n = _number(task, a, b, minimum=minimum)
    needed = 2 * n if b.count is None or b.count >= 2 * n else n
    found = engine.measure(
        b.batches(needed), a.batches(n), metrics=task.metrics, n=n, seed=task.seed, floor=needed > n, quiet=task.quiet
    )
    result = MeasureResult(
        a=a.spec,
        b=b.spec,
        n=n,
        seed=task.seed,
        seconds=found.seconds,
        results=found.results,
        floor=found.floor,
        reals=found.reference,
        fakes=found.fakes,
        kimg=a.trained.kimg if a.trained else None,
        model=a.trained.fingerprint if a.trained else None,
    )
    folder = _run_folder(Path(task.a))
    return result if a.trained is None or folder is None else _keep(result, folder, a.trained)


def _side(task: Measure, spec: str, *, like: _Side | None) -> _Side:
    """A run's model, or a source; a source beside a run is brought to the run's size and colour."""
    path = Path(spec).expanduser()
    if (path / "run.json").exists() or (path / "model.json").exists():
        from ganvas.tasks.train import pick_device
        from ganvas.train.trained import load

        if task.batch < 1:
            raise UserError(f"--batch {task.batch} must be at least 1.")
        trained = load(path, kimg=task.kimg, device=pick_device(task.device))
        return _Side(
            spec=spec,
            shape=(trained.height, trained.width, trained.channels),
            count=None,
            batches=lambda n: trained.sample_bytes(n, seed=task.seed, batch=task.batch),
            trained=trained,
        )
    from ganvas.data.packing import prepare
    from ganvas.tasks.data import parse_size

    model = like.trained if like else None
    size = parse_size(task.size) if task.size else (model.height, model.width) if model else None
    packed = prepare(
        spec,
        size=size,
        channels=task.channels or (model.channels if model else None),
        fit=model.data.get("fit", task.fit) if model and task.fit == "refuse" else task.fit,
        background=task.background,
        broken=task.broken,
        quiet=task.quiet,
    )
    return _packed_side(task, spec, packed)


def _trained_on(task: Measure, a: _Side) -> _Side:
    if a.trained is None:
        raise UserError(
            f"{a.spec} is not a run, so what to measure it against is not known. "
            "Give the real pictures as well: ganvas measure FAKES REALS."
        )
    return _packed_side(task, str(a.trained.data["spec"]), a.trained.reals(quiet=task.quiet))


def _packed_side(task: Measure, spec: str, packed: "Packed") -> _Side:
    return _Side(
        spec=spec,
        shape=(packed.height, packed.width, packed.channels),
        count=len(packed),
        batches=lambda n: draw(packed, n, seed=task.seed),
    )


def draw(packed: "Packed", n: int, *, seed: int, batch: int = BATCH) -> Iterator[Any]:
    """``n`` different pictures in random order, as uint8 batches (b, c, h, w): what the engine takes."""
    import torch

    from ganvas.core.seeds import stream

    order = torch.randperm(len(packed), generator=stream(seed, "measure", "order"))[:n].numpy()
    for start in range(0, len(order), batch):
        yield torch.from_numpy(packed.read(order[start : start + batch])).permute(0, 3, 1, 2)


def _number(task: Measure, a: _Side, b: _Side, *, minimum: int) -> int:
    """Pictures on each side, checked against what there is."""
    there = [side for side in (a, b) if side.count is not None]
    if task.n is None:
        found = min(
            [MOST, *(side.count or 0 for side in there if side is a), *(_half(b) for side in there if side is b)]
        )
        n = found if found >= minimum else min([MOST, *(side.count or 0 for side in there)])
    else:
        n = task.n
    short = [side for side in there if (side.count or 0) < max(n, minimum)]
    if n < minimum or short:
        few = f"{short[0].spec} has {short[0].count} pictures" if short else f"--n {n} is too few"
        raise UserError(
            f"{few}; {', '.join(task.metrics)} need{'s' if len(task.metrics) == 1 else ''} at least {minimum} on each "
            f"side{f', and {n} are asked for' if task.n is not None and short else ''}. Give more pictures"
            f"{', or a smaller --n.' if n > minimum else '.'}"
        )
    return n


def _half(reals: _Side) -> int:
    """So many that as many are left for the floor."""
    return (reals.count or 0) // 2


def _run_folder(path: Path) -> Path | None:
    """The run that a path to it, or to one of its models, belongs to."""
    path = path.expanduser()
    return next((folder for folder in (path, *path.resolve().parents[1:2]) if (folder / "run.json").exists()), None)


def _keep(result: MeasureResult, folder: Path, trained: "Trained") -> MeasureResult:
    """Adds a line to the run's measures.jsonl."""
    path = folder / "measures.jsonl"
    kept = dataclasses.replace(result, written=str(path))
    plain = {field.name: getattr(result, field.name) for field in dataclasses.fields(result) if field.name != "written"}
    plain |= {key: [one.to_plain() for one in plain[key]] for key in ("results", "floor")}
    when = datetime.now(UTC).isoformat(timespec="seconds")
    append_line(path, {"nimg": trained.nimg, "when": when, "source": "measure"} | plain)
    return kept


def _common(a: tuple[int, int, int], b: tuple[int, int, int]) -> str:
    """The options that bring both sides to the smaller size, and to colour where they differ in it."""
    height, width, channels = min(a, b)
    alike = a[0] * b[1] == a[1] * b[0]
    colour = f" --channels {min(channels, 3)}" if a[2] != b[2] else ""
    return f"--size {height}x{width}{colour}{'' if alike else ' --fit crop'}"


def _words(shape: tuple[int, int, int]) -> str:
    height, width, channels = shape
    return f"{height}x{width} pixels with {channels} channel{'s' if channels != 1 else ''}"
