"""Signal and gradient through a network at its start: measured over draws of weights, with the theory beside them.

The second moment ``q`` of a layer's output decides whether a deep network starts at all: where every layer multiplies
it by less than 1, the last ones see nothing, and the first ones no gradient. A single draw is a poor witness (it drifts
log-normally, ``hanin_nica``), so what is averaged over seeds is the logarithm, and its spread is said.
"""

import math
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.anatomy.signal.faults import Fault, faults
from ganvas.anatomy.signal.initialisations import draw, following, parse, plan
from ganvas.anatomy.signal.layer_moments import Map
from ganvas.anatomy.signal.probe import WEIGHTED, WITHOUT_THEORY, ForwardFailed, Readings, copied, measure
from ganvas.anatomy.signal.theory import Theory, backward_theory, forward_theory
from ganvas.anatomy.trace.graph import Node
from ganvas.core.errors import UserError
from ganvas.core.process.freed_memory import return_freed_memory
from ganvas.core.progress import progress
from ganvas.core.seeds import stream

SHOWN_KINDS = ("input", "activation", "normalisation", "merge")


@dataclass(frozen=True, kw_only=True)
class LogMean:
    """A positive quantity over seeds: the mean of its logarithm, as ``exp`` of it, and the logarithm's spread."""

    value: float  # exp(mean log); 0 where every seed has 0, nan where nothing was measured.
    spread: float  # Standard deviation of the natural logarithm over seeds; nan with one.
    logs: tuple[float, ...]  # One per seed.

    @property
    def standard_error(self) -> float:
        """Of the mean of the logarithm: spread / sqrt(seeds)."""
        return self.spread / math.sqrt(len(self.logs))


@dataclass(frozen=True, kw_only=True)
class LayerSignal:
    """One operation. Second moments are of its output, and of the gradient there."""

    index: int
    layer: str
    op: str
    kind: str
    inputs: tuple[int, ...]
    shape: tuple[int, ...]
    mean: float
    deviation: float
    second: LogMean
    step: LogMean  # Theory, from this layer's measured input.
    chain: LogMean  # Theory, from the network's input on.
    whole: bool  # The chain reaches back to the input; otherwise it took up a measurement on its way.
    gradient: LogMean
    gradient_step: LogMean
    gradient_chain: LogMean
    gradient_whole: bool
    dead: float | None = None  # Share of units that are 0 for the whole batch, of a rectifier.
    dead_channels: float | None = None  # Share of channels that are 0 everywhere.
    saturated: float | None = None
    histogram: Float[np.ndarray, " bins"] | None = None  # Shares, in units of its deviation from -REACH to REACH.
    activation: int | None = None  # The operation by which a layer with a weight is activated.


@dataclass(frozen=True, kw_only=True)
class Signal:
    """All operations, in order of execution."""

    operations: tuple[LayerSignal, ...]
    init: str
    seeds: int
    batch: int
    left_out: tuple[str, ...]  # Layers whose weight could not be started so; embeddings and recurrent ones among them.
    faults: tuple[Fault, ...] = ()  # Where it stops being a number, first of all.

    @property
    def layers(self) -> tuple[LayerSignal, ...]:
        """Those with weights; embeddings and recurrent layers among them, of which no theory here speaks."""
        return tuple(each for each in self.operations if each.op.startswith(WEIGHTED) or each.op in WITHOUT_THEORY)

    @property
    def without_theory(self) -> tuple[str, ...]:
        """Embeddings and recurrent layers, by name."""
        return tuple(dict.fromkeys(each.layer for each in self.operations if each.op in WITHOUT_THEORY))


def signal(
    model: nn.Module,
    *inputs: Any,
    init: str = "as-is",
    seeds: int = 16,
    seed: int = 0,
    batch: int = 16,
    unbatched: Collection[int] = (),
    pictures: Float[Tensor, "n c h w"] | None = None,
    make: Callable[[int], nn.Module] | None = None,
    name: str | None = None,
    quiet: bool = True,
) -> Signal:
    """Measures a network's signal and gradient over seeds. The model itself stays as it is: copies run.

    Batch norms use the batch, as in training; dropout is off. The gradient at the output is normal with variance 1.

    Args:
        inputs: Shapes, whose first size becomes ``batch`` and which are filled with normal noise, anew for each seed;
            or tensors of a shape, filled with zeros if they hold whole numbers.
        init: How weights start (``ganvas.anatomy.signal.initialisations``).
        seeds: Draws of weights and inputs.
        unbatched: Places (from 0) of inputs that have no batch, such as positions: their first size stays.
        pictures: To read in place of noise, if there is one input; ``batch`` of them for each seed.
        make: Draws the network anew for a seed, for ``init="as-is"``; without it all seeds share the model's weights.
        name: Of the network, for errors; its class if None.

    Raises:
        UserError: an unknown start, a number below 1, or a network that fails.
    """
    parse(init)
    for setting, number in (("seeds", seeds), ("batch", batch)):
        if number < 1:
            raise UserError(f"{setting}={number} must be 1 or more.")
    if pictures is not None and (len(inputs) != 1 or len(pictures) < batch):
        raise UserError(f"{len(pictures)} pictures for batches of {batch} and {len(inputs)} inputs: give one input.")
    passes, left_out, made = list[tuple[Readings, Theory, Theory]](), (), None
    with _named(name), progress("signal", seeds, unit="seeds", quiet=quiet) as report:
        for number in range(seeds):
            own = init == "as-is" and make is not None
            twin = make(seed + number) if own and make is not None else copied(model)
            given = [
                _input(item, None if place in unbatched else batch, (seed, "signal", number, place), twin)
                for place, item in enumerate(inputs)
            ]
            if pictures is not None:
                chosen = torch.arange(number * batch, (number + 1) * batch) % len(pictures)
                given = [pictures[chosen].to(given[0])]
            made = plan(copied(model), init, given) if made is None else made
            left_out = draw(twin, made, given, stream(seed, "start", number))
            found = measure(twin, given, seed=seed + number)
            passes.append(_without_places(found, forward_theory(found), backward_theory(found)))
            del twin, given
            return_freed_memory()
            report(number + 1)
    found = Signal(
        operations=_together(passes),
        init=init,
        seeds=seeds,
        batch=batch,
        left_out=left_out,
        faults=faults([found for found, _, _ in passes]),
    )
    return found if init == "as-is" else replace(found, left_out=(*left_out, *found.without_theory))


