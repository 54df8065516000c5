"""Options that all commands on a network share: which network, with what input."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

if TYPE_CHECKING:
    from torch import nn

    from ganvas.anatomy.loading.load import Loaded
    from ganvas.anatomy.trace.graph import Graph

TRAINED = "trained for"  # So many kimg: whose weights a run's are.


@dataclass(frozen=True, kw_only=True)
class Network:
    """The network to look into, and its input."""

    model: Annotated[str, tyro.conf.Positional, tyro.conf.arg(metavar="MODEL")]
    """A model of `ganvas models` (with :PART for one of its networks), a classic network such as resnet50,
    package.module:factory, file.py:factory, a run folder, or an exported .pt2 or TorchScript file."""
    input: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SHAPE")] = ()
    """Shape of the input with its batch, such as 1,3,64,64 (1,16:int64 for whole numbers); repeat it for several
    inputs. Known already for models of Ganvas."""
    preset: str | None = None
    """A named set of settings of a model."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """Change one field of a model's settings, such as resolution=1024; may be repeated."""
    part: str | None = None
    """One network inside of the model, by its name in the code."""
    fused: bool = False
    """Show up- and down-sampling fused with their convolutions, as they run, not as papers write them."""
    real: bool = False
    """Run on real values, for a network whose path depends on what it computes."""


def graph_of(task: Network) -> "Graph":
    """The traced network of a command."""
    from ganvas.anatomy.trace.trace import trace

    loaded, inputs = find(task)
    return trace(loaded.model, *inputs, name=loaded.name, real=task.real)


def find(task: Network) -> "tuple[Loaded, tuple[Any, ...]]":
    """The network of a command, as shapes where it can be, and its inputs (shapes, or tensors)."""
    from ganvas.anatomy.loading.load import load
    from ganvas.core.config import parse_changes
    from ganvas.core.errors import UserError
    from ganvas.core.progress import say

    changes = parse_changes(task.set)
    loaded = load(task.model, part=task.part, preset=task.preset, changes=changes, fused=task.fused, values=task.real)
    inputs = tuple(map(parse_input, task.input)) or loaded.inputs
    if inputs is None:
        raise UserError(
            f"The input of {task.model} is not known. Give its shape with the batch: --input 1,3,64,64, "
            "and once for each of its inputs."
        )
    if loaded.choice:
        say(f"This is {loaded.name}; {loaded.choice}")
    return loaded, inputs


def weighted(task: Network, loaded: "Loaded", *, seed: int) -> "tuple[nn.Module, str]":
    """The network with weights, and whose they are: the last ones that a run keeps, a file's, a fresh start, or what
    somebody's own code gave it, of which nobody else can know whether they are trained."""
    from ganvas.anatomy.loading.load import part_of
    from ganvas.anatomy.loading.random_weights import with_weights
    from ganvas.core.run_folder import is_run_or_model

    path, _, part = task.model.rpartition(":") if not Path(task.model).exists() else (task.model, "", "")
    folder = Path(path).expanduser()
    if is_run_or_model(folder):
        from ganvas.train import trained

        kept = trained.load(folder)
        chosen = task.part or part or loaded.name.rpartition(":")[2].rstrip(")")
        return part_of(kept.model, chosen, task.model), f"{TRAINED} {kept.kimg:g} kimg"
    model = with_weights(loaded, seed=seed)
    if loaded.fresh:
        return model, f"of {loaded.whose}, seed {seed}"
    return model, loaded.whose if loaded.build is None else f"{loaded.whose} (called with torch's seed {seed})"


def parse_input(text: str) -> Any:
    """``1,3,64,64`` or ``1x3x64x64`` as a shape; ``1,16:int64`` as a tensor of zeros without memory."""
    from ganvas.core.errors import UserError, did_you_mean

    sizes, _, kind = text.strip("()[] ").partition(":")
    try:
        shape = tuple(int(size) for size in sizes.replace("x", ",").split(",") if size.strip())
    except ValueError:
        shape = ()
    if not shape or min(shape) < 1:
        raise UserError(
            f"--input {text} is not a shape. Give whole sizes of at least 1 with the batch first, such as 1,3,64,64."
        )
    if not kind:
        return shape
    import torch

    kinds = {str(d).removeprefix("torch."): d for d in vars(torch).values() if isinstance(d, torch.dtype)}
    if kind not in kinds:
        raise UserError(f"--input {text}: there is no precision '{kind}'.{did_you_mean(kind, kinds)} Such as int64.")
    return torch.zeros(shape, dtype=kinds[kind], device="meta")
