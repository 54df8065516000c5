"""Table of verbs: the name of each, its task and the function that does it. Every shell reads it.

A task is a dataclass: its docstring and its fields are the help of a command line and the form of a page. Nothing here
imports torch; functions do when they are called.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from ganvas.core.errors import UserError, did_you_mean
from ganvas.tasks import data, launch, likelihood, measure, memorisation, report, sample, serve, skill, stats, train
from ganvas.tasks.advising import advise
from ganvas.tasks.catalogues import features, metrics, models
from ganvas.tasks.claiming import claim, claims
from ganvas.tasks.comparing import compare
from ganvas.tasks.latents import directions, disentanglement, dissect, invert
from ganvas.tasks.networks import collapse, compare_kernels, diagram, grid, receptive_field, rewrite, signal, table
from ganvas.tasks.pictures import detect, edit, inpaint, paint, segment, translate
from ganvas.tasks.searching import critical_batch, search


@dataclass(frozen=True, kw_only=True)
class Verb:
    """Something that a person can ask for."""

    name: str  # As it is typed, in one word, or in two where several verbs are a group or one goes on with another.
    task: type[Any]
    run: Callable[[Any], Any]
    hours: bool = False  # Takes hours: what is worth saying is said at once, since the end may never come.


@dataclass(frozen=True, kw_only=True)
class VerbGroup:
    """Verbs that share their first word."""

    name: str
    summary: str
    default: Any = None  # The task that the first word alone stands for.


VERBS = (
    Verb(name="train", task=train.Train, run=train.train, hours=True),
    Verb(name="advise", task=advise.Advise, run=advise.advise),
    Verb(name="sample", task=sample.Sample, run=sample.sample),
    Verb(name="interpolate", task=sample.Interpolate, run=sample.interpolate),
    Verb(name="translate", task=translate.Translate, run=translate.translate),
    Verb(name="inpaint", task=inpaint.Inpaint, run=inpaint.inpaint),
    Verb(name="edit", task=edit.Edit, run=edit.edit),
    Verb(name="paint", task=paint.PaintTask, run=paint.paint),
    Verb(name="segment", task=segment.Segment, run=segment.segment),
    Verb(name="detect", task=detect.Detect, run=detect.detect),
    Verb(name="measure", task=measure.Measure, run=measure.measure),
    Verb(name="stats", task=stats.Stats, run=stats.stats),
    Verb(name="stats merge", task=stats.StatsMerge, run=stats.merge_stats),
    Verb(name="skill", task=skill.Skill, run=skill.skill),
    Verb(name="likelihood", task=likelihood.Likelihood, run=likelihood.likelihood),
    Verb(name="compare", task=compare.Compare, run=compare.compare),
    Verb(name="search", task=search.Search, run=search.search, hours=True),
    Verb(
        name="critical-batch",
        task=critical_batch.CriticalBatchTask,
        run=critical_batch.critical_batch,
        hours=True,
    ),
    Verb(name="serve", task=serve.Serve, run=serve.serve, hours=True),
    Verb(name="report", task=report.Report, run=report.report),
    Verb(name="table", task=table.Table, run=table.table),
    Verb(name="diagram", task=diagram.Diagram, run=diagram.diagram),
    Verb(name="receptive-field", task=receptive_field.ReceptiveField, run=receptive_field.receptive_field),
    Verb(name="grid", task=grid.Grid, run=grid.grid),
    Verb(name="signal", task=signal.SignalTask, run=signal.signal),
    Verb(name="compare-kernels", task=compare_kernels.CompareKernels, run=compare_kernels.compare_kernels),
    Verb(name="collapse", task=collapse.CollapseTask, run=collapse.collapse),
    Verb(name="claims", task=claims.ClaimsTask, run=claims.claims),
    Verb(name="claim", task=claim.ClaimTask, run=claim.claim),
    Verb(name="dissect", task=dissect.Dissect, run=dissect.dissect),
    Verb(name="directions", task=directions.Directions, run=directions.directions),
    Verb(name="invert", task=invert.Invert, run=invert.invert),
    Verb(name="disentanglement", task=disentanglement.DisentanglementTask, run=disentanglement.disentanglement),
    Verb(name="memorisation", task=memorisation.Memorisation, run=memorisation.memorisation),
    Verb(name="rewrite", task=rewrite.Rewrite, run=rewrite.rewrite),
    Verb(name="data describe", task=data.Describe, run=data.describe),
    Verb(name="data pack", task=data.Pack, run=data.pack),
    Verb(name="data export", task=data.Export, run=data.export),
    Verb(name="data fetch", task=data.Fetch, run=data.fetch),
    Verb(name="features list", task=features.List, run=features.list_networks),
    Verb(name="features fetch", task=features.Fetch, run=features.fetch),
    Verb(name="features train", task=features.Train, run=features.train, hours=True),
    Verb(name="launch slurm", task=launch.LaunchSlurm, run=launch.launch_slurm),
    Verb(name="models", task=models.Models, run=models.models),
    Verb(name="metrics", task=metrics.Metrics, run=metrics.metrics),
)
GROUPS = (
    VerbGroup(name="data", summary="Look into a source of pictures, pack it into one file, or fetch a well-known set."),
    VerbGroup(
        name="features",
        summary="List the networks that pictures are compared by, fetch their weights, or train one on your own "
        "pictures.",
        default=features.List(),
    ),
    VerbGroup(name="launch", summary="Print a job file that trains on the machines of a cluster."),
)
# What other tools call it, or what people try first.
MEANT = {
    "export": "`ganvas rewrite` writes a network as ONNX, as a .pt2 file or as plain PyTorch.",
    "onnx": "`ganvas rewrite` writes a network as ONNX, as a .pt2 file or as plain PyTorch.",
    "resume": "The same `ganvas train` command resumes a run where it was stopped.",
    "continue": "The same `ganvas train` command resumes a run where it was stopped.",
    "generate": "`ganvas sample RUN` draws pictures.",
    "evaluate": "`ganvas measure RUN` measures a run against its own pictures.",
    "eval": "`ganvas measure RUN` measures a run against its own pictures.",
    "summary": "`ganvas table MODEL` lists the layers of a network.",
    "fill": "`ganvas inpaint RUN PICTURES --masks MASKS -o OUT` fills holes in pictures.",
    "fid": "`ganvas measure FAKES REALS --metrics fid` computes it.",
    "recommend": "`ganvas advise SRC` says what to train on pictures.",
    "tune": "`ganvas search MODEL` tries settings drawn from ranges.",
    "sweep": "`ganvas search MODEL` tries settings drawn from ranges.",
    "studio": "`ganvas serve RUNS` opens the studio in the browser.",
    "ui": "`ganvas serve RUNS` opens the studio in the browser.",
    "app": "`ganvas serve RUNS` opens the studio in the browser.",
    "leaderboard": "`ganvas compare RUN RUN` lays runs side by side.",
    "sbatch": '`ganvas launch slurm "train ..."` prints a job file for Slurm.',
    "flops": "`ganvas table MODEL` counts the multiplications of a network.",
}


def first_words() -> list[str]:
    """What may stand first on a command line, in the order of the table."""
    return list(dict.fromkeys(verb.name.partition(" ")[0] for verb in VERBS))


def group_named(name: str) -> VerbGroup | None:
    """The group of verbs that begin with this word."""
    return next((group for group in GROUPS if group.name == name), None)


def members(group: VerbGroup) -> list[Verb]:
    """The verbs of a group."""
    return [verb for verb in VERBS if verb.name.startswith(f"{group.name} ")]


def verb_of(task: Any) -> Verb:
    """The verb whose task it is."""
    return next(verb for verb in VERBS if verb.task is type(task))


def find(words: Sequence[str]) -> Verb | None:
    """The verb that a command line begins with; None where a group's second word is missing or begins with a dash.

    Raises:
        UserError: there is no such verb.
    """
    known = {verb.name: verb for verb in VERBS}
    first = words[0]
    if " ".join(words[:2]) in known:
        return known[" ".join(words[:2])]
    if first in known:
        return known[first]
    group = group_named(first)
    if group is None:
        raise UserError(f"There is no command '{first}'.{_meant(first)} Commands: {', '.join(first_words())}.")
    if len(words) < 2 or words[1].startswith("-"):
        return None
    actions = {verb.name.partition(" ")[2]: verb for verb in members(group)}
    if words[1] not in actions:
        near = did_you_mean(words[1], actions)
        raise UserError(f"There is no command '{first} {words[1]}'.{near} {first.title()}: {', '.join(actions)}.")
    return actions[words[1]]


def _meant(word: str) -> str:
    return f" {MEANT[word]}" if word in MEANT else did_you_mean(word, first_words())
