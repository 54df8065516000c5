"""Train a model; the same command resumes where it was stopped."""

import contextlib
import os
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from contextlib import AbstractContextManager
    from types import ModuleType

    from ganvas.core.ranks import Ranks
    from ganvas.core.run_folder import RunFolder
    from ganvas.losses.game import Game
    from ganvas.tasks.training.branching import BranchPoint
    from ganvas.train.kinds.kind import Kind, RunData, SourceRequest
    from ganvas.train.plan import Recipe


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model on a folder, archive or built-in set. The same command resumes where it was stopped.

    Examples:
      ganvas train gan/progan --data photos/ --out runs/photos --preset small --minutes 30
      ganvas train translate/cyclegan --data day/ --other night/ --out runs/night
      ganvas train segment/unet --data photos/ --target masks/ --out runs/seg
      ganvas train gan/progan --data cifar10.tar.xz --out runs/cifar --preset cifar10 --keep-best swd
      ganvas train gan/dcgan --data photos/ --from runs/a/state/000500.000 --set batch_size=256 --out runs/b
      torchrun --nproc-per-node 2 -m ganvas train gan/progan --data photos/ --out runs/photos
    """

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """What to train: a name from `ganvas models`, such as gan/progan."""
    data: Annotated[str, tyro.conf.arg(metavar="SRC")]
    """Folder, .zip, .tar(.gz|.xz), 'shards/{000..063}.tar', .npz/.npy, MNIST or CIFAR files, a packed folder, or a
    built-in set."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="RUN")]
    """Run directory; an existing run is resumed."""
    other: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Pictures of the second kind, for models that translate between two."""
    target: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """What belongs to each picture, with the same names: pictures to translate into, label maps to segment
    into, or a COCO file of boxes."""
    held_out: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """Samples that are never trained on: likelihoods are of these, and check-ups ask how a discriminator takes them."""
    held_out_target: Annotated[str | None, tyro.conf.arg(metavar="SRC")] = None
    """What belongs to each held-out picture: pairs are scored on these during training."""
    branch: Annotated[Path | None, tyro.conf.arg(name="from", metavar="STATE")] = None
    """Begin at this state of another run, RUN/state/KIMG, or at the newest of RUN, with its settings where none are
    set."""
    preset: str | None = None
    """A named set of settings; `ganvas models MODEL` lists them with their sources."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """Change one field of the model's or the run's settings; may be repeated."""
    kimg: float | None = None
    """Thousands of real samples to show (short for --set total_kimg=...)."""
    minutes: float | None = None
    """Train about so long on this machine: the length in kimg is chosen from a few tried steps."""
    seed: int | None = None
    """Of the weights, the noise and the order of the data."""
    augment: Literal["none", "diff", "ada"] | None = None
    """Of a GAN of few pictures: augment all that its discriminator sees, always (diff) or as needed (ada)."""
    keep_best: str | None = None
    """Also keep the state with the best value of this metric, such as swd; none keeps the newest alone."""
    conditional: bool = False
    """Learn to draw each class of a labelled source."""
    labelled: int | None = None
    """Tell the class of so many samples, equally many of each, for models that learn from hidden ones too."""
    fit: Literal["refuse", "crop", "pad", "stretch"] = "refuse"
    """What to do with pictures of another shape or size than the model's."""
    background: str = "white"
    """Colour behind transparent pictures and padding: a name or #rrggbb."""
    broken: Literal["refuse", "skip"] = "refuse"
    """What to do with files that cannot be read."""
    device: str = "auto"
    """cpu, cuda, cuda:1, or auto: the first GPU if there is one."""
    executor: Literal["auto", "eager", "graph"] = "auto"
    """How steps are launched; graph replays CUDA graphs."""
    threads: int | None = None
    """Processor threads; results repeat bit for bit only with the same number. Left out: one where
    tried steps are hardly slower than with all. A resumed run keeps its own."""
    rank_timeout: float = 60.0
    """Of several processes: seconds after which one that waits for another within a step gives up."""
    shards: int | None = None
    """Parts of every batch whose gradients are added in one order: 1, 2, 4 ... processes then write the same bits."""
    tensorboard: bool = False
    """Also write TensorBoard files into the run."""
    quiet: tyro.conf.Suppress[bool] = False
    estimate: tyro.conf.Suppress[bool] = True
    dry_run: Annotated[bool, tyro.conf.arg(aliases=["-n"])] = False
    """Show the settings and stop, before pictures are packed or steps tried: the forecast comes when a run begins."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """Where the run is and how far it came."""

    run: Path
    kimg: float
    finished: bool
    stopped: bool  # A signal asked for it; the same command resumes.
    seconds: float
    settings: dict[str, Any]
    picture_size: tuple[int, int] | None = None  # Height and width in pixels, where it learns pictures.


def train(task: Train) -> TrainResult:
    """Resolves the settings, prepares the data and trains.

    Raises:
        UserError: something given cannot be; nothing has been written then.
        TrainingFailed: a loss or a weight is no longer a number.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")  # Before torch: idle threads must not spin.
    import torch

    from ganvas.core import catalogue
    from ganvas.core.errors import UserError
    from ganvas.core.ranks import joined

    module = catalogue.load("models", task.model)
    if task.threads is not None and task.threads < 1:
        raise UserError(f"--threads {task.threads} must be at least 1. Leave it out to have it chosen.")
    if threads := task.threads or threads_of(task.out):
        torch.set_num_threads(threads)
    device = pick_device(task.device)
    if task.rank_timeout <= 0:
        raise UserError(f"--rank-timeout {task.rank_timeout:g} must be above 0 seconds.")
    with joined(device, step_seconds=task.rank_timeout) as ranks:
        return _train(task, module, device, ranks)


