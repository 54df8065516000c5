"""The command line: parse, call one task, render. No mathematics, and no torch until a task needs it."""

import dataclasses
import json
import math
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any

import tyro
from tyro.conf import OmitArgPrefixes, OmitSubcommandPrefixes, subcommand

from ganvas.cli import (  # noqa: F401  (registers what it shows)
    render,
    render_anatomy,
    render_diagram,
    render_features,
    render_fields,
    render_likelihood,
    render_measure,
    render_rewrite,
    render_signal,
    render_skill,
)
from ganvas.cli.interrupts import wait_for_imports
from ganvas.cli.warnings_shown import asides
from ganvas.core.errors import TrainingFailed, UserError, did_you_mean
from ganvas.core.progress import say
from ganvas.tasks import collapse as collapse_tasks
from ganvas.tasks import compare_kernels as compare_kernels_tasks
from ganvas.tasks import data as data_tasks
from ganvas.tasks import diagram as diagram_tasks
from ganvas.tasks import features as features_tasks
from ganvas.tasks import grid as grid_tasks
from ganvas.tasks import likelihood as likelihood_tasks
from ganvas.tasks import measure as measure_tasks
from ganvas.tasks import metrics as metrics_tasks
from ganvas.tasks import models as models_tasks
from ganvas.tasks import receptive_field as receptive_field_tasks
from ganvas.tasks import report as report_tasks
from ganvas.tasks import rewrite as rewrite_tasks
from ganvas.tasks import sample as sample_tasks
from ganvas.tasks import signal as signal_tasks
from ganvas.tasks import skill as skill_tasks
from ganvas.tasks import stats as stats_tasks
from ganvas.tasks import table as table_tasks
from ganvas.tasks import train as train_tasks


@dataclasses.dataclass(frozen=True, kw_only=True)
class Data:
    """Look into a source of pictures, pack it into one file, or fetch a well-known set."""

    action: (
        Annotated[data_tasks.Describe, subcommand("describe")]
        | Annotated[data_tasks.Pack, subcommand("pack")]
        | Annotated[data_tasks.Fetch, subcommand("fetch")]
    )


@dataclasses.dataclass(frozen=True, kw_only=True)
class Features:
    """List the networks that pictures are compared by, fetch their weights, or train one on your own pictures."""

    action: (
        Annotated[features_tasks.List, subcommand("list")]
        | Annotated[features_tasks.Fetch, subcommand("fetch")]
        | Annotated[features_tasks.Train, subcommand("train")]
    ) = dataclasses.field(default_factory=features_tasks.List)


Command = (
    Annotated[train_tasks.Train, subcommand("train")]
    | Annotated[sample_tasks.Sample, subcommand("sample")]
    | Annotated[sample_tasks.Interpolate, subcommand("interpolate")]
    | Annotated[measure_tasks.Measure, subcommand("measure")]
    | Annotated[stats_tasks.Stats, subcommand("stats")]
    | Annotated[skill_tasks.Skill, subcommand("skill")]
    | Annotated[likelihood_tasks.Likelihood, subcommand("likelihood")]
    | Annotated[report_tasks.Report, subcommand("report")]
    | Annotated[table_tasks.Table, subcommand("table")]
    | Annotated[diagram_tasks.Diagram, subcommand("diagram")]
    | Annotated[receptive_field_tasks.ReceptiveField, subcommand("receptive-field")]
    | Annotated[grid_tasks.Grid, subcommand("grid")]
    | Annotated[signal_tasks.SignalTask, subcommand("signal")]
    | Annotated[compare_kernels_tasks.CompareKernels, subcommand("compare-kernels")]
    | Annotated[collapse_tasks.CollapseTask, subcommand("collapse")]
    | Annotated[rewrite_tasks.Rewrite, subcommand("rewrite")]
    | Annotated[Data, subcommand("data")]
    | Annotated[Features, subcommand("features")]
    | Annotated[models_tasks.Models, subcommand("models")]
    | Annotated[metrics_tasks.Metrics, subcommand("metrics")]
)
VERBS = (
    "train",
    "sample",
    "interpolate",
    "measure",
    "stats",
    "skill",
    "likelihood",
    "report",
    "table",
    "diagram",
    "receptive-field",
    "grid",
    "signal",
    "compare-kernels",
    "collapse",
    "rewrite",
    "data",
    "features",
    "models",
    "metrics",
)

