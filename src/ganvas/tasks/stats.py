"""``ganvas stats FOLDER -o ref.npz``: a set of pictures as one file, used as a reference here and by other tools."""

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from ganvas.core.errors import UserError
from ganvas.tasks.measuring import half_precision, notes, over_ranks, pairs, sides
from ganvas.tasks.measuring.picture_options import PictureOptions

if TYPE_CHECKING:
    from ganvas.core.ranks import Ranks
    from ganvas.metrics.statistics.ganvas_file import Own


@dataclass(frozen=True, kw_only=True)
class Stats(PictureOptions):
    """Write the statistics of a set of pictures: a reference that is computed once, and that other tools read too.

    The file has mu and sigma for pytorch-fid, clean-fid, EDM and TTUR (mu_s and sigma_s for ADM where sfid is asked
    for), and what the metrics of Ganvas need.

    Examples:
      ganvas stats FOLDER -o ref.npz --weights FILE
      ganvas stats FOLDER -o ref.npz --metrics fid,kid,swd --n 50000 --size 64
      ganvas measure runs/x --ref ref.npz --metrics fid
      ganvas stats FOLDER -o part3.npz --shard 3/8
      torchrun --nproc-per-node 2 -m ganvas stats FOLDER -o ref.npz
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
    shard: Annotated[str | None, tyro.conf.arg(metavar="K/N")] = None
    """The K-th of N parts of the pictures; `ganvas stats merge` makes one file of all."""


@dataclass(frozen=True, kw_only=True)
class StatsMerge:
    """Make one file of statistics of its parts, which `ganvas stats --shard` wrote, here or on several machines.

    Example:
      ganvas stats merge part*.npz -o ref.npz
    """

    parts: tyro.conf.Positional[tuple[Path, ...]]
    """All parts, in any order."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"])]
    """The .npz to write; another file of statistics there is replaced."""


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
    first: int | None = None  # Of a part (--shard): the place of its first picture in the whole, counted from 1.
    of: int | None = None  # Of a part: the pictures of the whole.
    skipped: dict[str, str] = field(default_factory=dict)  # Metrics that are not in the file, and why.
    notes: list[str] = field(default_factory=list)  # What a reader of the numbers must know.


def stats(task: Stats) -> StatsResult:
    """Gathers a source by every metric and writes the file, wholly or not at all.

    Of several processes each looks at a part of the pictures, and the first one writes.
    """
    with over_ranks.sharing(task) as ranks:
        return _gathered(dataclasses.replace(task, quiet=task.quiet or not ranks.first), ranks)


def _gathered(task: Stats, ranks: "Ranks") -> StatsResult:
    from ganvas.metrics.accumulators.feature_networks import Networks
    from ganvas.metrics.measuring import flow
    from ganvas.metrics.measuring.shared_set import part_of
    from ganvas.metrics.statistics.ganvas_file import Part, write_stats

    names, lenient = sides.chosen_metrics(task.metrics)
    _require_out(task.out)  # Before the work, not after it.
    skipped = {name: reason for name in names if (reason := flow.why_not(name, alone=False))}
    skipped |= {
        name: f"{name} compares pictures pair by pair, and needs them themselves: {pairs.EXAMPLE}."
        for name in pairs.paired(names)
    }
    if skipped and not lenient:
        raise UserError(next(iter(skipped.values())))
    side = over_ranks.prepared(ranks, lambda: sides.of_source(task, task.source))
    of = _number(task, side)
    first, last = part_of(of, *_shard(task, of)) if task.shard else (0, of)
    names = [name for name in names if name not in skipped]
    networks, missing = Networks(sides.chosen_networks(task), names).of(names, lenient=lenient)
    names = [name for name in names if name not in missing]
    looked = half_precision.require_agreement(task, [side], networks, names, n=of)
    how = {"networks": networks, "lenient": lenient, "quiet": task.quiet}
    settings = flow.PassSettings(seed=task.seed, place=first, **how)
    pictures = sides.picture_set(task, side, ranks)
    gathered = pictures.gather(names, settings, first=first, n=last - first, of=of, title="stats")
    part = Part(first=first, of=of) if task.shard else None
    written = write_stats(task.out, gathered, moments=task.moments, part=part) if ranks.first else []
    ranks.barrier()
    left_out = {name: "It has no mean and covariance (--moments)." for name in gathered.stats if name not in written}
    return StatsResult(
        source=task.source,
        path=str(task.out),
        bytes=task.out.stat().st_size,
        n=last - first,
        seed=task.seed,
        metrics=written,
        protocols={name: gathered.stats[name].rows_of for name in written},
        fingerprint=gathered.fingerprint,
        first=first + 1 if task.shard else None,
        of=of if task.shard else None,
        skipped=skipped | missing | dict(gathered.missing) | left_out,
        notes=looked + notes.of_side(side, gathered),
    )