def threads_of(out: Path) -> int | None:
    """With how many processor threads a run was begun; None where there is none, or it does not say.

    Sums are split among threads, so other numbers of them round otherwise: a run that is resumed keeps its own.
    """
    from ganvas.core.run_folder import RunFolder

    run = RunFolder(out)
    machine = run.describe().get("machine") if run.exists else None
    threads = machine.get("threads") if isinstance(machine, dict) else None
    return threads if isinstance(threads, int) and threads > 0 else None


def _train(task: Train, module: "ModuleType", device: Any, ranks: "Ranks") -> TrainResult:
    from ganvas.core.config import to_plain
    from ganvas.core.run_folder import RunFolder
    from ganvas.tasks.training.branching import require_beyond
    from ganvas.train.kinds.kinds import kind_of
    from ganvas.train.loop import Setup
    from ganvas.train.loop import train as run_training

    run = RunFolder(task.out)
    before = _begun(task, run)
    origin = _origin(task, run, before)
    base = origin.parent if origin and not before else before
    kind, request = kind_of(module.Model.takes, task.data), request_of(task, base, quiet=not ranks.first)
    recipe = resolve(task, module, kind, request, base)
    settings = _settings(task, recipe)
    if origin:
        require_beyond(origin, recipe.plan.total_kimg)
        _require_fitting(origin, module, recipe)
    _require_use(task, module, recipe)
    if before:
        _require_same_settings(before, settings, task.out, defaults=to_plain(module.Config()))
    else:
        _require_weights(module, recipe)
    if task.dry_run:
        kind.check(request, recipe.config, recipe.plan)
        return TrainResult(
            run=task.out,
            kimg=0,
            finished=False,
            stopped=False,
            seconds=0,
            settings=settings,
            picture_size=_picture_size(recipe.config),
        )

    data = _prepare(kind, request, recipe, ranks)
    if before:
        _require_same_data(before["data"], data.described, task.out)
    with contextlib.nullcontext() if before else _threads(task, module, recipe, data, device, ranks):
        if task.minutes is not None and not before:
            recipe = _within(task.minutes, task, module, recipe, data, device, ranks)
            settings = _settings(task, recipe)
        if ranks.first and not before:
            branch = {"branch": origin.noted()} if origin else {}
            begun = {"preset": task.preset, "seed": recipe.plan.seed, "data": data.described}
            _create(run, settings | begun | branch)
        ranks.barrier()
        outcome = run_training(
            Setup(
                run=run,
                name=task.model,
                model=started(module, recipe, device),
                plan=recipe.plan,
                data=data,
                device=device,
                executor=task.executor,
                ranks=ranks,
                quiet=task.quiet,
                estimate=task.estimate,
                tensorboard=task.tensorboard,
                origin=origin.state if origin else None,
            )
        )
    return TrainResult(
        run=task.out,
        kimg=outcome.nimg / 1000,
        finished=outcome.finished,
        stopped=not outcome.finished,
        seconds=outcome.seconds,
        settings=settings | {"config": to_plain(recipe.config)},
        picture_size=_picture_size(recipe.config),
    )


