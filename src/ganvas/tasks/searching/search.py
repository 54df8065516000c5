"""``ganvas search MODEL``: many settings of one model under a budget, and how good the best of k of them is."""

import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.errors import TrainingFailed, UserError
from ganvas.core.ranges import Range, parse_ranges
from ganvas.tasks.searching.search_folder import PAGE, SearchFolder, Trial

if TYPE_CHECKING:
    from ganvas.report.web.search_page import SearchPage, WithSeeds

SETTINGS = 24


@dataclass(frozen=True, kw_only=True)
class Search:
    """Try settings of a model drawn from ranges, each in a run of its own; the same command resumes, or tries more.

    The first setting is the one that `ganvas train` would take. Reports the best, and what the best of k settings is
    expected to score, with an interval: how good a model is depends on how many settings were tried.

    Examples:
      ganvas search gan/dcgan --data photos/ --preset small --kimg 20 --settings 24 -o searches/dcgan
      ganvas search gan/wgan_gp --data photos/ --kimg 50 --range lr=1e-5..1e-3:log --range critic_moves=1,5 -o s
      ganvas search gan/wgan --data triangles:20000,28x28 --recipe created-equal-wide -o searches/wide
      ganvas search gan/dcgan --data photos/ --preset small --kimg 20 --settings 24 --seeds 5 -o searches/dcgan
    """

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """What to train: a name from `ganvas models`."""
    data: Annotated[str, tyro.conf.arg(metavar="SRC")]
    """The pictures, as of `ganvas train`."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="SEARCH")]
    """Folder of the search; one that is there goes on."""
    settings: int | None = None
    """How many settings are tried; more than before goes on with an old search. Left out: 24, or as many as an old
    search was asked for."""
    seeds: int | None = None
    """Train the best of all settings again with so many other seeds: mean, deviation and interval of what it scores."""
    kimg: float | None = None
    """Thousands of real pictures that each run shows; the preset's length where left out."""
    preset: str | None = None
    """The settings to start from."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """A setting that is the same in all runs; may be repeated."""
    range: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=RANGE")] = ()
    """What a field is drawn from: LOW..HIGH, LOW..HIGH:log, or A,B,C; takes the place of the model's usual ranges."""
    recipe: str | None = None
    """Ranges, fixed settings and number of a published search: created-equal-wide, created-equal-narrow,
    created-equal-seeds (wide, then the best with 50 seeds), and each with -as-coded behind it for the games as the
    study's code has them."""
    method: Literal["random", "tpe"] = "random"
    """random; or tpe, optuna's optimiser, which learns from the settings before (pip install 'ganvas[search]')."""
    metric: str = "swd"
    """What decides: a metric that is measured in training, or one of `ganvas metrics`, of the last model."""
    held_out: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Pictures that are never trained on, as of `ganvas train`."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape or size than the model's."""
    seed: int = 0
    """Of the settings that are drawn. Every run has the seed of its preset."""
    device: str = "auto"
    """Where to compute: cpu, cuda, or auto."""
    threads: int | None = None
    """Processor threads of the runs."""
    quiet: bool = False
    """No progress of the runs."""
    dry_run: Annotated[bool, tyro.conf.arg(aliases=["-n"])] = False
    """Show the ranges and stop."""


@dataclass(frozen=True, kw_only=True)
class SearchResult:
    """What was found; ``printed`` is the table of all settings, best first."""

    out: Path
    page: Path | None
    tried: int
    settings: int
    seeds: int
    metric: str
    ranges: dict[str, str]
    best: dict[str, Any] | None = None  # The best trial.
    expected_best: list[float] = field(default_factory=list)  # Of k = 1, 2, ... settings.
    interval: list[tuple[float, float]] = field(default_factory=list)  # 95 %, by bootstrap.
    command: str = ""  # That trains the best again.
    with_seeds: "WithSeeds | None" = None  # What the best scores with other seeds, where they were asked for.
    printed: str | None = None
    stopped: bool = False
    exit_code: int = 0


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """What the task comes to once recipe and model have had their say."""

    ranges: dict[str, Range]
    settings: int
    seeds: int
    fixed: tuple[str, ...]
    kimg: float | None
    seed: int = 0  # Of every run but those of other seeds.


