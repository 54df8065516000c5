"""``ganvas advise SRC``: which model for these pictures on this machine, what it will cost, and the command."""

import dataclasses
import math
import shlex
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

from ganvas.core.errors import UserError
from ganvas.core.number_text import number, with_error
from ganvas.core.progress import duration
from ganvas.tasks.advising.measured_families import PRESET

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ganvas.tasks.advising.measured_families import Figures, MeasuredModel
    from ganvas.tasks.advising.pictures_seen import PicturesSeen
    from ganvas.tasks.advising.tried_steps import Tried
    from ganvas.tasks.train import Train

CANDIDATES = 4  # That steps are tried of,
MORE = 4  # and of so many more until one draws pictures as large as those that are there, or of LARGEST pixels.
LARGEST = 64  # The shorter side that presets of this kind are bound to.
TOO_FEW, FEW, SOME = 100, 1000, 10_000  # Unlike pictures, below which none can learn, many copy, or ADA helps.
OF_A_CLASS = 100  # Pictures that the smallest class should have.
LEAST_PASSES = 3.0  # Over the pictures, below which a run is called short.
SEEN_AT = 32  # Pixels of the packs that are looked at before a model is chosen.
NEAR_TOLD = 0.05  # Share of near duplicates from which they are told.

Fit = Literal["refuse", "crop"]
Augment = Literal["none", "ada"]

GOALS = {
    "pictures": "pictures that look real",
    "likelihood": "how probable a given picture is, or compression",
    "modes": "nothing of the variety left out",
}