def _origin(task: Train, run: "RunFolder", before: dict[str, Any] | None) -> "BranchPoint | None":
    """Where a branch begins; None of a run that has a state of its own already, or is no branch."""
    from ganvas.core.errors import UserError
    from ganvas.tasks.training.branching import branch_point, require_same_branch

    if task.branch is not None and (task.preset or task.minutes is not None):
        other = "--preset" if task.preset else "--minutes"
        raise UserError(f"--from {task.branch} brings the settings of its run, and {other} others. Give one of them.")
    if before is None:
        return branch_point(task.branch, model=task.model) if task.branch is not None else None
    noted = before.get("branch")
    if task.branch is not None:
        require_same_branch(noted, task.branch, task.out)
    return branch_point(Path(noted["state"]), model=task.model) if noted and not run.states() else None


def _require_fitting(origin: "BranchPoint", module: "ModuleType", recipe: "Recipe") -> None:
    """The state of another run fits the model: a run takes it after its folder has been written."""
    import torch

    from ganvas.core.config import to_plain
    from ganvas.core.errors import UserError
    from ganvas.tasks.training.branching import changed_settings
    from ganvas.train.loop import require_branch

    try:
        require_branch(started(module, recipe, torch.device("cpu")), recipe.plan, origin.state)
    except UserError as error:
        changed = changed_settings(origin, to_plain(recipe.config))
        raise UserError(
            f"--from {origin.state}: {error}{changed} A branch has the networks and the optimisers of its parent; what "
            "else is set may change, such as rates, batches and penalties."
        ) from error


def _require_weights(module: "ModuleType", recipe: "Recipe") -> None:
    """A file of weights that is named is there and fits: a run takes it after its folder has been written."""
    import torch

    from ganvas.core.errors import UserError
    from ganvas.losses.capabilities import NamesWeights, TakesWeights

    named = recipe.config.weights if isinstance(recipe.config, NamesWeights) else ""
    if not named:
        return
    if not Path(named).expanduser().is_file():
        raise UserError(f"--set weights={named}: there is no such file. Name one, or leave it out for random weights.")
    with torch.device("meta"):
        model = module.Model(recipe.config)
    if isinstance(model, TakesWeights):
        model.take_weights()


def _require_use(task: Train, module: "ModuleType", recipe: "Recipe") -> None:
    """Augmentation, views of the past and held-out samples are refused where nothing would come of them."""
    import torch

    from ganvas.core.errors import UserError
    from ganvas.losses.batches.domain_batch import Domains
    from ganvas.losses.capabilities import Classifies, Detects, Fills, HasDensity, Judges, Segments, Translates
    from ganvas.train.augmented import require_augmentable
    from ganvas.train.past_views import views_of

    with torch.device("meta"):
        model = module.Model(recipe.config)
    require_augmentable(model, recipe.plan, task.model)
    views_of(model, model.phases(), recipe.plan)
    if task.held_out is not None and model.batch_type is Domains:
        raise UserError(
            f"--held-out {task.held_out}: the translations of {task.model} are measured against --data and --other. "
            "Leave it out; `ganvas translate RUN SRC -o OUT` and `ganvas measure OUT REALS` measure those of others."
        )
    measured = (HasDensity, Judges, Classifies, Detects, Fills, Segments, Translates)
    if task.held_out is not None and not isinstance(model, measured):
        raise UserError(
            f"--held-out {task.held_out}: {task.model} gives no likelihood, judges nothing, names no classes and fills "
            "no holes, so nothing is measured on held-out samples. Leave it out; `ganvas measure RUN SRC` compares any "
            "pictures."
        )


def _picture_size(config: object) -> tuple[int, int] | None:
    from ganvas.losses.capabilities import SizesPictures, SizesPoints

    if isinstance(config, SizesPoints) and config.dims:
        return None
    return config.picture.size if isinstance(config, SizesPictures) else None


