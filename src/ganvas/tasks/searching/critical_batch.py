"""``ganvas critical-batch MODEL``: branches of one state with other batch sizes, and where larger ones stop paying."""

import dataclasses
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.tasks.searching.batch_branches import BatchBranch, BranchOutcome, BranchStore, branches, scaled
from ganvas.tasks.searching.batch_result import BatchRow, CriticalBatchResult

if TYPE_CHECKING:
    from ganvas.metrics.maths.critical_batch import Took
    from ganvas.tasks.train import Train

MEASUREMENTS = 32  # Of every branch; between two of them the value is taken to be on a line.
LEGS = (0.125, 0.25, 0.5, 1.0)  # Of its length: a branch that has come to the value is not trained further.
NOISE_BATCHES, CHECK_UPS = 8, 10  # Of the branch on which the gradient noise scale is measured as well.
PART = 0.5  # Of the value where the branches begin, where none is asked for.
JSON, FIGURE = "critical-batch.json", "critical-batch.svg"


@dataclass(frozen=True, kw_only=True)
class CriticalBatchTask:
    """Train branches of one saved state with several batch sizes and rates until a value is reached, and fit the law.

    Steps to the value follow least (1 + B* / B): batches above the critical one, B*, save hardly any steps. Every size
    counts at its best rate, rates are scaled by the root of the size first, and averages keep their horizon in samples.
    The same command resumes, and tries further sizes, rates and seeds.

    Examples:
      ganvas critical-batch gan/wgan_gp --data mixtures:grid25 --from runs/a --metric js --kimg 40 -o batches/a
      ganvas critical-batch gan/dcgan --data photos/ --from runs/b/state/000500.000 --batches 32 128 512 -o batches/b
    """

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """What is trained: the model of the run that the branches leave."""
    data: Annotated[str, tyro.conf.arg(metavar="SRC")]
    """Its samples, as of `ganvas train`."""
    branch: Annotated[Path, tyro.conf.arg(name="from", metavar="STATE")]
    """The state where all branches begin, RUN/state/KIMG, or the newest of RUN."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="FOLDER")]
    """Folder of the branches, of critical-batch.json and of critical-batch.svg; one that is there is resumed."""
    kimg: float
    """Thousands of samples that a branch sees at most behind the state."""
    batches: tuple[int, ...] = (16, 64, 256, 1024)
    """Batch sizes, three or more."""
    factors: tuple[float, ...] = (0.5, 1.0, 2.0)
    """Learning rates of each size, by the run's own times the root of how much larger the size is."""
    seeds: int = 2
    """Branches of each size and rate; the interval comes from two or more."""
    metric: str = "swd"
    """What is measured in training and falls, such as swd or, of points, js."""
    target: float | None = None
    """The value to reach; half of what the run measured last before the state where left out."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """A setting of all branches; may be repeated."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape or size than the model's."""
    device: str = "auto"
    """Where to compute: cpu, cuda, or auto."""
    threads: int | None = None
    """Processor threads of the branches."""
    quiet: bool = False
    """No progress of the branches."""
    dry_run: Annotated[bool, tyro.conf.arg(aliases=["-n"])] = False
    """Show the branches and stop."""


def critical_batch(task: CriticalBatchTask) -> CriticalBatchResult:
    """Trains what is not trained yet, and writes figure and JSON anew after every size.

    Raises:
        UserError: something given cannot be; nothing has been written then.
    """
    from ganvas.core.progress import say

    _require_numbers(task)
    start, config = _begin(task)
    planned = branches(task.batches, task.factors, task.seeds)
    for branch in {one.batch_size: one for one in planned}.values():  # A size that cannot be is refused beforehand.
        _trained(task, start, config, branch, 1.0, dry_run=True)
    store = BranchStore(task.out)
    if task.dry_run:
        return _result(task, start, config, planned, [])
    store.begin(_described(task, start))
    done = store.outcomes()
    for place, branch in enumerate(planned):
        if branch in done:
            continue
        if not task.quiet:
            say(f"Branch {place + 1} of {len(planned)}: {branch.told}")
        outcome = _outcome(task, start, config, store, branch)
        if outcome is None:
            stopped = _written(task, start, config, planned, store)
            return dataclasses.replace(stopped, stopped=True, exit_code=130)
        store.add(outcome)
        _written(task, start, config, planned, store)
    return _written(task, start, config, planned, store)


@dataclass(frozen=True, kw_only=True)
class _Start:
    """Where all branches begin."""

    state: Path
    kimg: float
    value: float | None  # Of the metric, as the run measured it last before the state.
    target: float


def _require_numbers(task: CriticalBatchTask) -> None:
    from ganvas.metrics.maths.critical_batch import FEWEST

    if len(set(task.batches)) < FEWEST or min(task.batches) < 1:
        given = " ".join(map(str, task.batches))
        raise UserError(f"--batches {given}: a law needs {FEWEST} different sizes of 1 or more. Give {FEWEST} or more.")
    if not task.factors or min(task.factors) <= 0:
        given = " ".join(f"{one:g}" for one in task.factors)
        raise UserError(f"--factors {given}: factors of the learning rate are above 0. Give 0.5 1 2, or others.")
    if task.seeds < 1 or task.kimg <= 0:
        raise UserError(f"--seeds {task.seeds} --kimg {task.kimg:g}: both must be above 0.")