@dataclass(frozen=True, kw_only=True)
class Advise:
    """Look at pictures, try a few steps of each candidate here, and say what to train, with the exact command.

    Examples:
      ganvas advise photos/
      ganvas advise photos/ --goal likelihood --minutes 60
    """

    data: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="SRC")]
    """The pictures: folder, archive, array file, or a built-in set."""
    goal: Literal["pictures", "likelihood", "modes"] = "pictures"
    """What it is for: pictures that look real, how probable given pictures are, or every mode of the variety."""
    minutes: float = 30.0
    """How long the training may take on this machine."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"], metavar="RUN")] = None
    """The run's folder in the command; runs/ and the pictures' name where left out."""
    device: str = "auto"
    """Where it will train: cpu, cuda, or auto."""
    threads: int | None = None
    """Processor threads of the trial steps and of the command."""


@dataclass(frozen=True, kw_only=True)
class _Reading:
    """How `ganvas train` must read the pictures, and what they are like."""

    there: "PicturesSeen"
    fits: tuple[Fit, ...]  # To be tried in this order.
    broken: Literal["refuse", "skip"]


@dataclass(frozen=True, kw_only=True)
class Candidate:
    """One model that was considered."""

    model: str
    size: tuple[int, int]
    seconds_per_kimg: float
    kimg: float  # In the minutes that were given.
    flop: float  # Of that run.
    measured: str  # What it reached where the project measured it.
    refused: str = ""  # Why it cannot be.


@dataclass(frozen=True, kw_only=True)
class _Try:
    """One model, the task that its steps were tried with, and what came of it: None where it cannot learn."""

    one: "MeasuredModel"
    candidate: Candidate
    train: "Train"
    tried: "Tried | None"


@dataclass(frozen=True, kw_only=True)
class AdviseResult:
    """The advice and what it rests on."""

    data: str
    goal: str
    seen: dict[str, Any]
    candidates: list[Candidate]
    model: str | None  # None where there is nothing to learn from.
    preset: str | None
    size: tuple[int, int] | None
    augment: Augment
    command: str | None
    reasons: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)


def advise(task: Advise) -> AdviseResult:
    """Surveys, compares, tries, and decides; writes nothing but packs into the cache."""
    from ganvas.tasks.advising.chosen_model import chosen
    from ganvas.tasks.advising.measured_families import best_first, figures
    from ganvas.tasks.train import pick_device

    if task.minutes <= 0:
        raise UserError(f"--minutes {task.minutes:g} must be above 0.")
    _set_threads(task)
    device = pick_device(task.device)
    reading = _read(task)
    there = reading.there
    warnings = _warnings(task, there)
    known = figures()
    empty = AdviseResult(
        data=task.data,
        goal=task.goal,
        seen=dataclasses.asdict(there) | {"unlike": there.unlike},
        candidates=[],
        model=None,
        preset=None,
        size=None,
        augment="none",
        command=None,
        warnings=warnings,
    )
    if there.unlike < TOO_FEW:
        return empty
    tries: list[_Try] = []
    for one in best_first(known, task.goal)[: CANDIDATES + MORE]:
        if len(tries) < CANDIDATES or not any(_as_large(there, each.tried) for each in tries):
            tries.append(_try(task, one, reading, known, device))
    candidates = [each.candidate for each in tries]
    place = chosen([(each.one, each.tried.size if each.tried else None) for each in tries], task.goal)
    if place is None:
        raise UserError(f"None of the candidates can learn from {task.data}: {candidates[0].refused}")
    taken = tries[place]
    tried = taken.tried
    assert tried is not None  # What cannot learn is not chosen.
    augment = _augment(there, tried)
    return dataclasses.replace(
        empty,
        candidates=candidates,
        model=taken.one.model,
        preset=PRESET,
        size=tried.size,
        augment=augment,
        command=_command(task, taken.train, augment),
        reasons=[_why(task, taken.one, tries, known), *_unknown(task, known), *_reasons(task, there, tried, augment)],
        warnings=warnings + _cropped(taken.train) + _shortness(task, there, tried),
    )


def _set_threads(task: Advise) -> None:
    import torch

    if task.threads is not None:
        if task.threads < 1:
            raise UserError(f"--threads {task.threads} must be at least 1. Leave it out to use every core.")
        torch.set_num_threads(task.threads)


def _read(task: Advise) -> _Reading:
    """Looks at headers, then at a small pack of all that can be read."""
    from ganvas.data.packing import prepare
    from ganvas.data.survey import survey
    from ganvas.tasks.advising.pictures_seen import seen

    found = survey(task.data, quiet=False)
    if not found.count:
        raise UserError(f"{task.data} has no picture that can be read.")
    broken = "skip" if found.broken else "refuse"
    side = min(SEEN_AT, *(min(size) for size in found.sizes))
    packed = prepare(task.data, size=(side, side), fit="crop", broken=broken)
    fits: tuple[Fit, ...] = ("crop",) if len(found.sizes) > 1 else ("refuse", "crop")
    return _Reading(there=seen(found, packed), fits=fits, broken=broken)


def _train(task: Advise, model: str, reading: _Reading, fit: Fit) -> "Train":
    from ganvas.tasks.train import Train

    name = Path(task.data.partition(":")[0].rstrip("/")).name.partition(".")[0] or "pictures"
    return Train(
        model=model,
        data=task.data,
        out=task.out or _free(Path("runs") / name),
        preset=PRESET,
        minutes=task.minutes,
        fit=fit,
        broken=reading.broken,
        device=task.device,
        threads=task.threads,
    )


def _free(path: Path) -> Path:
    """The path, or the first of path-2, path-3, ... that is not there."""
    names = [path, *(path.with_name(f"{path.name}-{number}") for number in range(2, 1000))]
    return next(name for name in names if not name.exists())


def _try(task: Advise, one: "MeasuredModel", reading: _Reading, known: "Figures", device: Any) -> _Try:
    """A candidate's steps, with the pictures as they are or, where that cannot be, with their middle cut out."""
    from ganvas.core.progress import say
    from ganvas.tasks.advising.tried_steps import tried

    say(f"Trying a few steps of {one.model}.")
    reached, refused = _reached(one, task.goal, known), ""
    trains = [_train(task, one.model, reading, fit) for fit in reading.fits]
    for train in trains:
        try:
            found = tried(train, minutes=task.minutes, device=device)
        except UserError as refusal:
            refused = str(refusal)
            continue
        made = Candidate(
            model=one.model,
            size=found.size,
            seconds_per_kimg=found.seconds_per_kimg,
            kimg=found.kimg,
            flop=found.flop_per_kimg * found.kimg,
            measured=reached,
        )
        return _Try(one=one, candidate=made, train=train, tried=found)
    nothing = Candidate(model=one.model, size=(0, 0), seconds_per_kimg=0, kimg=0, flop=0, measured=reached)
    return _Try(one=one, candidate=dataclasses.replace(nothing, refused=refused), train=trains[0], tried=None)


def _as_large(there: "PicturesSeen", tried: "Tried | None") -> bool:
    """Whether a candidate draws pictures as large as those that are there, or as any preset draws them."""
    return tried is not None and min(tried.size) >= min(LARGEST, there.median_side)


def _reached(one: "MeasuredModel", goal: str, known: "Figures") -> str:
    """What the project measured of it, by what the goal asks for."""
    if goal == "likelihood":
        return f"{one.bits_kind} {number(one.bits_per_dimension, digits=3)} bits per dimension"
    if goal == "modes":
        return f"F1 {one.f1:.2f} (recall {one.recall:.2f}, precision {one.precision:.2f})"
    return f"SWD {with_error(one.swd, one.swd_error)} (reals {number(known.floor, digits=2)})"


def _augment(there: "PicturesSeen", tried: "Tried") -> Augment:
    """Of a discriminator that few pictures would be learnt by heart by."""
    if not tried.augmentable or there.unlike >= SOME:
        return "none"
    return "ada"


def _command(task: Advise, train: "Train", augment: Augment) -> str:
    words = ["ganvas", "train", train.model, "--data", task.data, "--out", str(train.out), "--preset", PRESET]
    words += ["--minutes", f"{task.minutes:g}"]
    words += ["--fit", train.fit] if train.fit != "refuse" else []
    words += ["--broken", train.broken] if train.broken != "refuse" else []
    words += ["--augment", augment] if augment != "none" else []
    words += ["--device", task.device] if task.device != "auto" else []
    words += ["--threads", str(task.threads)] if task.threads is not None else []
    return shlex.join(words)


