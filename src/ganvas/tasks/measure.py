"""``ganvas measure A B``: how unlike generated pictures are to real ones, in numbers with error bars."""

import dataclasses
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.core.errors import UserError
from ganvas.core.number_text import with_error
from ganvas.core.results import Result
from ganvas.core.run_folder import is_run_or_model
from ganvas.core.sample_sizes.sample_unit import SampleUnit
from ganvas.tasks.measuring import (
    asked_classes,
    graph_sides,
    half_precision,
    measured_samples,
    notes,
    over_ranks,
    pairs,
    point_sides,
    run_lines,
    same_size,
    sides,
    sound_sides,
    text_sides,
)
from ganvas.tasks.measuring.measured_samples import MeasuredSamples
from ganvas.tasks.measuring.picture_options import PictureOptions
from ganvas.tasks.measuring.sides import BATCH, Side

if TYPE_CHECKING:
    from ganvas.core.ranks import Ranks
    from ganvas.metrics.measuring.flow import Measurement
    from ganvas.train.trained import Trained

DEFAULT = ("swd", "ms_ssim")
MOST = 16_384  # Pictures on each side where --n is left out: the number of Karras et al. 2018.
MOST_OF_TWO_MODELS = 2048  # Where both sides draw their pictures, and one of them twice.
MOST_OF_A_FILE = 50_000  # The same beside a file of statistics: the number of Heusel et al. 2017.


@dataclass(frozen=True, kw_only=True)
class Measure(PictureOptions):
    """Measure generated pictures against real ones: every value beside what reals score against reals.

    Points are measured against a law that is known; which values there are follows from it. Sounds are measured by
    their spectra and artefacts, and with a classifier of sounds (--features) by its inception score and distance too.

    Examples:
      ganvas measure runs/x
      ganvas measure FAKES REALS --n 5000
      ganvas measure FAKES REALS --size 64 --channels 3 --fit crop
      ganvas measure FAKES --ref ref.npz --metrics fid,kid --weights FILE
      ganvas measure runs/x --metrics all --n 5000
      ganvas measure runs/digits --classifier digits.safetensors
      ganvas measure stylised/ photos/ --classifier painters.safetensors --label van-gogh
      ganvas measure points.csv mixtures:ring8
      ganvas measure runs/words --features words.safetensors
      torchrun --nproc-per-node 2 -m ganvas measure runs/x --metrics fid --n 50000 --weights FILE
    """

    a: tyro.conf.Positional[str]
    """What was generated: a run, a source of pictures (folder, archive, array file), or a file of statistics."""
    b: tyro.conf.Positional[str | None] = None
    """The real pictures, or a file of their statistics; what the run was trained on where left out."""
    ref: Path | None = None
    """A file of statistics in the place of B: of `ganvas stats`, pytorch-fid, clean-fid, ADM, EDM or torch-fidelity."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Pictures on each side. Left out: as many as leave a second draw of reals for the floor, 16384 at most."""
    metrics: tuple[str, ...] = DEFAULT
    """Which metrics, by commas or blanks, or all; `ganvas metrics` lists them. Of points and sounds: all where left
    out."""
    quick: bool = False
    """Measure as a run does while it trains: SWD along fewer directions, a seventh of its cost and another protocol."""
    kimg: float | None = None
    """An earlier moment that the run keeps; the last one where left out."""
    label: str | None = None
    """Only pictures of this class: the model draws it, and of the pictures that it was trained on those are taken. Of
    pictures with --classifier: the class that they are to pass for."""
    classifier: Path | None = None
    """In how many pictures this file of `ganvas features train` sees the class that a run was asked for, or --label."""
    batch: int = BATCH
    """Pictures generated at a time; changes no value."""