def _begin(task: CriticalBatchTask) -> tuple[_Start, dict[str, Any]]:
    """The state and what was measured there, and the settings of its run."""
    from ganvas.tasks.train import train
    from ganvas.tasks.training.branching import branch_point

    point = branch_point(task.branch, model=task.model)
    kimg = float(point.state.name)
    lines = _lines(point.state.parents[1])
    before = [value for at, value in _values(lines, task.metric) if at <= kimg + 5e-4]
    if lines and not before:
        raise UserError(f"--metric {task.metric}: training measures {_names(lines)}. Give one of them.")
    value = before[-1] if before else None
    target = task.target if task.target is not None else None if value is None else PART * value
    if target is None:
        raise UserError(
            f"--from {task.branch}: that run was not measured up to this state, so that half of its {task.metric} is "
            "unknown. Give --target."
        )
    if value is not None and value <= target:
        raise UserError(f"--target {target:g}: {task.metric} is {value:g} at the state already. Give less.")
    start = _Start(state=point.state, kimg=kimg, value=value, target=target)
    found = train(_train(task, start, {}, task.out / "runs" / "new", kimg + task.kimg, dry_run=True))
    return start, found.settings["config"]


def _described(task: CriticalBatchTask, start: _Start) -> dict[str, Any]:
    """What stays the same when a folder is resumed; sizes, rates and seeds may be more."""
    return {
        "model": task.model,
        "data": task.data,
        "state": str(start.state),
        "kimg": task.kimg,
        "metric": task.metric,
        "target": start.target,
        "set": list(task.set),
    }


def _train(
    task: CriticalBatchTask, start: _Start, changes: dict[str, Any], out: Path, kimg: float, *, dry_run: bool
) -> "Train":
    from ganvas.tasks.train import Train

    return Train(
        model=task.model,
        data=task.data,
        out=out,
        branch=start.state,
        kimg=kimg,
        set=(*task.set, *(f"{name}={value}" for name, value in changes.items())),
        fit=task.fit,
        device=task.device,
        threads=task.threads,
        quiet=task.quiet,
        estimate=False,
        dry_run=dry_run,
    )


def _trained(
    task: CriticalBatchTask,
    start: _Start,
    config: dict[str, Any],
    branch: BatchBranch,
    leg: float,
    *,
    dry_run: bool = False,
) -> Any:
    """The branch up to a part of its length; one that is there is resumed."""
    from ganvas.tasks.train import train

    apart = task.kimg / MEASUREMENTS
    own = {"measure_kimg": apart, "sample_kimg": 1000 * (start.kimg + task.kimg), "report_kimg": apart}
    on_the_way = branch == _watched(task, config)
    own |= {"noise_scale": NOISE_BATCHES if on_the_way else 0}
    own |= {"health_kimg": task.kimg / CHECK_UPS if on_the_way else -1}
    changes = own | {"seed": branch.seed} | scaled(config, branch)
    kimg = start.kimg + leg * task.kimg
    return train(_train(task, start, changes, BranchStore(task.out).run_at(branch), kimg, dry_run=dry_run))


def _watched(task: CriticalBatchTask, config: dict[str, Any]) -> BatchBranch:
    """The branch whose batch and rate are nearest to the run's own: the gradient noise scale is measured on it."""
    size = min(task.batches, key=lambda one: abs(one - config["batch_size"]))
    return BatchBranch(batch_size=size, factor=min(task.factors, key=lambda one: abs(one - 1)), seed=1)


def _outcome(
    task: CriticalBatchTask, start: _Start, config: dict[str, Any], store: BranchStore, branch: BatchBranch
) -> BranchOutcome | None:
    """Trains a branch until it has come to the value; None where it was asked to stop."""
    from ganvas.metrics.maths.critical_batch import samples_to

    seconds, kimg = 0.0, None
    for leg in LEGS:
        try:
            result = _trained(task, start, config, branch, leg)
        except TrainingFailed as failure:
            return BranchOutcome(branch=branch, kimg=None, seconds=seconds, cause=str(failure))
        if result.stopped:
            return None
        seconds = result.seconds
        seen = _measured(store.run_at(branch), task.metric)
        first = [] if start.value is None else [(start.kimg, start.value)]
        reached = samples_to(start.target, *zip(*(first + [one for one in seen if one[0] > start.kimg]), strict=True))
        if reached < float("inf"):
            kimg = reached - start.kimg
            break
    return BranchOutcome(branch=branch, kimg=kimg, seconds=seconds, noise_scale=_noise(store.run_at(branch)))


