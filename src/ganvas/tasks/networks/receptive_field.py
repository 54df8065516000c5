"""``ganvas receptive-field MODEL LAYER``: what a unit reads, exactly, and what it looks at, measured."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.tasks.networks.network_options import Network, find, weighted

if TYPE_CHECKING:
    from ganvas.anatomy.fields.effective_field import EffectiveField
    from ganvas.anatomy.fields.receptive_field import Field
    from ganvas.anatomy.trace.graph import Graph


@dataclass(frozen=True, kw_only=True)
class ReceptiveField(Network):
    """Find a unit's receptive field: the pixels that it reads, holes included, and how strongly each moves it.

    Examples:
      ganvas receptive-field gan/dcgan:discriminator
      ganvas receptive-field resnet50 layers.2 --samples 0
      ganvas receptive-field runs/x:discriminator blocks.1 -o field.png
      ganvas receptive-field nets.py:UNet down.2 --input 1,3,256,256 --unit 10,12
    """

    layer: tyro.conf.Positional[str] = "output"
    """A layer by its name in the code (see `ganvas table --columns module layer shape`), #7 for the operation of that
    number, or the output."""
    unit: str | None = None
    """The unit's place, such as 10,12 (row, column from 0); the middle one where left out."""
    statistics: bool = False
    """Let an instance, group or layer normalisation read what its mean and deviation are taken of."""
    samples: int = 16
    """Inputs over which the gradient is averaged; 0 leaves the measurement out."""
    data: str | None = None
    """Pictures to measure the gradient at: any source. Normal noise where left out."""
    seed: int = 0
    """Of the noise, of the choice of pictures, and of the weights of a network that has none."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """A picture of both fields to write: .png, .svg or .pdf."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class Measured:
    """The effective field."""

    weights: str  # Whose they are.
    inputs: str
    samples: int
    seed: int
    centre: tuple[float, float]
    deviation: tuple[float, float]
    side: float  # Of the square with as many pixels as move the unit by more than 4.55 % of the strongest.


@dataclass(frozen=True, kw_only=True)
class ReceptiveFieldResult:
    """The field of one unit; everything per axis of the network's input."""

    model: str
    layer: str
    op: str
    unit: tuple[int, ...]
    input_size: tuple[int, ...]
    size: tuple[int, ...]
    everywhere: bool  # Reads the whole input through a mean or an attention; ``size`` then says nothing.
    first: tuple[int, ...]
    last: tuple[int, ...]
    inside: tuple[tuple[int, int], ...]
    stride: tuple[float | None, ...]  # Pixels from a unit's field to the next one's; None where there is no one number.
    stride_exact: tuple[str, ...]  # The same as fractions, or why there is none.
    pixels_read: int
    holes: int
    guessed: tuple[str, ...]
    read_as: tuple[str, ...]  # What axes were taken for what, where it is not plain.
    effective: Measured | None = None
    not_measured: str | None = None  # Why there is no measurement.
    written: Path | None = None


def receptive_field(task: ReceptiveField) -> ReceptiveFieldResult:
    """Traces the network, goes back from the unit, measures the gradient, and draws both."""
    from ganvas.anatomy.fields import receptive_field as fields
    from ganvas.anatomy.trace.trace import trace
    from ganvas.core.errors import UserError
    from ganvas.report.drawing.drawing import check_suffix

    if task.out is not None:
        check_suffix(task.out)
        if not task.out.absolute().parent.is_dir():
            raise UserError(f"There is no folder {task.out.absolute().parent} to write {task.out.name} into.")
    if task.samples < 0:
        raise UserError(f"--samples {task.samples} must be 0 or more.")
    loaded, inputs = find(task)
    if task.data is not None:
        _check_data(task, inputs)
    graph = trace(loaded.model, *inputs, name=loaded.name, real=task.real)
    if graph.failed:
        raise UserError(f"{graph.model} fails in {graph.failed.rstrip('.')}. What is behind it cannot be asked for.")
    found = fields.field(graph, task.layer, unit=_unit(task.unit), statistics=task.statistics)
    if task.out is not None and found.pixels.ndim != 2:
        raise UserError(f"A picture needs two axes, and this input has {found.pixels.ndim}: leave {task.out.name} out.")
    measured, gradient, why = None, None, "--samples 0" if task.samples == 0 else _immeasurable(graph, task.layer)
    if why is None:
        pictures = None if task.data is None else _pictures(task, inputs[0])
        try:
            model, whose = weighted(task, loaded, seed=task.seed)
            gradient = _measure(task, model, graph, found, pictures)
            measured = _described(gradient, whose, task)
        except UserError as error:
            why = str(error)
    if task.out is not None:
        _draw(task.out, graph.model, found, gradient)
    return ReceptiveFieldResult(
        model=graph.model,
        layer=found.layer,
        op=found.op,
        unit=found.unit,
        input_size=found.input_size,
        size=found.size,
        everywhere=found.everywhere,
        first=found.first,
        last=found.last,
        inside=found.inside,
        stride=tuple(None if stride.pixels is None else float(stride.pixels) for stride in found.stride),
        stride_exact=tuple(map(str, found.stride)),
        pixels_read=found.read,
        holes=found.holes,
        guessed=found.guessed,
        read_as=found.read_as,
        effective=measured,
        not_measured=why,
        written=task.out,
    )


