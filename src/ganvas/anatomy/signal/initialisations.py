"""Starting weights by name, for any network: He, Xavier, a fixed deviation, equalised, LSUV, Fixup.

``he``          N(0, gain^2 / fan_in), the gain of the activation that follows (He et al. 2015, eq. 10 and 15)
``xavier``      N(0, 2 / (fan_in + fan_out)) (Glorot & Bengio 2010, eq. 12)
``normal:0.02`` N(0, 0.02^2), as in DCGAN
``equalized``   N(0, 1), multiplied by gain / sqrt(fan_in) at run time (Karras et al. 2018, section 4.1)
``lsuv``        orthonormal, then divided by the output's deviation, layer by layer (Mishkin & Matas 2015, algorithm 1)
``fixup``       He's, smaller in residual branches, whose last layers are 0 (Zhang et al. 2019, section 3)
``as-is``       as the network's own code starts it

What counts is the weight as it meets the data: where a layer multiplies its weight at run time, the stored one is drawn
so much smaller. Weights that are normalised at run time (spectral, weight norm) keep the scale of their norm. Biases
become 0, and the gains of normalisations 1. Fans count what a unit reads and who reads it, so a stride divides one of
them; torch's own count does not (they are alike without strides).

Departs from Fixup: its scalar biases and multipliers would be new parameters, which no weights of a network can stand
for; at the start they are 0 and 1 and change nothing.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from ganvas.anatomy.signal.layer_moments import fans, unit_gain
from ganvas.anatomy.signal.probe import Readings, measure
from ganvas.anatomy.signal.residual_branches import fixup_factors
from ganvas.anatomy.trace.graph import Node
from ganvas.anatomy.trace.layer_kinds import ACTIVATIONS
from ganvas.anatomy.trace.recorder import Recorder
from ganvas.core.errors import UserError, did_you_mean
from ganvas.nn.layers.initialise import normal_

STARTS = ("he", "xavier", "normal", "equalized", "lsuv", "fixup", "as-is")
TOLERANCE, MOST = 0.1, 10  # Of LSUV's variance, and its steps per layer (the authors' defaults).


@dataclass(frozen=True, kw_only=True)
class Layer:
    """A layer with a weight, as it ran."""

    node: Node
    name: str  # Of the parameter.
    shape: tuple[int, ...]  # Of the weight that meets the data.
    scale: float  # By what the stored weight is multiplied at run time.
    gain: float  # Of the activation that follows.

    @property
    def fans(self) -> tuple[float, float]:
        """Fan-in and fan-out."""
        return fans(self.node, self.shape)


class Scale(nn.Module):
    """A parametrization: the weight is what is stored times a constant."""

    def __init__(self, constant: float) -> None:
        super().__init__()
        self.constant = constant

    def forward(self, stored: Tensor) -> Tensor:
        return stored * self.constant


def parse(text: str) -> tuple[str, float]:
    """The name of a start and its number: ``normal:0.02`` is ("normal", 0.02).

    Raises:
        UserError: there is no such start, or its number is none.
    """
    name, _, number = text.partition(":")
    if name not in STARTS or (number and name != "normal"):
        raise UserError(f"There is no start '{text}'.{did_you_mean(name, STARTS)} Use one of {', '.join(STARTS)}.")
    if name != "normal":
        return name, 0.0
    try:
        deviation = float(number)
    except ValueError:
        deviation = math.nan
    if not 0 < deviation < math.inf:
        raise UserError(f"'{text}' names no deviation above 0. Give one, such as normal:0.02.")
    return name, deviation


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a start does to a network; the same for every draw."""

    name: str
    deviation: float
    layers: tuple[Layer, ...] = ()
    left_out: tuple[str, ...] = ()  # Layers that cannot be started so, see ``start``.
    normalised: frozenset[str] = frozenset()  # Parameters of layers that are normalised at run time.
    constants: Mapping[str, float] = field(default_factory=dict)  # Biases, and the gains of normalisations.
    factors: Mapping[int, float] = field(default_factory=dict)  # Fixup's.


def start(model: nn.Module, init: str, inputs: Sequence[Any], generator: torch.Generator) -> tuple[str, ...]:
    """Gives every convolution and linear layer that runs its starting weight, in place.

    Args:
        init: See the module.
        inputs: Tensors that the network reads: what runs is seen by running it, and LSUV measures on them.

    Returns:
        Names of layers that could not be started so: none of their parameters is their weight, or it is normalised
        at run time, so that its scale is not the stored one's.
    """
    return draw(model, plan(model, init, inputs), inputs, generator)


