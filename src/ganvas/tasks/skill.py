"""``ganvas skill RUN ...``: a tournament of the generators and discriminators that runs have kept."""

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.core.errors import UserError
from ganvas.core.results import Result

if TYPE_CHECKING:
    from ganvas.train.trained import Trained

MOST = 1024  # Pictures of each, where --n is left out.
GROUP = 4  # Pictures come in whole groups, because some discriminators look at groups.
Places = list[tuple[str, tuple[Path, float]]]  # By player's name: a run, and a moment in kimg.


@dataclass(frozen=True, kw_only=True)
class Skill:
    """Rate the snapshots of one run, or of several, by letting generators and discriminators play each other.

    Examples:
      ganvas skill runs/x
      ganvas skill runs/x runs/y --most 4 --n 2048
      ganvas skill runs/x runs/y --most 1 --data held-out/
    """

    runs: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RUN [RUN ...]")]
    """Runs of models that have a discriminator, of one picture size."""
    most: int = 6
    """Snapshots of each run, evenly chosen from those it keeps, the last one among them."""
    n: Annotated[int | None, tyro.conf.arg(aliases=["-n"])] = None
    """Pictures of each generator, and as many real ones. Left out: 1024, or as many as there are real ones."""
    data: str | None = None
    """The real pictures, best such as no run has seen; those that the first run was trained on where left out."""
    seed: int = 0
    """Chooses latents and real pictures."""
    batch: int = 64
    """Pictures at a time; changes what discriminators see that look at the whole batch."""
    device: str = "auto"
    """Where to compute: cpu, cuda, or auto."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class Player:
    """One line of the standings."""

    name: str
    role: str
    win_rate: float
    rating: Result
    glicko: float
    glicko_deviation: float


@dataclass(frozen=True, kw_only=True)
class SkillResult:
    """The standings, best first within each role, and the table of scores (of the discriminators)."""

    runs: tuple[str, ...]
    n: int
    seed: int
    standings: list[Player]
    generators: tuple[str, ...]
    discriminators: tuple[str, ...]
    scores: list[list[float]]
    reals: str
    dismissed: dict[str, float] = field(default_factory=dict)  # Judges that prefer noise to reals, and their scores.
    notes: list[str] = field(default_factory=list)  # What a reader of the ratings must know.


def skill(task: Skill) -> SkillResult:
    """Lets every generator's pictures be judged by every discriminator, and rates them all."""
    from ganvas.core.progress import progress
    from ganvas.metrics import skill as skills

    if not task.runs:
        raise UserError("No run is given. Name one whose snapshots play each other, or several: ganvas skill RUN RUN.")
    if (task.n is not None and task.n < 2 * GROUP) or task.batch < GROUP or task.batch % GROUP or task.most < 1:
        raise UserError(
            f"-n {task.n or MOST}, --batch {task.batch}, --most {task.most}: take n of at least {2 * GROUP}, "
            f"a batch that divides by {GROUP}, and at least one snapshot."
        )
    places = _snapshots(task)
    first = _load(places[0][1], task)
    reals, source = _reals(task, first)
    n = len(reals)
    real, dismissed = _judges(places, reals, task)
    fake = {}
    with progress("tournament", len(places) * len(real), unit="matches", quiet=task.quiet) as report:
        for name, place in places:
            drawn = _draw(_load(place, task), n, task)
            for judge, judged in places:
                if judge in real:
                    fake[judge, name] = _judged(_load(judged, task), drawn, task)
                    report(len(fake))
    found = skills.tournament(real, fake, seed=task.seed, pictures_of=source)
    return SkillResult(
        runs=task.runs,
        n=n,
        seed=task.seed,
        standings=[Player(**vars(one)) for one in found.standings],
        generators=found.generators,
        discriminators=found.discriminators,
        scores=found.scores.tolist(),
        reals=source,
        dismissed=dismissed,
        notes=[
            f"The discriminator of {judge} is no judge: it finds a real picture more real than one of an untrained "
            f"generator with a chance of {score:.3f}, and a coin's is 0.5. It does not play."
            for judge, score in dismissed.items()
        ],
    )