def merge_stats(task: StatsMerge) -> StatsResult:
    """Reads the parts of a set and writes the whole, wholly or not at all.

    Raises:
        UserError: a file is no part, parts are missing or there twice, or they were not made in one way.
    """
    from ganvas.metrics.measuring.shared_set import merged
    from ganvas.metrics.statistics.ganvas_file import write_stats

    _require_out(task.out)
    files = _in_order(task.parts)
    seed = files[0].seed or 0
    parts = [
        file.gathered(names, seed=seed, rows_of={name: file.rows_of(name) or "" for name in names})
        for names in [files[0].holds()]
        for file in files
    ]
    whole = merged(parts)
    written = write_stats(task.out, whole, moments=files[0].moments_only)
    return StatsResult(
        source=", ".join(map(str, task.parts)),
        path=str(task.out),
        bytes=task.out.stat().st_size,
        n=whole.n,
        seed=seed,
        metrics=written,
        protocols={name: whole.stats[name].rows_of for name in written},
        fingerprint=whole.fingerprint,
    )


def _in_order(paths: Sequence[Path]) -> "list[Own]":
    """The parts of one set by their places, all of them.

    Raises:
        UserError: see :func:`merge_stats`.
    """
    from ganvas.metrics.statistics.ganvas_file import Own
    from ganvas.metrics.statistics.opening import open_stats

    parts: dict[int, Own] = {}
    for path in paths:
        file = open_stats(path.expanduser())
        if not isinstance(file, Own) or file.part is None:
            raise UserError(f"{path} is no part of a set. Parts are made by `ganvas stats FOLDER -o FILE --shard 1/8`.")
        one = next(iter(parts.values()), file)
        _require_one_way(one, file)
        if (first := file.part["first"]) in parts:
            raise UserError(f"{path} and {parts[first].path} are of the same pictures. Give each part once.")
        parts[first] = file
    if not parts:
        raise UserError("Nothing is given to be merged. Give the parts: ganvas stats merge part*.npz -o ref.npz.")
    ordered = [parts[first] for first in sorted(parts)]
    _require_whole(ordered)
    return ordered


def _require_whole(files: "Sequence[Own]") -> None:
    """Refuses parts between which pictures are missing, or that overlap."""
    borders = [file.part["first"] for file in files if file.part] + [file.part["of"] for file in files[:1] if file.part]
    at = 0
    for border, file in zip(borders, [*files, files[-1]], strict=True):
        if border > at:
            raise UserError(f"Pictures {at + 1} to {border} of {borders[-1]} are in none of the files. Give all parts.")
        if border < at:
            raise UserError(f"{file.path} has pictures of another part too: they were not made with one --shard K/N.")
        at = border + (file.n or 0)


def _require_one_way(one: "Own", other: "Own") -> None:
    """Refuses parts of which one was made otherwise than the other."""
    for what, mine, yours in (
        ("are of sets of", *((file.part or {}).get("of") for file in (one, other))),
        ("were made with the seeds", one.seed, other.seed),
        ("are for", ", ".join(one.holds()), ", ".join(other.holds())),
        ("hold", *("moments alone" if file.moments_only else "rows" for file in (one, other))),
        ("are of pictures of", one.shape, other.shape),
        ("are of pictures treated by", one.treated, other.treated),
    ):
        if mine != yours:
            raise UserError(f"{one.path} and {other.path} {what} {mine} and {yours}. Make all parts in one way.")


def _require_out(out: Path) -> None:
    from ganvas.metrics.statistics.base import is_stats

    if out.suffix != ".npz":
        raise UserError(f"{out}: a file of statistics is a .npz. Name it {out.name}.npz.")
    if out.exists() and not is_stats(out):
        raise UserError(f"{out} is there already and is not a file of statistics. Choose another name.")


def _shard(task: Stats, of: int) -> tuple[int, int]:
    """Which of how many parts, the first being 0."""
    part, _, parts = (task.shard or "").partition("/")
    if not (part.isdecimal() and parts.isdecimal() and 1 <= int(part) <= int(parts)):
        raise UserError(f"--shard {task.shard} is not understood. Give K/N, such as 3/8 for the third of eight parts.")
    if of < 2 * int(parts):
        raise UserError(f"--shard {task.shard}: {of} pictures cannot be {parts} parts of 2 or more. Make fewer parts.")
    return int(part) - 1, int(parts)


def _number(task: Stats, side: sides.Side) -> int:
    there = side.count or 0
    if task.n is not None and task.n < 1:
        raise UserError(f"-n {task.n}: the number of pictures must be at least 1.")
    if task.n is not None and task.n > there:
        raise UserError(f"{task.source} has {there} pictures, and {task.n} are asked for. Ask for fewer: --n {there}.")
    return task.n or there