def search(task: Search) -> SearchResult:
    """Trains setting after setting, and notes each when it is done; the page is written anew after each."""
    from ganvas.core.progress import say

    if task.settings is not None and task.settings < 1:
        raise UserError(f"--settings {task.settings}: at least one setting must be tried.")
    if task.seeds is not None and (task.seeds < 0 or task.seeds == 1):
        raise UserError(f"--seeds {task.seeds}: one run has no deviation. Take at least 2, or 0 for none.")
    if task.method == "tpe":
        from ganvas.tasks.searching.proposals import require_optuna

        require_optuna()
    folder = SearchFolder(task.out)
    plan = _planned(task, folder)
    shown = {name: str(one) for name, one in plan.ranges.items()}
    if task.dry_run:
        return SearchResult(
            out=task.out,
            page=None,
            tried=0,
            settings=plan.settings,
            seeds=plan.seeds,
            metric=task.metric,
            ranges=shown,
        )
    folder.begin(_described(task, plan))
    for index in range(plan.settings):
        done = {trial.index: trial for trial in folder.trials()}
        if index in done:
            continue
        changes = _changes(task, plan, list(done.values()), index)
        if not task.quiet:
            said = ", ".join(f"{name}={_short(value)}" for name, value in changes.items()) or "the default"
            say(f"Setting {index + 1} of {plan.settings}: {said}")
        trial = _tried(task, plan, folder, Trial(index=index, changes=changes, status="finished", value=None))
        if trial is None:
            return dataclasses.replace(_result(task, plan, folder), stopped=True, exit_code=130)
        folder.add(trial)
        _write(task, plan, folder)
    stopped = not _try_seeds(task, plan, folder)
    return dataclasses.replace(_result(task, plan, folder), stopped=stopped, exit_code=130 if stopped else 0)


def _try_seeds(task: Search, plan: _Plan, folder: SearchFolder) -> bool:
    """Trains the best setting with seeds that it was not chosen by; False where it was asked to stop."""
    from ganvas.core.progress import say

    best = _best(folder.trials(), lower_is_better=_lower(task))
    if best is None:
        return True
    for number in range(1, plan.seeds + 1):
        seed = plan.seed + number
        if seed in {trial.seed for trial in folder.with_seeds(best.index)}:
            continue
        if not task.quiet:
            say(f"Setting {best.index:03d}, the best, with seed {seed}: {number} of {plan.seeds}")
        again = Trial(index=best.index, changes=best.changes, status="finished", value=None, seed=seed)
        trial = _tried(task, plan, folder, again)
        if trial is None:
            return False
        folder.add(trial)
        _write(task, plan, folder)
    return True


def _planned(task: Search, folder: SearchFolder) -> _Plan:
    """Ranges, number and fixed settings; what cannot be is refused before anything is written."""
    from ganvas.core import catalogue
    from ganvas.train.search import created_equal_searches
    from ganvas.train.search.ranges_of_models import ranges_of

    module = catalogue.load("models", task.model)
    found = created_equal_searches.recipe(task.recipe, task.model) if task.recipe else None
    fixed = tuple(f"{name}={value}" for name, value in (found.fixed if found else {}).items()) + task.set
    kimg = task.kimg if task.kimg is not None or found is None or task.preset else created_equal_searches.KIMG
    _require_no_fewer(task, folder)
    settings = task.settings or folder.asked_for() or (found.settings if found else SETTINGS)
    seeds = task.seeds if task.seeds is not None else (found.seeds if found else 0)
    plan = _Plan(ranges={}, settings=settings, seeds=seeds, fixed=fixed, kimg=kimg)
    resolved = _train(task, plan, task.out / "runs" / "new", {}, dry_run=True).settings
    config = resolved["config"]
    given = parse_ranges(task.range)
    unknown = [name for name in given if name not in config]
    if unknown:
        raise UserError(f"--range {unknown[0]}: {task.model} has no such field. Fields: {', '.join(config)}.")
    set_already = {text.partition("=")[0].replace("-", "_") for text in fixed}
    ranges = given or (dict(found.ranges) if found else ranges_of(module, config))
    ranges = {name: one for name, one in ranges.items() if name not in set_already}
    if not ranges:
        raise UserError(f"{task.model} has no field that searches usually vary. Give ranges: --range FIELD=LOW..HIGH.")
    return dataclasses.replace(plan, ranges=ranges, seed=resolved["plan"]["seed"])


def _require_no_fewer(task: Search, folder: SearchFolder) -> None:
    """Of settings that are tried already, none is forgotten: the best of them all is the best."""
    tried = len(folder.trials())
    if task.settings is not None and task.settings < tried:
        raise UserError(
            f"--settings {task.settings}: {task.out} has tried {tried} already. Leave it out, or choose another --out."
        )