def _unit(text: str | None) -> tuple[int, ...] | None:
    from ganvas.core.errors import UserError

    if text is None:
        return None
    try:
        return tuple(int(part) for part in text.strip("() ").split(","))
    except ValueError as error:
        raise UserError(f"--unit {text} is not a place. Give row and column from 0, such as 10,12.") from error


def _check_data(task: ReceptiveField, inputs: tuple[Any, ...]) -> None:
    """Refuses a source that is not there or does not fit the network, before any work."""
    from ganvas.core.errors import UserError
    from ganvas.data.sources.opening_sources import is_packed, open_source

    shape = tuple(getattr(inputs[0], "shape", inputs[0]))
    if task.samples == 0:
        raise UserError("--data gives pictures to measure the gradient at, and --samples 0 measures none. Drop one.")
    if len(inputs) != 1 or len(shape) != 4:
        raise UserError("--data gives pictures, and this network does not read one picture alone. Leave --data out.")
    if shape[1] not in (1, 3, 4):
        raise UserError(f"--data gives pictures of 1, 3 or 4 channels, and the network reads {shape[1]}.")
    if not is_packed(str(task.data)):
        open_source(str(task.data), size=(shape[2], shape[3]))


def _immeasurable(graph: "Graph", layer: str) -> str | None:
    """Why the gradient of a layer cannot be measured, or None."""
    from ganvas.anatomy.fields.receptive_field import find

    if len(graph.input_shapes) != 1 or len(graph.input_shapes[0]) != 4:
        return "the gradient is measured for networks that read one picture."
    node = find(graph, layer)
    if find(graph, node.module or "output").index != node.index:
        inside = f"of {node.module}" if node.module else "outside of any layer"
        return f"{node.op} is an operation {inside}, and the gradient is measured at what a layer gives."
    return None


def _measure(task: ReceptiveField, model: Any, graph: "Graph", found: "Field", pictures: Any) -> "EffectiveField":
    from ganvas.anatomy.fields.effective_field import effective_field
    from ganvas.anatomy.fields.receptive_field import find

    node = find(graph, task.layer)
    return effective_field(
        model,
        graph.input_shapes[0],
        layer="" if task.layer in ("output", "") else node.module if task.layer.startswith("#") else task.layer,
        index=found.index,
        samples=task.samples,
        seed=task.seed,
        pictures=pictures,
        quiet=task.quiet,
    )


def _pictures(task: ReceptiveField, shape: Any) -> Any:
    """So many pictures of a source at the network's size, in [-1, 1]."""
    import torch

    from ganvas.core import pixels
    from ganvas.data.packing import prepare
    from ganvas.metrics.measuring.draws import draw

    _, channels, height, width = tuple(getattr(shape, "shape", shape))
    packed = prepare(str(task.data), size=(height, width), channels=channels, fit="crop", quiet=task.quiet)
    batches = draw(packed, min(task.samples, len(packed)), seed=task.seed)
    return torch.cat([pixels.to_float(batch) for batch in batches])


def _described(gradient: "EffectiveField", whose: str, task: ReceptiveField) -> Measured:
    return Measured(
        weights=whose,
        inputs=task.data or "normal noise",
        samples=gradient.samples,
        seed=gradient.seed,
        centre=gradient.centre,
        deviation=gradient.deviation,
        side=gradient.side,
    )


def _draw(path: Path, model: str, found: "Field", gradient: "EffectiveField | None") -> None:
    from ganvas.anatomy.fields.field_picture import field_picture
    from ganvas.report.drawing.drawing import write

    write(field_picture(model, found, gradient), path)
