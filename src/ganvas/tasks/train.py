"""Train a model on pictures; the same command goes on where it was stopped."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import tyro

if TYPE_CHECKING:
    from types import ModuleType

    from ganvas.core.ranks import Ranks
    from ganvas.train.plan import Recipe


@dataclass(frozen=True, kw_only=True)
class Train:
    """Train a model on a folder, archive or built-in set of pictures. The same command goes on where it was stopped.

    Examples:
      ganvas train gan/progan --data photos/ --out runs/photos
      ganvas train gan/progan --data cifar10.tar.xz --out runs/cifar --preset cifar10 --keep-best swd
      torchrun --nproc-per-node 2 -m ganvas train gan/progan --data photos/ --out runs/photos
    """

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """What to train: a name from `ganvas models`, such as gan/progan."""
    data: Annotated[str, tyro.conf.arg(metavar="SRC")]
    """Folder, .zip, .tar(.gz|.xz), .npz/.npy, MNIST or CIFAR files, a packed folder, or the built-in `scenes`."""
    out: Annotated[Path, tyro.conf.arg(aliases=["-o"], metavar="RUN")]
    """Run directory; one that exists is gone on with."""
    preset: str | None = None
    """A named set of settings; `ganvas models MODEL` lists them with their sources."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """Change one field of the model's or the run's settings; may be repeated."""
    kimg: float | None = None
    """Thousands of real images to show (short for --set total_kimg=...)."""
    seed: int | None = None
    """Of the weights, the noise and the order of the pictures."""
    keep_best: Literal["none", "swd"] | None = None
    """Also keep the state with the best measured value."""
    conditional: bool = False
    """Learn to draw each class of a labelled source."""
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
    """Processor threads; results repeat bit for bit only with the same number."""
    tensorboard: bool = False
    """Also write TensorBoard files into the run."""
    quiet: tyro.conf.Suppress[bool] = False
    estimate: tyro.conf.Suppress[bool] = True
    dry_run: Annotated[bool, tyro.conf.arg(aliases=["-n"])] = False
    """Show the settings and stop."""


@dataclass(frozen=True, kw_only=True)
class TrainResult:
    """Where the run is and how far it came."""

    run: Path
    kimg: float
    finished: bool
    stopped: bool  # A signal asked for it; the same command goes on.
    seconds: float
    settings: dict[str, Any]


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
    if task.threads is not None:
        if task.threads < 1:
            raise UserError(f"--threads {task.threads} must be at least 1. Leave it out to use every core.")
        torch.set_num_threads(task.threads)
    device = pick_device(task.device)
    with joined(device) as ranks:
        return _train(task, module, device, ranks)


def _train(task: Train, module: "ModuleType", device: Any, ranks: "Ranks") -> TrainResult:
    from ganvas.core.config import to_plain
    from ganvas.core.run_folder import RunFolder
    from ganvas.core.seeds import stream
    from ganvas.nn.layers.initialise import initialise
    from ganvas.train.loop import Setup
    from ganvas.train.loop import train as run_training

    run = RunFolder(task.out)
    before = _begun(task, run)
    recipe = resolve(task, module, before)
    settings = {"model": task.model, "config": to_plain(recipe.config), "plan": to_plain(recipe.plan)}
    if before:
        _require_same_settings(before, settings, task.out)
    if task.dry_run:
        return TrainResult(run=task.out, kimg=0, finished=False, stopped=False, seconds=0, settings=settings)

    if before and task.fit == "refuse":  # The same pictures as then, also where the option is not said again.
        task = replace(task, fit=before["data"]["fit"])
    packed, data = _prepare(task, recipe.config, ranks)
    described = settings | {"preset": task.preset, "seed": recipe.plan.seed, "data": data}
    if before:
        _require_same_pictures(before["data"], data, task.out)
    if ranks.first:
        _open(run, described, before)
    ranks.barrier()
    model = module.Model(recipe.config)
    initialise(model, stream(recipe.plan.seed, "weights"))
    outcome = run_training(
        Setup(
            run=run,
            name=task.model,
            model=model.to(device, memory_format=_channels_last()),
            plan=recipe.plan,
            packed=packed,
            data=data,
            device=device,
            executor=task.executor,
            ranks=ranks,
            quiet=task.quiet,
            estimate=task.estimate,
            tensorboard=task.tensorboard,
        )
    )
    return TrainResult(
        run=task.out,
        kimg=outcome.nimg / 1000,
        finished=outcome.finished,
        stopped=not outcome.finished,
        seconds=outcome.seconds,
        settings=settings,
    )


def _begun(task: Train, run: Any) -> dict[str, Any] | None:
    """run.json of a run to go on with, looked at before pictures are packed; None where a new one may begin."""
    from ganvas.core.errors import UserError

    if not run.exists:
        run.require_free()
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
        raise UserError(f"{run.path} was begun without --conditional. Leave it out to go on, or choose another --out.")
    return before


def resolve(task: Train, module: "ModuleType", before: dict[str, Any] | None) -> "Recipe":
    """The model's and the run's settings: defaults, then the preset, then --set, then what the data asks for."""
    import dataclasses

    from ganvas.core.config import override, parse_changes
    from ganvas.core.errors import UserError, did_you_mean
    from ganvas.train.plan import Plan, Recipe

    recipe = _preset(task) if task.preset else Recipe(config=module.Config(), plan=Plan())
    changes: dict[str, Any] = parse_changes(task.set)
    named = {"total_kimg": task.kimg, "seed": task.seed, "keep_best": task.keep_best}
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
    config_changes = {name: value for name, value in changes.items() if name in of_config}
    plan = override(recipe.plan, {name: value for name, value in changes.items() if name in of_plan})
    if before is not None:
        chosen = {name: before["config"].get(name) for name in ("resolution", "base", "channels", "num_classes")}
    else:
        chosen = _from_data(task, "resolution" in config_changes or task.preset is not None, config_changes, recipe)
    config = override(
        recipe.config, {k: v for k, v in chosen.items() if v is not None and k in of_config} | config_changes
    )
    return Recipe(config=config, plan=plan)


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
    from ganvas.core.errors import UserError, did_you_mean

    known = catalogue.functions("recipes", task.model)
    if task.preset not in known:
        listed = f" Presets: {', '.join(known)}." if known else f" {task.model} has no presets."
        raise UserError(f"There is no preset '{task.preset}'.{did_you_mean(str(task.preset), known)}{listed}")
    return getattr(catalogue.load("recipes", task.model), task.preset.replace("-", "_"))()


def _from_data(task: Train, resolution_given: bool, given: dict[str, Any], recipe: "Recipe") -> dict[str, Any]:
    """Size, channels and classes that fit the source, for what was not given."""
    from ganvas.core.config import coerce
    from ganvas.core.errors import UserError
    from ganvas.core.sizes import doubled_size
    from ganvas.data.survey import survey

    found = survey(task.data)
    if not found.sizes and not found.count:
        return {}
    chosen: dict[str, Any] = {}
    if found.sizes:
        height, width = max(found.sizes, key=lambda size: (found.sizes[size], size))
        resolution = None
        if resolution_given:
            resolution = coerce(given.get("resolution", recipe.config.resolution), int, "resolution")
        base, resolution = doubled_size(height, width, resolution)
        chosen |= {"base": base, "resolution": resolution}
    if "channels" not in given:
        chosen["channels"] = 1 if set(found.modes) <= {"L", "1", "I;16", "LA"} and found.modes else 3
    if task.conditional:
        if not found.labels:
            raise UserError(
                f"--conditional needs labels, and {task.data} has none. One sub-folder per class gives them."
            )
        chosen["num_classes"] = len(found.labels)
    return chosen


def _prepare(task: Train, config: Any, ranks: "Ranks") -> tuple[Any, dict[str, Any]]:
    """The packed pictures, and what run.json and model.json say of them. The first rank packs, the others wait."""
    from ganvas.core.errors import UserError
    from ganvas.data.packing import prepare

    settings: dict[str, Any] = {"fit": task.fit, "background": task.background, "broken": task.broken}

    def ready() -> Any:
        return prepare(
            task.data,
            size=config.picture_size,
            channels=config.channels,
            quiet=task.quiet or not ranks.first,
            **settings,
        )

    packed = ready() if ranks.first else None
    ranks.barrier()
    packed = packed or ready()
    classes = config.num_classes
    if classes and (packed.labels is None or int(packed.labels.max()) >= classes):
        has = "has no labels" if packed.labels is None else f"has {int(packed.labels.max()) + 1} classes"
        raise UserError(f"num_classes={classes}, but {task.data} {has}. Leave it out, or use --conditional.")
    described = {
        "spec": _lasting(task.data),
        "fingerprint": packed.fingerprint,
        "count": len(packed),
        "height": packed.height,
        "width": packed.width,
        "channels": packed.channels,
        "class_names": list(packed.class_names),
        **settings,
    }
    return packed, described


def _lasting(spec: str) -> str:
    """A path that still means the same from another folder; the name of a built-in set as it is."""
    path, separator, inside = spec.partition("::")
    return f"{Path(path).resolve()}{separator}{inside}" if Path(path).exists() else spec


def _require_same_settings(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    """A run goes on only with what it was begun with; what does not alter its past may differ."""
    from ganvas.core.errors import UserError
    from ganvas.train.plan import FREE_TO_CHANGE

    for part in ("config", "plan"):
        for name, value in now[part].items():
            if name not in FREE_TO_CHANGE and before[part].get(name) != value:
                raise UserError(
                    f"{out} was begun with {name}={before[part].get(name)}, and now {name}={value} is asked for. "
                    "Give the settings it was begun with to go on, or choose another --out."
                )


def _require_same_pictures(before: dict[str, Any], now: dict[str, Any], out: Path) -> None:
    """Other pixels are refused, with the setting that made them other where it was one."""
    from ganvas.core.errors import UserError

    if before["fingerprint"] == now["fingerprint"]:
        return
    for name in ("fit", "background", "broken"):
        if before.get(name) != now[name]:
            raise UserError(
                f"{out} was begun with --{name} {before.get(name)}, and now --{name} {now[name]} makes other pictures. "
                "Give the settings it was begun with to go on, or choose another --out."
            )
    raise UserError(
        f"{out} was begun on other pictures than {now['spec']} holds now "
        f"({before['count']} then, {now['count']} now). Restore them, or choose another --out."
    )


def _open(run: Any, described: dict[str, Any], before: dict[str, Any] | None) -> None:
    import sys
    from datetime import UTC, datetime

    from ganvas.core import provenance

    if before:
        run.note(plan=described["plan"])
        return
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


def _channels_last() -> Any:
    import torch

    return torch.channels_last