def _described(task: Search, plan: _Plan) -> dict[str, Any]:
    return {
        "model": task.model,
        "data": task.data,
        "held_out": task.held_out,
        "preset": task.preset,
        "kimg": plan.kimg,
        "set": list(plan.fixed),
        "ranges": {name: str(one) for name, one in plan.ranges.items()},
        "method": task.method,
        "metric": task.metric,
        "seed": task.seed,
        "settings": plan.settings,
        "seeds": plan.seeds,
    }


def _changes(task: Search, plan: _Plan, done: list[Trial], index: int) -> dict[str, Any]:
    """What a setting changes; the first changes nothing."""
    from ganvas.tasks.searching.proposals import proposed_setting, random_setting

    if index == 0:
        return {}
    if task.method == "random":
        return random_setting(plan.ranges, seed=task.seed, index=index)
    return proposed_setting(plan.ranges, done, seed=task.seed, index=index, lower_is_better=_lower(task))


def _lower(task: Search) -> bool:
    from ganvas.metrics.likelihood.density import METRIC
    from ganvas.metrics.measuring import metric_catalogue

    name = task.metric.partition(".")[0]
    return name == METRIC or metric_catalogue.load(name).BETTER != "higher"


def _train(
    task: Search,
    plan: _Plan,
    out: Path,
    changes: Mapping[str, Any],
    *,
    seed: int | None = None,
    dry_run: bool = False,
) -> Any:
    from ganvas.tasks.train import Train, train

    return train(
        Train(
            model=task.model,
            data=task.data,
            held_out=task.held_out,
            out=out,
            preset=task.preset,
            kimg=plan.kimg,
            set=plan.fixed + tuple(f"{name}={value}" for name, value in changes.items()),
            seed=seed,
            fit=task.fit,
            device=task.device,
            threads=task.threads,
            quiet=task.quiet,
            dry_run=dry_run,
        )
    )


def _tried(task: Search, plan: _Plan, folder: SearchFolder, trial: Trial) -> Trial | None:
    """Trains one setting to its end, and says how it ended; None where it was asked to stop."""
    out = folder.run_at(trial.index, trial.seed)
    try:
        if trial.index:
            _train(task, plan, folder.path / "runs" / "new", trial.changes, dry_run=True)
    except UserError as refusal:
        return dataclasses.replace(trial, status="refused", cause=str(refusal))
    try:
        result = _train(task, plan, out, trial.changes, seed=trial.seed)
    except TrainingFailed as failure:
        return dataclasses.replace(trial, status="diverged", cause=str(failure), start=_measured(task, out)[2])
    if result.stopped:
        return None
    value, error, start = _measured(task, out)
    if value is None:
        value, error = _measure_last(task, out)
    return dataclasses.replace(trial, value=value, standard_error=error, start=start, seconds=result.seconds)


def _measured(task: Search, out: Path) -> tuple[float | None, float | None, float | None]:
    """Last value with its error, and first value, of the metric, as training measured it."""
    from ganvas.core.run_folder import MEASURES, RunFolder

    found = [
        result
        for line in RunFolder(out).lines(MEASURES)
        if line.get("source") == "training"
        for result in line.get("results", ())
        if result.get("metric") == task.metric and result.get("value") is not None
    ]
    if not found:
        return None, None, None
    return found[-1]["value"], found[-1].get("standard_error"), found[0]["value"]


def _measure_last(task: Search, out: Path) -> tuple[float, float | None]:
    from ganvas.tasks.measure import Measure, measure

    found = measure(Measure(a=str(out), metrics=(task.metric.partition(".")[0],), device=task.device, quiet=task.quiet))
    result = next((one for one in found.results if one.metric == task.metric), None)
    if result is None:
        raise UserError(f"--metric {task.metric}: `ganvas measure` gives {', '.join(r.metric for r in found.results)}.")
    return result.value, result.standard_error


def counted(trials: list[Trial], *, lower_is_better: bool) -> list[float]:
    """One value per trial for the curve of the best of k: a run that did not finish counts as an untrained net.

    >>> broken = Trial(index=1, changes={}, status="diverged", value=None, start=9.0)
    >>> counted([Trial(index=0, changes={}, status="finished", value=4.0, start=8.0), broken], lower_is_better=True)
    [4.0, 9.0]
    """
    known = [one for trial in trials for one in (trial.value, trial.start) if one is not None]
    if not known:
        return []
    worst = max(known) if lower_is_better else min(known)
    unfinished = [worst if trial.start is None else trial.start for trial in trials]
    return [end if trial.value is None else trial.value for trial, end in zip(trials, unfinished, strict=True)]