@dataclass(frozen=True, kw_only=True)
class MeasureRow:
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
    label: str | None = None  # Of the class that was drawn; None all.
    own: bool = False  # Whether the run was measured against the pictures that it was trained on.
    b_kimg: float | None = None  # Of the model on the other side, where there is one.
    b_model: str | None = None
    written: str | None = None  # The measures.jsonl to which a line was added.
    n_reals: int | None = None  # On the other side, where it has its own number; None as many, or not said.
    skipped: dict[str, str] = field(default_factory=dict)  # Metrics that could not be computed, and why.
    notes: list[str] = field(default_factory=list)  # What a reader of the numbers must know.
    unit: SampleUnit = "pictures"

    def rows(self) -> list[MeasureRow]:
        """The table: every result beside its floor, undivided metrics before their parts."""
        floor = {result.metric: result for result in [*self.results, *self.floor] if result.metric.endswith(".real")}
        floor = {name.removesuffix(".real"): result for name, result in floor.items()}
        floor |= {result.metric: result for result in self.floor}
        return [
            MeasureRow(
                metric=labelled(result),
                value=with_error(result.value, result.standard_error),
                beside=_beside(floor.get(result.metric)),
                better={"neither": "as reals"}.get(result.better, result.better),
                n=result.n,
            )
            for result in self.results
            if not result.metric.endswith(".real")
        ]


def _beside(floor: Result | None) -> str:
    return "–" if floor is None else with_error(floor.value, floor.standard_error)


def labelled(result: Result) -> str:
    """The name of a value with the network through which it was seen, where there is one: ``fid (untrained)``."""
    network = next((part.partition("@")[0] for part in result.protocol.split(":")[2:] if "@" in part), "")
    return f"{result.metric} ({network})" if network else result.metric


def measure(task: Measure) -> MeasureResult:
    """Draws equally many pictures of either side at random and measures them; a run's result is kept in the run.

    Of several processes each draws and looks at a part of the pictures, and all return what one would.
    """
    with over_ranks.sharing(task) as ranks:
        return _measured(dataclasses.replace(task, quiet=task.quiet or not ranks.first), ranks)


def _measured(task: Measure, ranks: "Ranks") -> MeasureResult:
    others = {"points": _of_points, "sounds": _of_sounds, "lines": _of_lines, "graphs": _of_graphs}
    if (unit := measured_samples.unit_of_side(task.a, kimg=task.kimg)) != "pictures":
        if ranks.count > 1:
            raise UserError(f"{task.a} is of {unit}, which one process measures. Start the command without torchrun.")
        return others[unit](task)
    names, lenient = sides.chosen_metrics(task.metrics)
    a, b = over_ranks.prepared(ranks, lambda: _sides(task))
    if task.classifier is not None:
        asked_classes.require_classes(task.classifier, a, label=task.label)
        names = _with_agreement(names, a, b)
    names, skipped = _possible(names, a, b, lenient=lenient)
    n = _number(task, a, b, minimum=1 if lenient else _minimum(names), metrics=names)
    names, few = _enough(names, n, lenient=lenient)
    found = _compared(task, a, b, names, n=n, lenient=lenient, ranks=ranks)
    skipped |= few | found.skipped
    if task.classifier is not None:
        right, of_reals = asked_classes.share_of_right_classes(
            task, task.classifier, a, beside=b, n=n, seed=task.seed, label=task.label
        )
        found = dataclasses.replace(found, results=[*found.results, *right], floor=[*found.floor, *of_reals])
    if not found.results:
        raise UserError(f"None of the metrics could be computed. {next(iter(skipped.values()), '')}".strip())
    result = dataclasses.replace(found, skipped=skipped)
    if a.trained is None or (b is not None and b.trained is not None) or not ranks.first:
        return result  # Of two models, neither run is told.
    written = run_lines.add(Path(task.a), result, nimg=a.trained.nimg, source="measure")
    return dataclasses.replace(result, written=written)


def _of_points(task: Measure) -> MeasureResult:
    """Points against their law."""
    started = time.monotonic()
    given = _meant_for_pictures(task) or ("" if task.n is None or task.n > 1 else f"-n {task.n}")
    if given:
        raise UserError(
            f"{given}: of points there are at least 2, without classes, and they are measured against a law."
        )
    how = {"n": task.n, "seed": task.seed, "metrics": _named(task), "kimg": task.kimg}
    return _noted(task, point_sides.measured_points(task.a, task.b, **how), started, unit="points")