def plan(model: nn.Module, init: str, inputs: Sequence[Any]) -> Plan:
    """Finds the layers by running the network; its weights and running statistics are not the same afterwards.

    Raises:
        UserError: an unknown start, a network that fails, or Fixup for one that is not residual.
    """
    name, deviation = parse(init)
    if name == "as-is":
        return Plan(name=name, deviation=deviation)
    _settle(model)
    found = measure(model, inputs, backward=False)
    parameters = dict(model.named_parameters())
    layers, left_out = layers_of(found, parameters)
    normalised = _normalised(model, inputs, found, layers, parameters)
    factors = fixup_factors(found.nodes) if name == "fixup" else {}
    if name == "fixup" and not factors:
        raise UserError("Fixup is for residual networks, and this one has no branch that ends in a sum. Use he.")
    return Plan(
        name=name,
        deviation=deviation,
        layers=tuple(layers),
        left_out=tuple(dict.fromkeys([*left_out, *(layer.node.label for layer in normalised)])),
        normalised=frozenset(layer.name for layer in normalised),
        constants=_constants(found, parameters),
        factors=factors,
    )


def draw(model: nn.Module, made: Plan, inputs: Sequence[Any], generator: torch.Generator) -> tuple[str, ...]:
    """Draws the weights of a plan that was made for this network or a copy of it; returns what ``start`` does."""
    parameters = dict(model.named_parameters())
    with torch.no_grad():
        for name, value in made.constants.items():
            parameters[name].fill_(value)
    for layer in made.layers:
        _draw(layer, parameters[layer.name], made, generator)
    if made.name == "equalized":
        for layer in made.layers:
            _equalize(model, layer)
    if made.name == "lsuv":
        free = [layer for layer in made.layers if layer.name not in made.normalised]
        return tuple(dict.fromkeys([*made.left_out, *_unit_variance(model, inputs, free)]))
    return made.left_out


def layers_of(found: Readings, parameters: Mapping[str, Tensor]) -> tuple[list[Layer], list[str]]:
    """The layers with weights in order of execution, shared weights once; and the names of those without."""
    layers, left_out, seen = [], [], set[str]()
    for index, weight in found.weights.items():
        node = found.nodes[index]
        own = [n for n in (*node.parameters, *node.shared) if n in parameters and parameters[n].dim() > 1]
        if not own:
            left_out.append(node.label)
            continue
        name = max(own, key=lambda n: parameters[n].numel())
        if name in seen:
            continue
        seen.add(name)
        stored = float(parameters[name].detach().double().square().mean())
        scale = math.sqrt(weight.second / stored) if stored > 0 and weight.second > 0 else 1.0
        scale = 1.0 if abs(scale - 1) < 1e-6 else scale
        gain = unit_gain(following(found.nodes, node))
        layers.append(Layer(node=node, name=name, shape=weight.shape, scale=scale, gain=gain))
    return layers, left_out


def following(nodes: Sequence[Node], node: Node) -> Node | None:
    """The first activation behind a layer, through normalisations, sums and reshapes; None before the next layer."""
    reached = {node.index}
    for later in nodes[node.index + 1 :]:
        if not reached.intersection(later.inputs):
            continue
        if later.op in ACTIVATIONS:
            return later
        if later.op.startswith(("conv", "linear")) or later.kind == "attention":
            continue
        reached.add(later.index)
    return None


def _settle(model: nn.Module) -> None:
    """Small weights where Ganvas's own layers are still unset, so that a first pass can be looked at."""
    for parameter in model.parameters():
        if parameter.is_meta:
            raise UserError("The network has shapes and no weights. Give it weights first.")
        if parameter.isnan().any():
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=torch.Generator().manual_seed(0)) * 0.1)


@torch.no_grad()
def _normalised(
    model: nn.Module,
    inputs: Sequence[Any],
    found: Readings,
    layers: Sequence[Layer],
    parameters: Mapping[str, Tensor],
) -> list[Layer]:
    """Layers whose weight does not double when what is stored doubles."""
    if all(layer.scale == 1.0 for layer in layers):
        return []
    for factor in (2.0, 0.5):
        for layer in layers:
            parameters[layer.name].mul_(factor)
        if factor > 1:
            doubled = measure(model, inputs, backward=False)
    seconds = [(found.weights[layer.node.index].second, doubled.weights[layer.node.index].second) for layer in layers]
    return [layer for layer, (one, two) in zip(layers, seconds, strict=True) if not 3.5 * one < two < 4.5 * one]