def _settings(task: Train, recipe: "Recipe") -> dict[str, Any]:
    """What run.json says of the model and the plan."""
    from ganvas.core.config import to_plain

    return {"model": task.model, "config": to_plain(recipe.config), "plan": to_plain(recipe.plan)}


def started(module: "ModuleType", recipe: "Recipe", device: Any) -> "Game":
    """The model on the device, its weights drawn from the seed."""
    from ganvas.core.seeds import stream
    from ganvas.nn.layers.initialise import initialise
    from ganvas.train.state import placed

    model: Game = module.Model(recipe.config)
    initialise(model, stream(recipe.plan.seed, "weights"))
    return placed(model, device)


def request_of(task: Train, before: dict[str, Any] | None, *, quiet: bool) -> "SourceRequest":
    """The sources and how they are read; on a resume as they were read then, where the option is not given again."""
    from ganvas.train.kinds.kind import SourceRequest

    fit = task.fit
    if before and fit == "refuse":
        fit = before["data"].get("fit", fit)
    return SourceRequest(
        data=task.data,
        other=task.other,
        target=task.target,
        held_out=task.held_out,
        held_out_target=task.held_out_target,
        fit=fit,
        background=task.background,
        broken=task.broken,
        conditional=task.conditional,
        labelled=task.labelled,
        quiet=task.quiet or quiet,
    )


def _begun(task: Train, run: "RunFolder") -> dict[str, Any] | None:
    """run.json of a run to resume, looked at before data is packed; None where a new one may begin."""
    from ganvas.core.errors import UserError
    from ganvas.data.sources.locations import refuse_out_inside

    if task.minutes is not None and (task.minutes <= 0 or task.kimg is not None):
        also = (
            " and --kimg both say how long the run is. Give one of them." if task.minutes > 0 else " must be above 0."
        )
        raise UserError(f"--minutes {task.minutes:g}{also}")
    if not run.exists:
        run.require_free()
        sources = (task.data, task.other, task.target, task.held_out, task.held_out_target)
        for source in filter(None, sources):
            refuse_out_inside(source, task.out)
        return None
    before = run.describe()
    missing = [name for name in ("model", "config", "plan", "data") if name not in before]
    if missing:
        raise UserError(
            f"{run.path / 'run.json'} has no '{missing[0]}': it was edited. Restore it, or choose another --out."
        )
    if before["model"] != task.model:
        raise UserError(f"{run.path} is a run of {before['model']}, not of {task.model}. Choose another --out.")
    if task.conditional and not before["config"].get("num_classes"):
        raise UserError(f"{run.path} was begun without --conditional. Leave it out to resume, or choose another --out.")
    if task.preset is not None and before.get("preset") != task.preset:
        begun = f"with --preset {before['preset']}" if before.get("preset") else "without a preset"
        raise UserError(f"{run.path} was begun {begun}, not with {task.preset}. Leave --preset out to resume.")
    return before


def resolve(
    task: Train, module: "ModuleType", kind: "Kind", request: "SourceRequest", before: dict[str, Any] | None
) -> "Recipe":
    """The model's and the run's settings: defaults or the preset, then what the data asks for, then --set.

    On a resume the run's own settings take the place of the defaults, so that nothing need be given again.
    """
    from ganvas.core.config import from_plain, override, typed
    from ganvas.losses.capabilities import FitsLength, SizesPictures
    from ganvas.train.plan import Plan, Recipe, saved_plan

    config_changes, plan_changes = _changes(task, module)
    if before is not None:
        config, plan = from_plain(module.Config, before["config"]), saved_plan(before["plan"])
        return Recipe(config=override(config, config_changes), plan=override(plan, plan_changes))
    recipe = _preset(task) if task.preset else Recipe(config=kind.defaults(module), plan=Plan(), fitted=True)
    _require_kind(task, module, recipe)
    plan = override(recipe.plan, plan_changes)
    given = typed(recipe.config, config_changes)
    bound = recipe.bound
    if bound is None and task.preset and isinstance(recipe.config, SizesPictures):
        bound = min(recipe.config.picture.size)
    config = override(recipe.config, kind.fields_for(request, recipe.config, given, bound=bound) | given)
    if recipe.fitted and isinstance(config, FitsLength):
        config = override(config.fitted(plan.total_kimg), given)
    return replace(recipe, config=config, plan=plan)


