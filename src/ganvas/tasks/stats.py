"""``ganvas stats FOLDER -o ref.npz``: a set of pictures as one file, used as a reference here and by other tools."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from ganvas.core.errors import UserError
from ganvas.tasks.measuring import half_precision, notes, pairs, sides
from ganvas.tasks.measuring.picture_options import PictureOptions


@dataclass(frozen=True, kw_only=True)
class Stats(PictureOptions):
    """Write the statistics of a set of pictures: a reference that is computed once, and that other tools read too.

    The file has mu and sigma for pytorch-fid, clean-fid, EDM and TTUR (mu_s and sigma_s for ADM where sfid is asked
    for), and what the metrics of Ganvas need.

    Examples:
      ganvas stats FOLDER -o ref.npz --weights FILE
      ganvas stats FOLDER -o ref.npz --metrics fid,kid,swd --n 50000 --size 64
      ganvas measure runs/x --ref ref.npz --metrics fid
    """

    source: tyro.conf.Positional[str]
    """Folder, archive, array file, packed folder, scenes or fetched:NAME; SRC::part takes a part of it."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The .npz to write; another file of statistics there is replaced."""
    metrics: tuple[str, ...] = ("fid",)
    """For which metrics, by commas or blanks, or all."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """So many pictures, chosen at random; all where left out."""
    moments: bool = False
    """Means and covariances only: 34 MB however many pictures, for FID and its kin; errors then leave the reals out."""
    seed: int = 0
    """Chooses pictures and all random numbers; measure with the same one."""


@dataclass(frozen=True, kw_only=True)
class StatsResult:
    """What was written."""

    source: str
    path: str
    bytes: int
    n: int
    seed: int
    metrics: list[str]  # That may be measured against the file.
    protocols: dict[str, str]  # By metric: of which network, weights and resize; empty for those of pixels.
    fingerprint: str  # Of the pictures.
    skipped: dict[str, str] = field(default_factory=dict)  # Metrics that are not in the file, and why.
    notes: list[str] = field(default_factory=list)  # What a reader of the numbers must know.


def stats(task: Stats) -> StatsResult:
    """Gathers a source by every metric and writes the file, wholly or not at all."""
    from ganvas.metrics.accumulators.feature_networks import Networks
    from ganvas.metrics.measuring import flow
    from ganvas.metrics.statistics.base import is_stats
    from ganvas.metrics.statistics.ganvas_file import write_stats

    names, lenient = sides.chosen_metrics(task.metrics)
    if task.out.suffix != ".npz":  # Before the work, not after it.
        raise UserError(f"{task.out}: a file of statistics is a .npz. Name it {task.out.name}.npz.")
    if task.out.exists() and not is_stats(task.out):
        raise UserError(f"{task.out} is there already and is not a file of statistics. Choose another name.")
    skipped = {name: reason for name in names if (reason := flow.why_not(name, alone=False))}
    skipped |= {
        name: f"{name} compares pictures pair by pair, and needs them themselves: {pairs.EXAMPLE}."
        for name in pairs.paired(names)
    }
    if skipped and not lenient:
        raise UserError(next(iter(skipped.values())))
    side = sides.of_source(task, task.source)
    n = _number(task, side)
    names = [name for name in names if name not in skipped]
    networks, missing = Networks(sides.chosen_networks(task), names).of(names, lenient=lenient)
    names = [name for name in names if name not in missing]
    looked = half_precision.require_agreement(task, [side], networks, names, n=n)
    settings = flow.PassSettings(seed=task.seed, networks=networks, lenient=lenient, quiet=task.quiet)
    gathered = sides.picture_set(task, side).gather(names, settings, first=0, n=n, of=n, title="stats")
    written = write_stats(task.out, gathered, moments=task.moments)
    left_out = {name: "It has no mean and covariance (--moments)." for name in gathered.stats if name not in written}
    return StatsResult(
        source=task.source,
        path=str(task.out),
        bytes=task.out.stat().st_size,
        n=n,
        seed=task.seed,
        metrics=written,
        protocols={name: gathered.stats[name].rows_of for name in written},
        fingerprint=gathered.fingerprint,
        skipped=skipped | missing | dict(gathered.missing) | left_out,
        notes=looked + notes.of_side(side, gathered),
    )


def _number(task: Stats, side: sides.Side) -> int:
    there = side.count or 0
    if task.n is not None and task.n < 1:
        raise UserError(f"-n {task.n}: the number of pictures must be at least 1.")
    if task.n is not None and task.n > there:
        raise UserError(f"{task.source} has {there} pictures, and {task.n} are asked for. Ask for fewer: --n {there}.")
    return task.n or there
