"""``ganvas grid``: does a stack of dilated convolutions look at every pixel?"""

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Annotated

import tyro

if TYPE_CHECKING:
    from ganvas.anatomy.fields.dilated_stacks import Stack
    from ganvas.anatomy.fields.gridding import Gridding


@dataclass(frozen=True, kw_only=True)
class Grid:
    """Judge dilation rates, or every dilated stack of a network, for gridding. Exit code 1 when there are holes.

    Examples:
      ganvas grid 1 2 5
      ganvas grid 2 4 8 --kernel 3
      ganvas grid nets.py:DeepLab --input 1,3,256,256
    """

    what: Annotated[tuple[str, ...], tyro.conf.Positional, tyro.conf.arg(metavar="RATE [RATE ...] | MODEL")]
    """Dilation rates, one per layer; or a network, as `ganvas table` takes it."""
    kernel: int = 3
    """Side of the kernel of every layer, where rates are given."""
    input: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="SHAPE")] = ()
    """Shape of a network's input with its batch, such as 1,3,256,256."""
    preset: str | None = None
    """A named set of settings of a model."""
    set: Annotated[tuple[str, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="FIELD=VALUE")] = ()
    """Change one field of a model's settings; may be repeated."""


@dataclass(frozen=True, kw_only=True)
class StackResult:
    """One stack. Offsets are along one axis."""

    layers: tuple[str, ...]
    rates: tuple[int, ...]
    kernels: tuple[int, ...]
    covers: bool
    verdict: str
    rule: str
    field: int
    holes: tuple[int, ...]  # Of the rates alone.
    density: float
    fewest_paths: int
    most_paths: int
    divisor: int
    suggestion: tuple[int, ...] | None
    suggested_field: int | None
    # Pixels of the map below that a network truly misses, its skips counted; None on a map smaller than the field.
    missed: int | None = None
    dead_layers: tuple[str, ...] = ()  # With taps that reach past their map from everywhere: "NAME 1 of 9".
    dead_parameters: int = 0  # Weights of those taps.


@dataclass(frozen=True, kw_only=True)
class GridResult:
    """The verdict of every stack; a shell's exit code says whether there are holes."""

    model: str | None
    stacks: list[StackResult]
    covers: bool
    exit_code: int = field(default=0)


def grid(task: Grid) -> GridResult:
    """Judges rates, or the stacks of a network."""
    from ganvas.anatomy.fields.gridding import gridding
    from ganvas.core.errors import UserError

    if len(task.what) == 1 and "," in task.what[0] and all(map(_is_number, task.what[0].split(","))):
        raise UserError(f"Write the rates apart: ganvas grid {task.what[0].replace(',', ' ')}.")
    if all(_is_number(word) for word in task.what):
        stacks = [_result((), gridding([int(word) for word in task.what], kernel=task.kernel), None)]
        model = None
    elif len(task.what) > 1:
        strange = next(word for word in task.what if not _is_number(word))
        raise UserError(f"'{strange}' is not a dilation rate. Give whole numbers, such as 1 2 5, or one network.")
    else:
        model, stacks = _of_network(task)
    covers = all(stack.covers for stack in stacks)
    return GridResult(model=model, stacks=stacks, covers=covers, exit_code=0 if covers else 1)


def _is_number(word: str) -> bool:
    return word.lstrip("+-").isdigit()


def _of_network(task: Grid) -> tuple[str, list[StackResult]]:
    from ganvas.anatomy.fields.dilated_stacks import dilated_stacks
    from ganvas.core.errors import UserError
    from ganvas.tasks.networks.network_options import Network, graph_of

    graph = graph_of(Network(model=task.what[0], input=task.input, preset=task.preset, set=task.set))
    if graph.failed:
        raise UserError(f"{graph.model} fails in {graph.failed.rstrip('.')}. Its stacks cannot be judged.")
    return graph.model, [_of_stack(stack) for stack in dilated_stacks(graph)]


def _of_stack(stack: "Stack") -> StackResult:
    """A stack of a network, with the taps that its maps are too small for."""
    dead = [taps for taps in stack.taps if taps.live < taps.all]
    return replace(
        _result(stack.layers, stack.gridding, stack.holes),
        dead_layers=tuple(f"{taps.layer} {taps.live} of {taps.all}" for taps in dead),
        dead_parameters=sum(taps.dead_parameters for taps in dead),
    )


def _result(layers: tuple[str, ...], found: "Gridding", missed: int | None) -> StackResult:
    from ganvas.anatomy.fields.gridding import gridding

    better = None if found.suggestion is None else gridding(found.suggestion, kernel=max(found.kernels)).field
    return StackResult(
        layers=layers,
        rates=found.rates,
        kernels=found.kernels,
        covers=found.covers if missed is None else missed == 0,
        verdict=found.verdict,
        rule=found.rule_says,
        field=found.field,
        holes=found.holes,
        density=found.density,
        fewest_paths=found.fewest_paths,
        most_paths=found.most_paths,
        divisor=found.divisor,
        suggestion=found.suggestion,
        suggested_field=better,
        missed=missed,
    )