def _result(task: Search, plan: _Plan, folder: SearchFolder) -> SearchResult:
    from ganvas.report.web import search_page

    page = _write(task, plan, folder)
    trials = folder.trials()
    best = _best(trials, lower_is_better=_lower(task))
    return SearchResult(
        out=task.out,
        page=task.out / PAGE,
        tried=len(trials),
        settings=plan.settings,
        seeds=plan.seeds,
        metric=task.metric,
        ranges={name: str(one) for name, one in plan.ranges.items()},
        best=None if best is None else dataclasses.asdict(best),
        expected_best=list(page.expected),
        interval=list(zip(page.low, page.high, strict=True)),
        command=page.command,
        with_seeds=page.with_seeds,
        printed=search_page.text(page),
    )


def _write(task: Search, plan: _Plan, folder: SearchFolder) -> "SearchPage":
    """The page and the CSV of what is done so far."""
    from ganvas.core.files.atomic_files import write_text
    from ganvas.report.web import search_page

    page = _page(task, plan, folder)
    write_text(folder.path / PAGE, search_page.html(page))
    write_text(folder.path / "search.csv", search_page.as_csv(page))
    return page


def _page(task: Search, plan: _Plan, folder: SearchFolder) -> "SearchPage":
    import numpy as np

    from ganvas.core.hashes.derived_seeds import derive_seed
    from ganvas.metrics.maths.best_of_k import bootstrap_interval, expected_best
    from ganvas.report.web.search_page import SearchPage, TriedSetting

    lower, trials = _lower(task), folder.trials()
    values = np.array(counted(trials, lower_is_better=lower), float)
    rng = np.random.default_rng(derive_seed(task.seed, "bootstrap"))
    low, high = bootstrap_interval(values, lower_is_better=lower, rng=rng) if len(values) else (values, values)
    best = _best(trials, lower_is_better=lower)
    return SearchPage(
        model=task.model,
        data=task.data,
        metric=task.metric,
        lower_is_better=lower,
        random=task.method == "random",
        ranges={name: str(one) for name, one in plan.ranges.items()},
        rows=[
            TriedSetting(
                **{key: value for key, value in dataclasses.asdict(trial).items() if key not in ("start", "seed")}
            )
            for trial in trials
        ],
        expected=(expected_best(values, lower_is_better=lower) if len(values) else values).tolist(),
        low=low.tolist(),
        high=high.tolist(),
        settings=plan.settings,
        command="" if best is None else _command(task, plan, best),
        with_seeds=None if best is None else _with_seeds(task, best, folder.with_seeds(best.index)),
    )


def _with_seeds(task: Search, best: Trial, trials: list[Trial]) -> "WithSeeds | None":
    """Mean and deviation over seeds; one that diverged counts as the net before its first step."""
    import numpy as np

    from ganvas.core.hashes.derived_seeds import derive_seed
    from ganvas.metrics.maths.best_of_k import bootstrap_interval
    from ganvas.report.web.search_page import WithSeeds

    lower = _lower(task)
    values = np.array(counted(trials, lower_is_better=lower), float)
    if len(values) < 2:
        return None
    rng = np.random.default_rng(derive_seed(task.seed, "bootstrap of seeds"))
    low, high = bootstrap_interval(values, lower_is_better=lower, rng=rng)  # The best of one is the mean.
    return WithSeeds(
        index=best.index,
        seeds=len(trials),
        diverged=sum(trial.value is None for trial in trials),
        mean=float(values.mean()),
        deviation=float(values.std(ddof=1)),
        low=float(low[0]),
        high=float(high[0]),
    )


def _best(trials: list[Trial], *, lower_is_better: bool) -> Trial | None:
    finished = [trial for trial in trials if trial.value is not None and math.isfinite(trial.value)]
    sign = 1 if lower_is_better else -1
    return min(finished, key=lambda trial: sign * (trial.value or 0.0), default=None)


def _command(task: Search, plan: _Plan, best: Trial) -> str:
    import shlex

    words = ["ganvas", "train", task.model, "--data", task.data, "--out", f"runs/{task.model.rpartition('/')[2]}"]
    words += ["--preset", task.preset] if task.preset else []
    words += ["--kimg", f"{plan.kimg:g}"] if plan.kimg is not None else []
    words += ["--held-out", task.held_out] if task.held_out else []
    words += ["--fit", task.fit] if task.fit != "refuse" else []
    changes = [*plan.fixed, *(f"{name}={value}" for name, value in best.changes.items())]
    return shlex.join([*words, *(word for change in changes for word in ("--set", change))])


def _short(value: Any) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)