TASKS = {
    train_tasks.Train: train_tasks.train,
    sample_tasks.Sample: sample_tasks.sample,
    sample_tasks.Interpolate: sample_tasks.interpolate,
    measure_tasks.Measure: measure_tasks.measure,
    stats_tasks.Stats: stats_tasks.stats,
    skill_tasks.Skill: skill_tasks.skill,
    likelihood_tasks.Likelihood: likelihood_tasks.likelihood,
    report_tasks.Report: report_tasks.report,
    table_tasks.Table: table_tasks.table,
    diagram_tasks.Diagram: diagram_tasks.diagram,
    receptive_field_tasks.ReceptiveField: receptive_field_tasks.receptive_field,
    grid_tasks.Grid: grid_tasks.grid,
    signal_tasks.SignalTask: signal_tasks.signal,
    compare_kernels_tasks.CompareKernels: compare_kernels_tasks.compare_kernels,
    collapse_tasks.CollapseTask: collapse_tasks.collapse,
    rewrite_tasks.Rewrite: rewrite_tasks.rewrite,
    data_tasks.Describe: data_tasks.describe,
    data_tasks.Pack: data_tasks.pack,
    data_tasks.Fetch: data_tasks.fetch,
    features_tasks.List: features_tasks.list_networks,
    features_tasks.Fetch: features_tasks.fetch,
    features_tasks.Train: features_tasks.train,
    models_tasks.Models: models_tasks.models,
    metrics_tasks.Metrics: metrics_tasks.metrics,
}


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs one command and exits.

    0 done, 1 training failed or what was asked does not hold, 2 a mistake in what was given, 130 stopped by Ctrl-C.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # Before torch: idle threads must not spin.
    wait_for_imports()
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given and not given[0].startswith("-") and given[0] not in VERBS:
        say(f"Error: There is no command '{given[0]}'.{did_you_mean(given[0], VERBS)} Commands: {', '.join(VERBS)}.")
        sys.exit(2)
    task: Any = tyro.cli(
        Command,  # type: ignore[arg-type]
        prog="ganvas",
        description="From a folder of pictures to a generative model, and from the model to understanding.",
        args=given,
        config=(OmitArgPrefixes, OmitSubcommandPrefixes, tyro.conf.FlagCreatePairsOff),
    )
    task = task.action if isinstance(task, Data | Features) else task
    sys.exit(run(task))


def run(task: Any) -> int:
    """Calls the task, shows its result, and says its exit code."""
    trains = isinstance(task, train_tasks.Train | features_tasks.Train)
    out = sys.stdout
    if out is None:  # So Python says that it was closed before the start. Said before any work, which would be lost.
        say("Error: Standard output is closed, and results go there. Leave it open, or send it away: > /dev/null.")
        return 2
    with asides(at_once=trains):
        return _run(task, out)


def _run(task: Any, out: Any) -> int:
    try:
        result = TASKS[type(task)](task)
        render.show(result)
        _write(result, out)
    except UserError as error:
        say(f"Error: {error}")
        return 2
    except TrainingFailed as error:
        say(f"Error: {error}")
        return 1
    except KeyboardInterrupt:
        say("Stopped.")
        return 130
    except BrokenPipeError:  # Whoever read the output has read enough.
        _discard(out)
        return 0
    except OSError as error:  # Of a path that no task foresaw: it is still the path that is to be changed.
        if error.filename is None:
            raise
        say(f"Error: {error.filename}: {error.strerror}. Choose a path that is there and can be read and written.")
        return 2
    if isinstance(result, train_tasks.TrainResult) and result.stopped:
        return 130
    return getattr(result, "exit_code", 0)


def _write(result: Any, out: Any) -> None:
    """The result on stdout: in a format that was asked for, or as JSON unless the person has just read it."""
    printed = getattr(result, "printed", None)
    if printed is None and not _is_on_screen(result, out):
        printed = json.dumps(plain(result), indent=2) + "\n"
    try:
        out.write(printed or "")
        out.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard(out)
        reason = error.strerror or str(error)
        raise UserError(f"Standard output cannot be written: {reason}. Send it elsewhere: > FILE.") from error


def _discard(out: Any) -> None:
    """Sends what is still held for stdout nowhere: Python would try once more at its end, and complain."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), out.fileno())


def _is_on_screen(result: Any, out: Any) -> bool:
    """Whether the person has just read it: JSON behind it on the same terminal would only push it off the screen."""
    return out.isatty() and sys.stderr.isatty() and render.has_form(result)


def plain(value: Any) -> Any:
    """A result as JSON can hold it."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, dict):
        return {_key(key): plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(item) for item in value]
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):  # JSON has no name for it.
        return None
    return value


def _key(key: Any) -> str:
    return "x".join(map(str, key)) if isinstance(key, tuple) else str(key)