def _measured(run: Path, metric: str) -> list[tuple[float, float]]:
    """Thousands of samples and values.

    Raises:
        UserError: training does not measure it.
    """
    found = _values(_lines(run), metric)
    if not found:
        raise UserError(f"--metric {metric}: training measures {_names(_lines(run))}. Give one of them.")
    return found


def _lines(run: Path) -> list[dict[str, Any]]:
    """What training has measured."""
    from ganvas.core.run_folder import MEASURES, RunFolder

    return [line for line in RunFolder(run).lines(MEASURES) if line.get("source") == "training"]


def _names(lines: list[dict[str, Any]]) -> str:
    return ", ".join(dict.fromkeys(one["metric"] for line in lines for one in line["results"])) or "nothing"


def _values(lines: list[dict[str, Any]], metric: str) -> list[tuple[float, float]]:
    return [
        (line["nimg"] / 1000, one["value"])
        for line in lines
        for one in line.get("results", ())
        if one.get("metric") == metric and one.get("value") is not None
    ]


def _noise(run: Path) -> dict[str, float]:
    """Medians of the gradient noise scales over the check-ups of a branch; nothing where there are none."""
    from statistics import median

    from ganvas.core.run_folder import HEALTH, RunFolder

    prefix, found = "noise_scale/", dict[str, list[float]]()
    for line in RunFolder(run).lines(HEALTH):
        for name, value in line.get("signs", {}).items():
            if name.startswith(prefix) and isinstance(value, float):
                found.setdefault(name.removeprefix(prefix), []).append(value)
    return {name: median(values) for name, values in found.items()}


def _result(
    task: CriticalBatchTask,
    start: _Start,
    config: dict[str, Any],
    planned: list[BatchBranch],
    outcomes: list[BranchOutcome],
) -> CriticalBatchResult:
    from ganvas.metrics.maths import critical_batch as law

    took = _took(task, outcomes)
    result = CriticalBatchResult(
        out=task.out,
        model=task.model,
        data=task.data,
        state=start.state,
        metric=task.metric,
        target=start.target,
        done=len(outcomes),
        planned=len(planned),
        rows=[_row(size, took.get(size, {}), config) for size in sorted(set(task.batches))],
        noise_scale=next((one.noise_scale for one in outcomes if one.noise_scale), {}),
    )
    try:
        found = law.critical_batch(took)
    except UserError as reason:
        return dataclasses.replace(result, note=str(reason), exit_code=0 if task.dry_run else 1)
    return dataclasses.replace(
        result,
        critical_batch=found.batch,
        interval=law.interval(took, rng=_rng(task)),
        least_steps=found.least_steps,
        least_kimg=found.least_samples / 1000,
        among=found.is_among(list(law.best_rates(took))),
    )


def _rng(task: CriticalBatchTask) -> Any:
    import numpy as np

    from ganvas.core.hashes.derived_seeds import derive_seed

    return np.random.default_rng(derive_seed(task.seeds, "bootstrap"))


def _took(task: CriticalBatchTask, outcomes: list[BranchOutcome]) -> "Took":
    """Samples by size, factor and seed."""
    took: dict[int, dict[float, list[float]]] = {}
    for one in outcomes:
        if one.branch.batch_size in task.batches and one.branch.factor in task.factors:
            samples = float("inf") if one.kimg is None else 1000 * one.kimg
            took.setdefault(one.branch.batch_size, {}).setdefault(one.branch.factor, []).append(samples)
    return took


def _row(size: int, by_factor: Mapping[float, Sequence[float]], config: dict[str, Any]) -> BatchRow:
    from statistics import median

    from ganvas.metrics.maths.critical_batch import best_rates

    factor = best_rates({size: by_factor}).get(size) if by_factor else None
    tried = by_factor[factor] if factor is not None else [one for of in by_factor.values() for one in of]
    samples = median(tried) if factor is not None else None
    shown = BatchBranch(batch_size=size, factor=1.0 if factor is None else factor, seed=1)
    return BatchRow(
        batch_size=size,
        factor=factor,
        settings={name: value for name, value in scaled(config, shown).items() if name != "batch_size"},
        steps=None if samples is None else samples / size,
        kimg=None if samples is None else samples / 1000,
        reached=sum(one < float("inf") for one in tried),
        branches=len(tried),
        at_the_edge=factor is not None and len(by_factor) > 1 and factor in (min(by_factor), max(by_factor)),
    )


def _written(
    task: CriticalBatchTask, start: _Start, config: dict[str, Any], planned: list[BatchBranch], store: BranchStore
) -> CriticalBatchResult:
    from ganvas.core.files.atomic_files import write_json
    from ganvas.report.drawing.drawing import write
    from ganvas.tasks.searching.batch_figure import figure

    outcomes = store.outcomes()
    result = _result(task, start, config, planned, list(outcomes.values()))
    plain = dataclasses.asdict(result) | {"out": str(task.out), "state": str(start.state)}
    write_json(task.out / JSON, plain | {"branches": [one.plain() for one in outcomes.values()]})
    if any(row.steps is not None for row in result.rows):
        write(figure(result, _took(task, list(outcomes.values()))), task.out / FIGURE)
    return result
