"""Mean and second moment of a signal behind a layer, in closed form: the theory beside a measurement.

He et al. 2015, Delving Deep into Rectifiers, section 2.2 (https://arxiv.org/abs/1502.01852); Glorot & Bengio 2010,
section 4.2.1; Hanin & Nica 2018, Products of many large random matrices and gradients in deep neural networks
(https://arxiv.org/abs/1812.05994).

For independent weights of mean 0 and second moment ``s`` the expectation over weights is exact for any input:
``E[y^2] = fan_in s E[x^2]``, and backwards ``E[dx^2] = fan_out s E[dy^2]``. Near a border that is padded with zeros
fewer weights meet a pixel, so moments are kept per place (a map over height and width, one number for a layer without
places): what a convolution does to them is itself a convolution, by ones.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.anatomy.trace.graph import Node
from ganvas.core.errors import UserError

Map = Float[Tensor, "..."]  # Height and width, or nothing.
Moments = tuple[Map, Map]
"""Mean, and second moment E[x^2], per place (float64)."""

PIECE = 2**19  # Values that are taken into float64 at a time: 4 MiB.
NODES = 129  # Of the Gauss-Hermite quadrature: 1e-6 for what is smooth.
SMOOTH: Mapping[str, Callable[..., Tensor]] = {
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "gelu": F.gelu,
    "silu": F.silu,
    "mish": F.mish,
    "elu": F.elu,
    "celu": F.celu,
    "selu": F.selu,
    "softplus": F.softplus,
    "softsign": F.softsign,
    "logsigmoid": F.logsigmoid,
    "hardtanh": F.hardtanh,
    "relu6": F.relu6,
    "hardswish": F.hardswish,
    "hardsigmoid": F.hardsigmoid,
}
_OPTIONS = ("alpha", "approximate", "beta", "threshold", "min_val", "max_val")


def hanin_nica(widths: Sequence[int]) -> tuple[float, float]:
    """Mean and variance of ``log(q_L / q_0)`` over draws of a fully connected ReLU network with He's weights.

    A single draw drifts down although the second moment is kept on average: the logarithm is close to normal with mean
    ``-beta / 2`` and variance ``beta = 5 sum 1/n`` over the layers' widths (Hanin & Nica 2018, theorem 1), for one
    input and the second moments behind the ReLUs.

    Raises:
        UserError: no width, or one below 1.
    """
    if not widths or min(widths) < 1:
        raise UserError(f"Widths {', '.join(map(str, widths)) or '(none)'}: give one or more, each at least 1.")
    beta = 5 * sum(1 / width for width in widths)
    return -beta / 2, beta


def slope(node: Node) -> float | None:
    """The slope below 0 of a rectifier; None for anything else."""
    if node.op == "relu":
        return 0.0
    if node.op == "leaky_relu":
        return float(node.attributes.get("negative_slope", 0.01))
    return None


def activated(node: Node, before: Moments) -> Moments | None:
    """Moments behind an activation whose input is normal; for rectifiers and mean 0 any symmetric input will do."""
    mean, deviation = before[0], _deviation(before)
    a = slope(node)
    if a is not None:
        up, down = _rectified(mean, deviation), _rectified(-mean, deviation)
        return up[0] - a * down[0], up[1] + a**2 * down[1]
    function = smooth(node)
    if function is None:
        return None
    points, weights = _quadrature()
    values = function(mean[..., None] + deviation[..., None] * points)
    return (weights * values).sum(-1), (weights * values**2).sum(-1)


def squared_slope(node: Node, before: Moments) -> Map | None:
    """``E[f'(x)^2]`` of an activation whose input is normal: by what it multiplies a gradient's second moment."""
    mean, deviation = before[0], _deviation(before)
    a = slope(node)
    if a is not None:
        above = _above(mean, deviation)
        return above + a**2 * (1 - above)
    function = smooth(node)
    if function is None:
        return None
    points, weights = _quadrature()
    with torch.enable_grad():
        x = (mean[..., None] + deviation[..., None] * points).requires_grad_()
        (found,) = torch.autograd.grad(function(x).sum(), x)
    return (weights * found**2).sum(-1)


def smooth(node: Node) -> Callable[[Tensor], Tensor] | None:
    """An activation as a function of one tensor, with the options of its node; None if it is not known."""
    function = SMOOTH.get(node.op)
    if function is None:
        return None
    options = {name: node.attributes[name] for name in _OPTIONS if node.attributes.get(name) is not None}
    return lambda x: function(x, **options)


def unit_gain(node: Node | None) -> float:
    """``1 / sqrt(E[f(z)^2])`` for normal z: the gain that keeps second moments through a layer and an activation.

    He's ``sqrt(2 / (1 + a^2))`` for rectifiers (eq. 15); 1 for nothing, or for what is not known.
    """
    standard = torch.zeros((), dtype=torch.float64), torch.ones((), dtype=torch.float64)
    after = None if node is None else activated(node, standard)
    return 1.0 if after is None else 1 / math.sqrt(float(after[1]))


def fans(node: Node, weight: Sequence[int]) -> tuple[float, float]:
    """Weights that an output unit reads and that an input unit is read by, borders aside.

    A stride thins out who reads a unit, a transposed convolution's whom it reads: torch's own count leaves that out.

    Args:
        weight: Shape of the weight.
    """
    if node.op == "linear":
        return float(weight[1]), float(weight[0])
    attributes = node.attributes
    taps, steps, groups = math.prod(attributes["kernel_size"]), math.prod(attributes["stride"]), attributes["groups"]
    down, up = (1, steps) if node.op.startswith("conv_transpose") else (steps, 1)
    return attributes["in_channels"] / groups * taps / up, attributes["out_channels"] / groups * taps / down


def through(node: Node, weight: Sequence[int], second: Map) -> Map:
    """The sum of ``E[x^2]`` over all that an output reads, by its place: ``fan_in E[x^2]`` away from borders."""
    if node.op == "linear":
        return weight[1] * second.mean()
    return node.attributes["in_channels"] / node.attributes["groups"] * _box(node, second)


def back_through(node: Node, weight: Sequence[int], second: Map, places: Sequence[int]) -> Map:
    """The sum of ``E[dy^2]`` over all that reads an input, by the input's place.

    Args:
        places: Height and width of the input.
    """
    if node.op == "linear":
        return weight[0] * second.mean()
    with torch.enable_grad():
        x = torch.zeros(tuple(places), dtype=torch.float64, requires_grad=True)
        (found,) = torch.autograd.grad(_box(node, x), x, second)
    return node.attributes["out_channels"] / node.attributes["groups"] * found


def _box(node: Node, values: Map) -> Map:
    """The layer's convolution with a kernel of ones, on a single channel."""
    attributes = node.attributes
    axes = len(attributes["kernel_size"])
    ones = torch.ones(1, 1, *attributes["kernel_size"], dtype=torch.float64)
    stride, dilation, padding = attributes["stride"], attributes["dilation"], attributes["padding"]
    x = values[None, None]
    if node.op.startswith("conv_transpose"):
        form = (F.conv_transpose1d, F.conv_transpose2d, F.conv_transpose3d)[axes - 1]
        return form(x, ones, None, stride, padding, attributes["output_padding"], 1, dilation)[0, 0]
    sides = [side for pad in reversed(padding) for side in (pad if isinstance(pad, tuple) else (pad, pad))]
    form = (F.conv1d, F.conv2d, F.conv3d)[axes - 1]
    return form(F.pad(x, sides), ones, None, stride, 0, dilation)[0, 0]


def _deviation(moments: Moments) -> Map:
    return (moments[1] - moments[0] ** 2).clamp(min=0).sqrt()


def _rectified(mean: Map, deviation: Map) -> Moments:
    """``E[max(x, 0)]`` and ``E[max(x, 0)^2]`` of a normal x."""
    above = _above(mean, deviation)
    ratio = mean / deviation.clamp(min=1e-300)
    density = torch.exp(-(ratio**2) / 2) / math.sqrt(2 * math.pi)
    return mean * above + deviation * density, (mean**2 + deviation**2) * above + mean * deviation * density


def _above(mean: Map, deviation: Map) -> Map:
    """P(x > 0); of a constant, whether it is."""
    return torch.where(deviation > 0, torch.special.ndtr(mean / deviation.clamp(min=1e-300)), (mean > 0).double())


def _quadrature() -> tuple[Tensor, Tensor]:
    points, weights = np.polynomial.hermite_e.hermegauss(NODES)
    return torch.from_numpy(points), torch.from_numpy(weights / math.sqrt(2 * math.pi))


def scalar(node: Node) -> Any:
    """The number that an arithmetic operation of one tensor was given."""
    return node.attributes.get("scalar")


def by_place(tensor: Tensor) -> Moments:
    """Moments of a tensor over batch and channels, per place; over everything where it has no places."""
    values = tensor.detach()
    if not values.dim():
        return values.double(), values.double().square()
    over = (0, 1) if values.dim() > 2 else tuple(range(values.dim()))
    first = second = torch.zeros((), dtype=torch.float64)
    for piece in pieces(values):
        wide, share = piece.double(), len(piece) / len(values)
        first, second = first + share * wide.mean(over), second + share * wide.square().mean(over)
    return first, second


def pieces(values: Tensor) -> tuple[Tensor, ...]:
    """A tensor cut along its first axis, so that a copy of a piece in float64 stays small beside a large tensor."""
    return values.split(max(1, PIECE * len(values) // max(values.numel(), 1)))