def _of_sounds(task: Measure) -> MeasureResult:
    """Sounds against real ones."""
    started = time.monotonic()
    if given := _meant_for_pictures(task):
        raise UserError(f"{given}: sounds are measured against sounds, of all classes. Leave it out.")
    found = sound_sides.measured_sounds(task, task.a, task.b, metrics=_named(task), kimg=task.kimg)
    return _noted(task, found, started, unit="sounds")


def _of_lines(task: Measure) -> MeasureResult:
    """Lines against real ones."""
    started = time.monotonic()
    given = _meant_for_pictures(task) or ("" if task.n is None or task.n > 1 else f"-n {task.n}")
    if given:
        raise UserError(f"{given}: at least 2 lines are measured, against lines, without classes.")
    how = {"n": task.n, "seed": task.seed, "metrics": _named(task), "kimg": task.kimg, "quiet": task.quiet}
    return _noted(task, text_sides.measured_lines(task.a, task.b, **how), started, unit="lines")


def _of_graphs(task: Measure) -> MeasureResult:
    """Graphs against real ones."""
    started = time.monotonic()
    given = _meant_for_pictures(task) or ("" if task.n is None or task.n > 1 else f"-n {task.n}")
    if given:
        raise UserError(f"{given}: at least 2 graphs are measured, against graphs, without classes.")
    how = {"n": task.n, "seed": task.seed, "metrics": _named(task), "kimg": task.kimg, "quiet": task.quiet}
    return _noted(task, graph_sides.measured_graphs(task.a, task.b, **how), started, unit="graphs")


def _meant_for_pictures(task: Measure) -> str:
    """The first option that was given and that only pictures have; empty where there is none."""
    options = {"--ref": task.ref, "--label": task.label, "--classifier": task.classifier}
    return next((name for name, value in options.items() if value is not None), "")


def _named(task: Measure) -> tuple[str, ...] | None:
    """The metrics that a person names; None where none is named."""
    words = tuple(word for text in task.metrics for word in text.split(",") if word)
    return None if task.metrics == DEFAULT else words


def _noted(task: Measure, found: MeasuredSamples, started: float, *, unit: SampleUnit) -> MeasureResult:
    """What was found, and a line of the run where a run was measured."""
    trained = found.trained
    result = MeasureResult(
        a=task.a,
        b=found.against,
        n=found.n,
        seed=task.seed,
        seconds=time.monotonic() - started,
        results=found.results,
        floor=found.floor,
        reals=found.reals,
        fakes=found.fakes,
        kimg=trained.kimg if trained else None,
        model=trained.fingerprint if trained else None,
        own=found.own,
        unit=unit,
    )
    if trained is None:
        return result
    written = run_lines.add(Path(task.a), result, nimg=trained.nimg, source="measure")
    return dataclasses.replace(result, written=written)


def _sides(task: Measure) -> tuple[Side, Side | None]:
    """What is measured, and against what; None where there is nothing to measure it against."""
    if task.n is not None and task.n < 1:
        raise UserError(f"-n {task.n}: the number of pictures must be at least 1.")
    if task.b is not None and task.ref is not None:
        raise UserError(f"Both {task.b} and --ref {task.ref} are given to be measured against. Leave one of them out.")
    if task.batch < 1:
        raise UserError(f"--batch {task.batch} must be at least 1.")
    a = _side(task, task.a, like=None, seed=task.seed)
    if task.kimg is not None and a.trained is None:
        raise UserError(f"--kimg {task.kimg:g} chooses a moment of a run, and {a.spec} is none. Leave it out.")
    if task.label is not None and a.trained is None and task.classifier is None:
        raise UserError(
            f"--label {task.label} chooses what a run's model draws, and {a.spec} is no run. Of a source with classes, "
            "take one with SRC::part."
        )
    if task.ref is not None:
        b = sides.of_file(task.ref.expanduser())
    elif task.b is not None:
        b = _side(task, task.b, like=a, seed=task.seed + 1)  # Two models draw latents apart.
    elif a.trained is not None:
        b = _trained_on(task, a.spec, a.trained)
    else:
        b = None
    if b is not None:
        same_size.require_one(a, b)
    return a, b