def _require_kind(task: Train, module: "ModuleType", recipe: "Recipe") -> None:
    """Refuses a preset for points where the source holds pictures, and the other way round."""
    from ganvas.core import catalogue
    from ganvas.core.errors import UserError
    from ganvas.data.points.opening_points import is_points
    from ganvas.losses.capabilities import SizesPoints

    if not task.preset or len(module.Model.takes) < 2 or not isinstance(recipe.config, SizesPoints):
        return
    points = is_points(task.data)
    if points == bool(recipe.config.dims):
        return
    names = catalogue.functions("recipes", task.model)
    fitting = [name for name in names if bool(catalogue.preset(task.model, name).config.dims) == points]
    made, held = ("pictures", "points") if points else ("points", "pictures")
    instead = f" Presets for {held}: {', '.join(fitting)}." if fitting else ""
    raise UserError(
        f"--preset {task.preset} is made for {made}, and {task.data} holds {held}.{instead} Or leave it out."
    )


def _changes(task: Train, module: "ModuleType") -> tuple[dict[str, Any], dict[str, Any]]:
    """What a person set, of the model's Config and of the Plan."""
    import dataclasses

    from ganvas.core.config import parse_changes
    from ganvas.core.errors import UserError, did_you_mean
    from ganvas.train.plan import Plan

    changes: dict[str, Any] = parse_changes(task.set)
    named = {"total_kimg": task.kimg, "seed": task.seed, "keep_best": task.keep_best, "augment": task.augment}
    named["shards"] = task.shards
    changes |= {name: value for name, value in named.items() if value is not None}
    of_plan = {field.name for field in dataclasses.fields(Plan)}
    of_config = {field.name for field in dataclasses.fields(module.Config)}
    for name in changes:
        if name not in of_plan | of_config:
            known = sorted(of_plan | of_config)
            raise UserError(
                f"--set {name}={changes[name]}: there is no field '{name}'.{did_you_mean(name, known)} "
                f"Fields: {', '.join(known)}."
            )
    of_model = {name: value for name, value in changes.items() if name in of_config}
    return of_model, {name: value for name, value in changes.items() if name in of_plan}


def _threads(
    task: Train, module: "ModuleType", recipe: "Recipe", data: "RunData", device: Any, ranks: "Ranks"
) -> "AbstractContextManager[int | None]":
    """Surrounds a new run with the threads that are worth it, where nobody has said how many."""
    from ganvas.train.augmented import augmented
    from ganvas.train.execution.threads import settled

    said = task.threads is not None or "OMP_NUM_THREADS" in os.environ
    if said or not task.estimate or ranks.count > 1 or device.type != "cpu":
        return contextlib.nullcontext()
    model = augmented(started(module, recipe, device), recipe.plan)
    feed = data.feed(model, recipe.plan, device=device, ranks=ranks)
    return settled(model, feed, recipe.plan.total_nimg)


def _within(
    minutes: float, task: Train, module: "ModuleType", recipe: "Recipe", data: "RunData", device: Any, ranks: "Ranks"
) -> "Recipe":
    """The recipe with the length that fits into some minutes on this machine, its schedule laid out anew."""
    import torch

    from ganvas.core.config import override, typed
    from ganvas.core.errors import UserError
    from ganvas.losses.capabilities import FitsLength
    from ganvas.train.augmented import augmented
    from ganvas.train.forecast import forecast
    from ganvas.train.pauses import plan_within, tried_pauses

    model = augmented(started(module, recipe, device), recipe.plan)
    feed = data.feed(model, recipe.plan, device=device, ranks=ranks)
    total = recipe.plan.total_nimg
    last = model.schedule().at(max(total - 1, 0))
    pauses = tried_pauses(model, data, recipe.plan, stage=last, device=device)
    steps = forecast(model, feed, total, ranks=ranks).step_seconds_between(0, total)
    feed.close()
    seconds = [torch.tensor(value, device=device) for value in (steps, *(pause.seconds for pause in pauses))]
    ranks.average_(seconds)  # Every rank plans the same length.
    steps, *standing = (float(value) for value in seconds)
    pauses = [replace(pause, seconds=value) for pause, value in zip(pauses, standing, strict=True)]
    try:
        plan = plan_within(60 * minutes, recipe.plan, step_seconds=steps, pauses=pauses)
    except UserError as error:
        raise UserError(f"--minutes {minutes:g}: {error}") from None
    config = recipe.config
    if recipe.fitted and isinstance(config, FitsLength):
        config = override(config.fitted(plan.total_kimg), typed(config, _changes(task, module)[0]))
    return replace(recipe, config=config, plan=plan)