def _constants(found: Readings, parameters: Mapping[str, Tensor]) -> dict[str, float]:
    """0 for biases of layers and normalisations, 1 for the gains of normalisations."""
    values: dict[str, float] = {}
    for node in found.nodes:
        named = [n for n in (*node.parameters, *node.shared) if n in parameters]
        for name in named:
            last = name.rpartition(".")[2]
            if node.index in found.weights and last == "bias" and parameters[name].dim() == 1:
                values[name] = 0.0
            elif node.kind == "normalisation" and last in ("weight", "bias"):
                values[name] = 1.0 if last == "weight" else 0.0
    return values


@torch.no_grad()
def _draw(layer: Layer, parameter: Tensor, made: Plan, generator: torch.Generator) -> None:
    fan_in, fan_out = layer.fans
    if made.name == "lsuv":
        parameter.copy_(_orthonormal(parameter, generator) / layer.scale)
        return
    deviation = layer.gain / math.sqrt(fan_in) * made.factors.get(layer.node.index, 1.0)
    if made.name == "xavier":
        deviation = math.sqrt(2 / (fan_in + fan_out))
    elif made.name == "normal":
        deviation = made.deviation
    normal_(parameter, generator, std=deviation / layer.scale)


def _orthonormal(like: Tensor, generator: torch.Generator) -> Tensor:
    """Rows (or columns, if there are more rows) of length 1 at right angles: the QR form of Saxe et al. 2013."""
    rows, columns = like.shape[0], like[0].numel()
    drawn = torch.randn(max(rows, columns), min(rows, columns), generator=generator, dtype=torch.float64)
    q, r = torch.linalg.qr(drawn)
    q = q * r.diagonal().sign()
    return (q if rows >= columns else q.T).reshape(like.shape).to(like)


def _equalize(model: nn.Module, layer: Layer) -> None:
    """Keeps the drawn weight at unit variance and multiplies at run time; what is scaled already stays so."""
    owner, _, last = layer.name.rpartition(".")
    module = model.get_submodule(owner)
    if layer.scale != 1.0 or parametrize.is_parametrized(module) or last not in module._parameters:
        return
    equalize(module, layer.gain / math.sqrt(layer.fans[0]), name=last)


def equalize(module: nn.Module, constant: float, *, name: str = "weight") -> None:
    """Stores ``w / c`` in place of a module's weight and multiplies by ``c`` at run time: the same function.

    The gradient of what is stored is ``c`` times that of the weight, which is what equalises Adam's steps.
    """
    with torch.no_grad():
        getattr(module, name).div_(constant)
    parametrize.register_parametrization(module, name, Scale(constant), unsafe=True)


def _unit_variance(model: nn.Module, inputs: Sequence[Any], layers: Sequence[Layer]) -> list[str]:
    """LSUV's second half in one pass: each layer's weight is divided by its output's deviation before the pass goes on.

    Mishkin & Matas run the network anew for every step; going on with the corrected weight is the same.
    """
    parameters = dict(model.named_parameters())
    waiting = {layer.name: layer for layer in layers}
    stubborn = list[str]()

    def adjust(recorder: Recorder, func: Any, args: Any, kwargs: Any, weight: Tensor) -> None:
        value = recorder.value(weight)
        mine = next((name for name in (value.parameters if value else ()) if name in waiting), None)
        if mine is None:
            return
        layer = waiting.pop(mine)
        for _ in range(MOST):
            variance = float(func(*args, **kwargs).double().var(unbiased=False))
            if abs(variance - 1) < TOLERANCE or not 0 < variance < math.inf:
                break
            parameters[mine].div_(math.sqrt(variance))
            if weight.data_ptr() != parameters[mine].data_ptr():  # What is used was made from it already.
                weight.div_(math.sqrt(variance))
        if not abs(variance - 1) < TOLERANCE:
            stubborn.append(layer.node.label)

    with torch.no_grad():
        measure(model, inputs, backward=False, adjust=adjust)
    return stubborn
