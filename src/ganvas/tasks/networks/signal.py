"""``ganvas signal MODEL``: a signal and its gradient through a network at its start, theory beside measurement."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from ganvas.tasks.networks.network_options import TRAINED, Network, find, weighted

if TYPE_CHECKING:
    from ganvas.anatomy.loading.load import Loaded
    from ganvas.anatomy.signal.faults import Fault
    from ganvas.anatomy.signal.signal import LayerSignal, Signal


@dataclass(frozen=True, kw_only=True)
class SignalTask(Network):
    """Follow a signal and its gradient through a network at its start: second moments per layer, theory beside them.

    Examples:
      ganvas signal gan/dcgan:discriminator
      ganvas signal cifar_resnet20 --init fixup
      ganvas signal vgg_a --init xavier --seeds 4 -o signal.svg
      ganvas signal nets.py:Net --input 1,3,64,64 --init normal:0.02 --data photos/
    """

    init: str = "as-is"
    """How weights start: he, xavier, normal:DEVIATION, equalized, lsuv, fixup, or as-is, as the network's own code
    does it."""
    seeds: int = 16
    """Draws of weights and inputs."""
    batch: int = 16
    """Inputs per draw; it takes the place of the first size of --input."""
    unbatched: Annotated[tuple[int, ...], tyro.conf.UseAppendAction, tyro.conf.arg(metavar="N")] = ()
    """Number of an input that has no batch, such as positions: 2 is the second --input. May be repeated."""
    data: str | None = None
    """Pictures to send through: any source. Normal noise where left out."""
    seed: int = 0
    """Of the first draw."""
    out: Annotated[Path | None, tyro.conf.arg(aliases=["-o"])] = None
    """A picture to write: .png, .svg or .pdf."""
    quiet: bool = False
    """No progress."""


@dataclass(frozen=True, kw_only=True)
class LayerRow:
    """One layer with a weight; second moments of its output and of the gradient there, geometric means over seeds."""

    layer: str
    op: str
    shape: tuple[int, ...]
    mean: float
    deviation: float
    second_moment: float
    second_moment_spread: float  # Standard deviation of the natural logarithm over seeds.
    second_moment_standard_error: float  # Of the mean of the natural logarithm.
    theory: float  # From the layer's measured input.
    theory_chain: float  # From the network's input on.
    theory_chain_whole: bool  # False: it took up a measurement behind something that is not understood.
    gradient: float
    gradient_spread: float
    gradient_theory: float
    gradient_theory_chain: float
    gradient_theory_chain_whole: bool
    activation: str | None
    dead: float | None  # Share of the activation's units that are 0 for a whole batch.
    dead_channels: float | None
    saturated: float | None


@dataclass(frozen=True, kw_only=True)
class FaultRow:
    """The first weight, output or gradient that is nan or infinite."""

    what: str  # weight, output or gradient.
    layer: str
    op: str  # Of a gradient, what it comes back through.
    value: str  # nan, inf or -inf.
    draws: int  # In so many of the seeds.


@dataclass(frozen=True, kw_only=True)
class SignalResult:
    """Every layer with a weight, in order of execution."""

    model: str
    init: str
    weights: str
    inputs: str
    seeds: int
    seed: int
    batch: int
    layers: list[LayerRow]
    left_out: tuple[str, ...]  # Layers whose weight --init could not set.
    without_theory: tuple[str, ...]  # Embeddings and recurrent layers: measured alone, their theory is nan.
    finite: bool  # Every weight, value and gradient was a finite number.
    verdict: str
    faults: list[FaultRow]
    written: Path | None = None

    @property
    def exit_code(self) -> int:
        """1 where something is nan or infinite, so that a script notices."""
        return 0 if self.finite else 1


def signal(task: SignalTask) -> SignalResult:
    """Draws the weights, sends signals through and gradients back, and draws the picture."""
    from ganvas.anatomy.signal.initialisations import parse
    from ganvas.anatomy.signal.signal import signal as measured
    from ganvas.anatomy.signal.signal_picture import signal_picture
    from ganvas.core.errors import UserError
    from ganvas.report.drawing.drawing import check_suffix, write

    parse(task.init)
    if task.out is not None:
        check_suffix(task.out)
        if not task.out.absolute().parent.is_dir():
            raise UserError(f"There is no folder {task.out.absolute().parent} to write {task.out.name} into.")
    for option, number in (("seeds", task.seeds), ("batch", task.batch)):
        if number < 1:
            raise UserError(f"--{option} {number} must be 1 or more.")
    loaded, inputs = find(task)
    if missing := [number for number in task.unbatched if not 1 <= number <= len(inputs)]:
        raise UserError(f"--unbatched {missing[0]}: {loaded.name} has {len(inputs)} inputs, counted from 1.")
    model, whose = weighted(task, loaded, seed=task.seed)
    maker = None if loaded.build is None or whose.startswith(TRAINED) else _Maker(loaded)
    found = measured(
        model,
        *inputs,
        init=task.init,
        seeds=task.seeds,
        seed=task.seed,
        batch=task.batch,
        unbatched=[number - 1 for number in task.unbatched],
        pictures=None if task.data is None else _pictures(task, inputs),
        make=maker,
        name=loaded.name,
        quiet=task.quiet,
    )
    if not found.layers:
        raise UserError(
            f"{loaded.name} has no convolution, linear, embedding or recurrent layer, so there is nothing to follow."
        )
    if task.out is not None:
        write(signal_picture(loaded.name, found), task.out)
    return SignalResult(
        model=loaded.name,
        init=task.init,
        weights=_whose(task, loaded, whose, maker),
        inputs=task.data or _noise(inputs),
        seeds=task.seeds,
        seed=task.seed,
        batch=task.batch,
        layers=[_row(layer, found) for layer in found.layers],
        left_out=found.left_out,
        without_theory=found.without_theory,
        finite=not found.faults,
        verdict=_verdict(found.faults),
        faults=[
            FaultRow(what=each.what, layer=each.layer, op=each.op, value=each.value, draws=each.draws)
            for each in found.faults
        ],
        written=task.out,
    )


def _noise(inputs: Sequence[Any]) -> str:
    """What is sent through in place of pictures, input by input; alike ones are named once."""
    import torch

    def one(part: Any) -> str:
        whole = isinstance(part, torch.Tensor) and not part.is_floating_point()
        return f"zeros ({str(part.dtype).removeprefix('torch.')})" if whole else "normal noise"

    return " and ".join(dict.fromkeys(map(one, inputs)))


def _verdict(faults: "Sequence[Fault]") -> str:
    if not faults:
        return "Every weight, value and gradient is a finite number."
    return f"Not finite: {'; '.join(map(str, faults))}. What lies behind it says nothing (-)."


class _Maker:
    """Makes the network anew for every seed, and sees whether its weights are others each time."""

    def __init__(self, loaded: "Loaded") -> None:
        self.loaded = loaded
        self.first: list[Any] | None = None
        self.always_alike = True

    def __call__(self, seed: int) -> Any:
        from ganvas.anatomy.loading.random_weights import with_weights

        model = with_weights(self.loaded, seed=seed)
        weights = list(model.parameters())
        if self.first is None:
            self.first = [weight.detach().clone() for weight in weights]
        elif self.always_alike:
            self.always_alike = all(map(_same, self.first, weights))
        return model


def _same(a: Any, b: Any) -> bool:
    import torch

    return a.shape == b.shape and torch.equal(a, b.detach())


def _whose(task: SignalTask, loaded: "Loaded", whose: str, maker: _Maker | None) -> str:
    if task.init != "as-is":
        return f"{task.init}, drawn anew for each seed"
    if maker is None:
        return whose
    if loaded.fresh:
        return "as the network's code starts them, anew for each seed"
    if task.seeds == 1:
        return whose
    return f"{loaded.whose}, {'the same' if maker.always_alike else 'others'} for each seed"


def _pictures(task: SignalTask, inputs: tuple[Any, ...]) -> Any:
    """Pictures of a source at the network's size, in [-1, 1]: one batch per seed, or as many as there are."""
    import torch

    from ganvas.core import pixels
    from ganvas.core.errors import UserError
    from ganvas.data.packing import prepare
    from ganvas.metrics.measuring.draws import draw

    shape = tuple(getattr(inputs[0], "shape", inputs[0]))
    if len(inputs) != 1 or len(shape) != 4 or shape[1] not in (1, 3, 4):
        raise UserError("--data is for networks that read one picture of 1, 3 or 4 channels. Leave it out for noise.")
    packed = prepare(str(task.data), size=(shape[2], shape[3]), channels=shape[1], fit="crop", quiet=task.quiet)
    if len(packed) < task.batch:
        raise UserError(f"{task.data} has {len(packed)} pictures, fewer than a batch of {task.batch}. Lower --batch.")
    batches = draw(packed, min(task.seeds * task.batch, len(packed)), seed=task.seed)
    return torch.cat([pixels.to_float(batch) for batch in batches])


def _row(layer: "LayerSignal", found: "Signal") -> LayerRow:
    after = next((each for each in found.operations if each.index == layer.activation), None)
    return LayerRow(
        layer=layer.layer,
        op=layer.op,
        shape=layer.shape,
        mean=layer.mean,
        deviation=layer.deviation,
        second_moment=layer.second.value,
        second_moment_spread=layer.second.spread,
        second_moment_standard_error=layer.second.standard_error,
        theory=layer.step.value,
        theory_chain=layer.chain.value,
        theory_chain_whole=layer.whole,
        gradient=layer.gradient.value,
        gradient_spread=layer.gradient.spread,
        gradient_theory=layer.gradient_step.value,
        gradient_theory_chain=layer.gradient_chain.value,
        gradient_theory_chain_whole=layer.gradient_whole,
        activation=None if after is None else after.op,
        dead=None if after is None else after.dead,
        dead_channels=None if after is None else after.dead_channels,
        saturated=None if after is None else after.saturated,
    )