def pick_device(name: str) -> Any:
    """``auto`` is the GPU of this rank if there is one; a device that is not there is a UserError."""
    import torch

    from ganvas.core.errors import UserError

    if name == "auto":
        name = f"cuda:{os.environ.get('LOCAL_RANK', '0')}" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError:
        raise UserError(f"--device {name} is not a device. Use cpu, cuda, cuda:1, or auto.") from None
    if device.type == "cuda" and not torch.cuda.is_available():
        raise UserError(f"--device {name}: this machine (or this build of torch) has no CUDA device. Use --device cpu.")
    if device.type not in ("cpu", "cuda"):
        raise UserError(f"--device {name}: Ganvas trains on cpu and cuda.")
    return device


def _preset(task: Train) -> "Recipe":
    from ganvas.core import catalogue

    return catalogue.preset(task.model, str(task.preset))


def _prepare(kind: "Kind", request: "SourceRequest", recipe: "Recipe", ranks: "Ranks") -> "RunData":
    """The data, packed and checked. The first rank packs, the others wait."""
    data = kind.prepare(request, recipe.config, recipe.plan) if ranks.first else None
    ranks.barrier()
    return data or kind.prepare(request, recipe.config, recipe.plan)


def _require_same_settings(
    before: dict[str, Any], now: dict[str, Any], out: Path, *, defaults: Mapping[str, Any]
) -> None:
    """A run goes on only with what it was begun with; what does not alter its past may differ.

    Args:
        defaults: Of the model's settings: what a run had that was begun before there was such a setting.
    """
    from ganvas.core.config import to_plain
    from ganvas.core.errors import UserError
    from ganvas.train.plan import FREE_TO_CHANGE, Plan

    begun = {"config": {**defaults, **before["config"]}, "plan": to_plain(Plan()) | before["plan"]}
    for part, settings in begun.items():
        for name, value in now[part].items():
            if name not in FREE_TO_CHANGE and settings.get(name) != value:
                raise UserError(
                    f"{out} was begun with {name}={settings.get(name)}, and now {name}={value} is asked for. "
                    "Leave it out to resume, or choose another --out."
                )


def _require_same_data(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    """Other samples are refused, with the setting that made them other where it was one."""
    from ganvas.core.errors import UserError

    for source in ("other", "target", "held_out", "held_out_target"):
        option = f"--{source.replace('_', '-')}"
        then, given = before.get(source), now.get(source)
        if (then or {}).get("fingerprint") != (given or {}).get("fingerprint"):
            was = f"with {option} {then['spec']}" if then else f"without {option}"
            raise UserError(f"{out} was begun {was}. Give the same to resume, or choose another --out.")
    if before["fingerprint"] == now["fingerprint"]:
        return
    for name in ("fit", "background", "broken"):
        if before.get(name) != now.get(name):
            raise UserError(
                f"{out} was begun with --{name} {before.get(name)}, and now --{name} {now[name]} makes other pictures. "
                "Give the settings it was begun with to resume, or choose another --out."
            )
    raise UserError(
        f"{out} was begun on other pictures than {now['spec']} holds now "
        f"({before['count']} then, {now['count']} now). Restore them, or choose another --out."
    )


def _create(run: "RunFolder", described: dict[str, Any]) -> None:
    import sys
    from datetime import UTC, datetime

    from ganvas.core.process import provenance

    run.create(
        described
        | {
            "versions": provenance.versions(),
            "machine": provenance.machine(),
            "command": ["ganvas", *sys.argv[1:]],
            "started": datetime.now(UTC).isoformat(timespec="seconds"),
            "status": "running",
            "cost": None,
        }
    )