def _trained_on(task: Measure, spec: str, trained: "Trained") -> Side:
    """The pictures that a run was trained on; of a class, where one is asked for."""
    try:
        packed = trained.reals(quiet=task.quiet)
    except UserError as error:
        raise UserError(
            f"{spec} was trained on {trained.data['spec']}, and these pictures cannot be had: {error} "
            f"Or give the real pictures by name: ganvas measure {spec} REALS."
        ) from None
    drawn = None if task.label is None else trained.labels(1, seed=0, label=task.label)
    return sides.of_pack(task, str(trained.data["spec"]), packed, label=None if drawn is None else int(drawn[0]))


def _side(task: Measure, spec: str, *, like: Side | None, seed: int) -> Side:
    """A run's model, a file of statistics, or a source; one beside a run is brought to its size and colour."""
    from ganvas.metrics.statistics.base import is_stats

    path = Path(spec).expanduser()
    if is_run_or_model(path):
        return dataclasses.replace(
            sides.of_run(
                task, path, kimg=task.kimg if like is None else None, batch=task.batch, seed=seed, label=task.label
            ),
            spec=spec,
        )
    if is_stats(path):
        return sides.of_file(path)
    return sides.of_source(task, spec, model=like.trained if like else None)


def _possible(names: list[str], a: Side, b: Side | None, *, lenient: bool) -> tuple[list[str], dict[str, str]]:
    """The metrics that these two sides allow, and why not the others."""
    from ganvas.metrics.measuring import flow, metric_catalogue

    reasons = {name: reason for name in names if (reason := flow.why_not(name, alone=b is None))}
    if b is not None and (by_pair := pairs.paired(names)) and (reason := pairs.why_not(a, b, asked=not lenient)):
        reasons |= {
            name: f"{metric_catalogue.load(name).TITLE}: {reason}" if not lenient else reason for name in by_pair
        }
    if reasons and not lenient:
        if b is None and len(reasons) == len(names):
            raise UserError(
                f"{a.spec} is not a run, so what to measure it against is not known. "
                "Give the real pictures as well: ganvas measure FAKES REALS."
            )
        raise UserError(next(iter(reasons.values())))
    return [name for name in names if name not in reasons], reasons


def _with_agreement(names: list[str], a: Side, b: Side | None) -> list[str]:
    """Where pictures are to pass for a class: how far each still shows what it was made of, since one picture of the
    class in the place of all passes too."""
    made_of = a.trained is None and b is not None and pairs.why_not(a, b, asked=False) is None
    return [*names, "ssim"] if made_of and not pairs.paired(names) else names


def _enough(names: list[str], n: int, *, lenient: bool) -> tuple[list[str], dict[str, str]]:
    from ganvas.metrics.measuring import flow

    reasons = {name: reason for name in names if lenient and (reason := flow.why_not(name, alone=False, n=n))}
    return [name for name in names if name not in reasons], reasons


def _minimum(names: Sequence[str]) -> int:
    from ganvas.metrics.measuring import metric_catalogue

    return max(metric_catalogue.load(name).MINIMUM for name in names)


def _compared(
    task: Measure, a: Side, b: Side | None, names: list[str], *, n: int, lenient: bool, ranks: "Ranks"
) -> MeasureResult:
    """Both sides and, where there are as many reals again, the floor."""
    from ganvas.metrics.accumulators.feature_networks import Networks
    from ganvas.metrics.measuring import flow

    started = time.monotonic()
    networks: dict[str, Any] = {}
    missing: dict[str, str] = {}
    if any(side.has_pictures for side in (a, b) if side is not None):
        networks, missing = Networks(sides.chosen_networks(task), names).of(names, lenient=lenient)
    names = [name for name in names if name not in missing]
    looked = half_precision.require_agreement(
        task, [side for side in (a, b) if side is not None and side.batches], networks, names, n=n
    )
    settings = flow.PassSettings(
        seed=task.seed, networks=networks, rows_of=_rows_of(names, a, b), lenient=lenient, quiet=task.quiet
    )
    configs = {name: flow.QUICK.get(name) if task.quick else None for name in names}
    real = None
    if b is not None:
        again = b.file is None and (b.count is None or b.count >= 2 * n)
        reals = sides.picture_set(task, b, ranks)
        real = flow.refer(reals, settings, metrics=configs, n=n, floor=again, treated=a.treated)
    found = flow.against(real, sides.picture_set(task, a, ranks), settings, metrics=configs, n=n)
    fakes, reals_n = (side.file.n if side and side.file else n for side in (a, b))
    return MeasureResult(
        a=a.spec,
        b=b.spec if b else "",
        n=fakes or n,
        seed=task.seed,
        seconds=time.monotonic() - started,
        results=found.results,
        floor=found.floor,
        reals=found.reference,
        fakes=found.fakes,
        kimg=a.trained.kimg if a.trained else None,
        model=a.trained.fingerprint if a.trained else None,
        label=task.label,
        own=_is_own(a, b),
        b_kimg=b.trained.kimg if b and b.trained else None,
        b_model=b.trained.fingerprint if b and b.trained else None,
        n_reals=reals_n if b and (b.file or reals_n != fakes) else None,
        skipped=missing | dict(found.skipped),
        notes=_notes(a, b, found, names, looked),
    )