@contextmanager
def _named(name: str | None) -> Iterator[None]:
    """Where the network fails, it is called by this name."""
    try:
        yield
    except ForwardFailed as error:
        if name is None:
            raise
        raise ForwardFailed(name, error.where) from error.__cause__


def _input(item: Any, batch: int | None, purpose: tuple[Any, ...], model: nn.Module) -> Any:
    """An input filled with noise from the stream of its purpose; its first size is the batch, if it has one."""
    kind = next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.get_default_dtype())
    if isinstance(item, Tensor):
        shape, kind = tuple(item.shape), item.dtype
        if not kind.is_floating_point:
            return torch.zeros(_sized(shape, batch), dtype=kind)
    elif isinstance(item, (tuple, torch.Size)) and item and all(type(size) is int for size in item):
        shape = tuple(item)
    else:
        return item
    return torch.randn(_sized(shape, batch), generator=stream(*purpose)).to(kind)


def _sized(shape: tuple[int, ...], batch: int | None) -> tuple[int, ...]:
    return shape if batch is None else (batch, *shape[1:])


def _without_places(found: Readings, forward: Theory, back: Theory) -> tuple[Readings, Theory, Theory]:
    """What one pass measured and its theories, each map of places averaged: maps of many seeds would fill memory."""
    moments = {at: (mean.mean(), second.mean()) for at, (mean, second) in found.moments.items()}
    short = replace(found, moments=moments, gradients=_averaged(found.gradients))
    return short, _without_maps(forward), _without_maps(back)


def _without_maps(theory: Theory) -> Theory:
    return replace(theory, step=_averaged(theory.step), chain=_averaged(theory.chain))


def _averaged(maps: Mapping[int, Map]) -> dict[int, Map]:
    return {at: values.mean() for at, values in maps.items()}


def _together(passes: Sequence[tuple[Readings, Theory, Theory]]) -> tuple[LayerSignal, ...]:
    first = passes[0][0]
    if any(len(found.nodes) != len(first.nodes) for found, _, _ in passes):
        raise UserError("The network takes another path with every draw, so its layers cannot be averaged.")
    return tuple(_operation(node, passes) for node in first.nodes if node.index in first.moments)


def _operation(node: Node, passes: Sequence[tuple[Readings, Theory, Theory]]) -> LayerSignal:
    at, found = node.index, [readings for readings, _, _ in passes]
    moments = [tuple(float(part.mean()) for part in readings.moments[at]) for readings in found]
    histograms = [readings.histograms[at] for readings in found if at in readings.histograms]
    dead = [readings.dead[at] for readings in found if at in readings.dead]
    saturated = [readings.saturated[at] for readings in found if at in readings.saturated]
    chain, back = ([_chain(theory, node) for theory in way] for way in list(zip(*passes, strict=True))[1:])
    after = following(found[0].nodes, node) if at in found[0].weights else None
    return LayerSignal(
        index=at,
        layer=node.label,
        op=node.op,
        kind=node.kind,
        inputs=node.inputs,
        shape=node.shape,
        mean=_mean([mean for mean, _ in moments]),
        deviation=_mean([math.sqrt(max(second - mean**2, 0.0)) for mean, second in moments]),
        second=log_mean([second for _, second in moments]),
        step=_over([theory.step for _, theory, _ in passes], at),
        chain=_over(chain, at),
        whole=all(at in theory.whole for _, theory, _ in passes),
        gradient=_over([readings.gradients for readings in found], at),
        gradient_step=_over([theory.step for _, _, theory in passes], at),
        gradient_chain=_over(back, at),
        gradient_whole=all(at in theory.whole for _, _, theory in passes),
        dead=_mean([units for units, _ in dead]) if dead else None,
        dead_channels=_mean([channels for _, channels in dead]) if dead else None,
        saturated=_mean(saturated) if saturated else None,
        histogram=np.mean(histograms, axis=0) if histograms else None,
        activation=None if after is None else after.index,
    )


def _chain(theory: Theory, node: Node) -> Mapping[int, Map]:
    """Without the measurement that the chain takes up where an embedding or a recurrent layer has no theory."""
    return {} if node.op in WITHOUT_THEORY and node.index not in theory.step else theory.chain


def _over(maps: Sequence[Mapping[int, Map]], at: int) -> LogMean:
    return log_mean([float(of[at].mean()) if at in of else math.nan for of in maps])


def log_mean(values: Sequence[float]) -> LogMean:
    """The mean logarithm of values that are not negative. Zeros have none: all zeros are 0, some zeros nan."""
    logs = [math.log(value) if value > 0 else -math.inf if value == 0 else math.nan for value in values]
    finite = all(map(math.isfinite, logs))
    value = math.exp(_mean(logs)) if finite else 0.0 if all(value == 0 for value in values) else math.nan
    spread = float(np.std(logs, ddof=1)) if finite and len(logs) > 1 else math.nan
    return LogMean(value=value, spread=spread, logs=tuple(logs))


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