def _why(task: Advise, one: "MeasuredModel", tries: "Sequence[_Try]", known: "Figures") -> str:
    """Why this model, and what was better and draws smaller pictures, if anything was."""
    where = f"{known.pictures:,} scenes of {known.side}x{known.side} pixels and {duration(one.cpu_sec)} of one core"
    best = next(each for each in tries if each.tried is not None)
    reached = f"{one.model} reached {_reached(one, task.goal, known)} on {where}"
    if best.one is one:
        place = "the best of the models that were measured and can learn from yours"
    else:
        height, width = best.candidate.size
        smaller = f"draws pictures of only {height}x{width} pixels"
        place = f"{best.one.model} reached {_reached(best.one, task.goal, known)} and {smaller}"
    return f"You want {GOALS[task.goal]}: {reached}; {place}. Your pictures are others, so take it as a first try."


def _unknown(task: Advise, known: "Figures") -> list[str]:
    """Which models were left out because nobody has measured them."""
    from ganvas.tasks.advising.measured_families import unmeasured

    families: dict[str, list[str]] = {}
    for model in unmeasured(known, task.goal):
        family, _, name = model.partition("/")
        families.setdefault(family, []).append(name)
    if not families:
        return []
    said = "; ".join(f"{family}/ {', '.join(names)}" for family, names in families.items())
    return [f"Not measured, and so not compared, though one of them may be better: {said}."]


def _reasons(task: Advise, there: "PicturesSeen", tried: "Tried", augment: Augment) -> list[str]:
    """Why this size and this augmentation, and what it costs."""
    height, width = tried.size
    kimg = f"{tried.kimg:,.4g} kimg, {tried.kimg * 1000 / there.count:,.3g} times over the pictures"
    reasons = [
        f"{height}x{width} pixels: what the preset is made for, and no more than your pictures have.",
        f"About {duration(60 * task.minutes)} here for {kimg} and {tried.flop_per_kimg * tried.kimg:.2g} FLOP "
        f"({number(tried.seconds_per_kimg, digits=3)} s for a thousand pictures).",
    ]
    if augment != "none":
        reasons.append(
            f"--augment {augment}: of {there.unlike:,} pictures a discriminator learns some by heart; it augments all "
            "that it sees, as much as needed."
        )
    if task.goal == "pictures":
        reasons.append(
            "Another family where you want likelihoods (--goal likelihood: a GAN has none) or every mode (--goal "
            "modes: a GAN leaves some out)."
        )
    else:
        said = "gives no likelihood at all" if task.goal == "likelihood" else "leaves some of the variety out"
        reasons.append(f"A GAN is not the family for this: it {said}, however good its pictures look.")
    if there.classes > 1 and tried.takes_classes and there.fewest_of_a_class >= OF_A_CLASS:
        reasons.append(f"The pictures have {there.classes} classes: add --conditional to draw each when asked to.")
    return reasons


def _warnings(task: Advise, there: "PicturesSeen") -> list[str]:
    """What is wrong with the pictures, worst first."""
    found = []
    if there.unlike < TOO_FEW:
        found.append(
            f"Too few pictures: about {there.unlike} unlike ones, and below {TOO_FEW} every model learns them by heart "
            "and draws nothing else. Collect more; a thousand is a beginning."
        )
    elif there.unlike < FEW:
        found.append(
            f"Few pictures: about {there.unlike} unlike ones. Expect copies and little variety; `ganvas compare RUN "
            "--held-out SRC` shows how far it has learnt by heart."
        )
    if there.same:
        found.append(f"{there.same:,} pictures are there twice or more, and count again and again.")
    if there.near_share > NEAR_TOLD:
        found.append(f"About {there.near_share:.0%} hardly differ from another one: frames of a film, or bursts?")
    if there.broken:
        found.append(f"{there.broken:,} files cannot be read and are left out (--broken skip).")
    if task.goal == "likelihood" and there.jpeg:
        found.append("Some are JPEG files: their bits per dimension compare with each other, not with those in papers.")
    return found


def _cropped(train: "Train") -> list[str]:
    if train.fit != "crop":
        return []
    return ["The pictures are not all of a size that the model makes: the middle is cut out of each (--fit crop)."]


def _shortness(task: Advise, there: "PicturesSeen", tried: "Tried") -> list[str]:
    passes = tried.kimg * 1000 / there.count
    if passes >= LEAST_PASSES:
        return []
    needed = LEAST_PASSES / passes * task.minutes
    return [
        f"In {duration(60 * task.minutes)} it sees a picture only {passes:.2g}× on average; {LEAST_PASSES:g}× takes "
        f"about {duration(60 * needed)} (--minutes {math.ceil(needed)})."
    ]