def _snapshots(task: Skill) -> Places:
    """Names and places of the players: ``x@12.5`` is run x at 12.5 kimg."""
    from ganvas.train.trained import load

    found = []
    for spec in task.runs:
        path = Path(spec).expanduser()
        load(path)  # Says what is wrong with a run better than an empty list would.
        kept = [kimg for kimg in _kept(path) if kimg > 0]  # The start has learnt nothing: it is no player.
        if not kept:
            raise UserError(f"{spec} keeps no snapshot beyond its start at 0 kimg, which is no player. Train it first.")
        count = min(task.most, len(kept))
        chosen = [kept[-1 - round(step * (len(kept) - 1) / max(count - 1, 1))] for step in range(count)]
        found += [(f"{path.resolve().name}@{kimg:g}", (path, kimg)) for kimg in sorted(chosen)]
    names = [name for name, _ in found]
    if len(set(names)) < len(names):
        raise UserError("Two runs have the same folder name, so their players could not be told apart. Rename one.")
    if len(found) < 2:
        raise UserError(
            f"{task.runs[0]} keeps one snapshot beyond its start, and a tournament needs two. Name more runs."
        )
    return found


def _judges(places: Places, reals: Any, task: Skill) -> tuple[dict[str, Any], dict[str, float]]:
    """What each discriminator says of the reals; and the scores of those that prefer an untrained generator's noise."""
    from ganvas.metrics.skill import score
    from ganvas.metrics.tournament.judging import CHANCE

    untrained = _untrained(task, len(reals))
    first = _load(places[0][1], task)
    real, dismissed = {}, {}
    for name, place in places:
        judge = _load(place, task)
        _require_alike(judge, first, name)
        of_reals = _judged(judge, reals, task)
        against = [score(of_reals, _judged(judge, noise, task)) for noise in untrained]
        if min(against, default=CHANCE) < CHANCE:
            dismissed[name] = min(against)
        else:
            real[name] = of_reals
    if not real:
        raise UserError(
            "No discriminator of these runs finds real pictures more real than those of an untrained generator, so "
            "nobody can judge. Train longer, or name other runs."
        )
    return real, dismissed


def _kept(path: Path) -> list[float]:
    """The moments of the models that a run keeps, in kimg."""
    from ganvas.core.run_folder import RunFolder

    return [float(folder.name) for folder in RunFolder(path).models()]


def _untrained(task: Skill, n: int) -> list[Any]:
    """Pictures of every generator that a run keeps as it began."""
    begun = [path for path in (Path(spec).expanduser() for spec in task.runs) if 0.0 in _kept(path)]
    return [_draw(_load((path, 0.0), task), n, task) for path in begun]


def _load(place: tuple[Path, float], task: Skill) -> "Trained":
    from ganvas.losses.capabilities import Judges
    from ganvas.tasks.train import pick_device
    from ganvas.train.trained import load

    trained = load(place[0], kimg=place[1], device=pick_device(task.device))
    trained.require(Judges)
    return trained


def _require_alike(one: "Trained", other: "Trained", name: str) -> None:
    shapes = [(each.height, each.width, each.channels) for each in (one, other)]
    if shapes[0] != shapes[1]:
        sizes = " and ".join("x".join(map(str, shape)) for shape in shapes)
        raise UserError(f"{name} has another picture size than the others ({sizes}): they cannot play each other.")


def _reals(task: Skill, first: "Trained") -> tuple[Any, str]:
    """As many as every generator draws, and what to call them."""
    import torch

    from ganvas.data.packing import prepare
    from ganvas.metrics.measuring.draws import draw

    if task.data is None:
        packed = first.reals(quiet=task.quiet)
    else:
        fit = first.data.get("fit", "refuse")
        size = (first.height, first.width)
        packed = prepare(task.data, size=size, channels=first.channels, fit=fit, quiet=task.quiet)
    n = min(MOST, len(packed)) if task.n is None else task.n
    if not 2 * GROUP <= n <= len(packed):
        remedy = f"Ask for fewer: -n {len(packed)}" if len(packed) >= 2 * GROUP else "Give more with --data"
        raise UserError(f"There are {len(packed)} real pictures, and {max(n, 2 * GROUP)} are needed. {remedy}.")
    n -= n % GROUP
    return torch.cat(list(draw(packed, n, seed=task.seed))), f"reals={packed.fingerprint[:16]}"


def _draw(trained: "Trained", n: int, task: Skill) -> Any:
    import torch

    return torch.cat(list(trained.sample_bytes(n, seed=task.seed, batch=task.batch)))


def _judged(trained: "Trained", pictures: Any, task: Skill) -> Any:
    """How real a discriminator finds pictures of one kind, in batches as it learnt from."""
    from ganvas.metrics.tournament.judging import batch_statistics, outputs

    with batch_statistics(trained.model):
        found = outputs(lambda part: trained.judge(part, batch=len(part)), pictures, batch=task.batch)
    return found.double().numpy()