def _is_own(a: Side, b: Side | None) -> bool:
    """Whether a model is measured against the very pictures that it was trained on."""
    return a.trained is not None and b is not None and b.fingerprint == a.trained.data.get("fingerprint") is not None


def _notes(a: Side, b: Side | None, found: "Measurement", names: Sequence[str], looked: list[str]) -> list[str]:
    """What a reader of the numbers must know."""
    fake, *real = found.gathered
    by_pair = pairs.paired(names)
    said = [pairs.note(a, b, by_pair)] if b and by_pair else []
    said += looked + notes.of_side(a, fake)
    if b is None:
        return said
    return said + notes.of_side(b, *real) + notes.of_both(a, b) + notes.too_near(found)


def _rows_of(names: Sequence[str], a: Side, b: Side | None) -> dict[str, str]:
    """Whose rows a metric's are where one of two files says so and the other leaves it open."""
    files = [side.file for side in (a, b) if side is not None and side.file is not None]
    return {name: said for name in names for file in files if (said := file.rows_of(name))}


def _number(task: Measure, a: Side, b: Side | None, *, minimum: int, metrics: Sequence[str]) -> int:
    """Pictures on each side, checked against what there is."""
    from ganvas.metrics.measuring import metric_catalogue

    if task.n is not None and a.file is not None and a.file.pictures is None and task.n != a.file.n:
        raise UserError(
            f"{a.spec} is a file of statistics of {a.file.n or 'a number that it does not say of'} pictures: -n "
            f"{task.n} cannot choose among them. Leave it out, or measure the pictures themselves."
        )
    there = [side for side in (a, b) if side is not None and side.count is not None]
    given = [side.count or 0 for side in there if side.file is not None]
    drawn = [side for side in there if side.file is None]
    if task.n is not None:
        n = task.n
    elif not there and b is not None:
        n = MOST_OF_TWO_MODELS
    elif given or any(side is not None and side.file for side in (a, b)):
        n = min([MOST_OF_A_FILE, *given, *(side.count or 0 for side in drawn)])
    elif len(pairs.paired(metrics)) == len(metrics):
        n = min(side.count or 0 for side in drawn)  # There is no floor to leave any for.
    else:
        halves = [_half(side) if side is b else side.count or 0 for side in drawn]
        found = min([MOST, *halves])
        n = found if found >= minimum else min([MOST, *(side.count or 0 for side in drawn)])
    short = [side for side in drawn if (side.count or 0) < max(n, minimum)]
    if n < minimum or short:
        few = f"{short[0].spec} has {short[0].count} pictures" if short else f"--n {n} is too few"
        asked = f", and {n} are asked for" if task.n is not None and short else ""
        most = [name for name in metrics if minimum == metric_catalogue.load(name).MINIMUM] or metrics
        need = f"{', '.join(most)} need{'s' if len(most) == 1 else ''} at least {minimum} on each side"
        remedy = "Give more pictures" if short else f"Ask for more: --n {minimum}"
        raise UserError(f"{few}; {need}{asked}. {remedy}{', or a smaller --n.' if n > minimum else '.'}")
    return n


def _half(reals: Side) -> int:
    """So many that as many are left for the floor."""
    return (reals.count or 0) // 2
