"""Local response normalisation (Krizhevsky et al. 2012, section 3.3), in the parameters of torch and of TensorFlow.

Loud neighbours among the channels quieten each other. The frameworks count differently: torch (and Caffe) divide
alpha by the window's length, TensorFlow and the paper do not; torch gives the length n, TensorFlow the radius r with
n = 2r + 1. A network moved from one to the other without :func:`from_tf` computes something else without a sign of
it: AlexNet's alpha of 1e-4 is 5e-4 here. https://papers.nips.cc/paper/4824

The window's sum is a sum of shifted slices, n - 1 additions, and so is its gradient; on a CPU at least twice as fast
as torch's own way over a pooling in five dimensions (benchmarks/lrn.py).
"""

from typing import Any, TypedDict

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.operand_checks import need_floats

Features = Float[Tensor, "n c *pixels"]


class TorchSettings(TypedDict):
    """Arguments of :func:`local_response_norm`, with torch's names and meaning."""

    size: int
    alpha: float
    beta: float
    k: float


class TFSettings(TypedDict):
    """Arguments of TensorFlow's ``tf.nn.local_response_normalization``."""

    depth_radius: int
    bias: float
    alpha: float
    beta: float


class LocalResponseNorm(nn.Module):
    """:func:`local_response_norm` as a layer, torch's defaults; nothing to learn."""

    def __init__(self, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        _check(size, alpha, k)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Features) -> Features:
        return local_response_norm(x, self.size, alpha=self.alpha, beta=self.beta, k=self.k)

    def extra_repr(self) -> str:
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def local_response_norm(x: Features, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Features:
    """``x_c / (k + alpha / n sum_j x_j^2)^beta`` with j over a window of n = ``size`` channels around c, as torch's.

    At the ends the window holds fewer channels and is still divided by n; a window of even length has one more
    channel below c than above. Sums are taken in float32 at least: in float16 the square of 256 is infinite.

    Raises:
        UserError: an input without an axis of channels or of whole numbers; a window of no channel; k not above 0 or
            alpha below 0, with which the divisor could be 0 or the root of a negative number.
    """
    _check(size, alpha, k)
    need_floats(x)
    if x.ndim < 2:
        raise UserError(f"The input has shape {tuple(x.shape)}; it must be (n, channels, ...).")
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    divisor = k + alpha / size * window_sum(wide.square(), size)
    return x * _to_minus(divisor, beta).to(x.dtype)


def window_sum(x: Features, size: int) -> Features:
    """``y_c = sum_j x_j`` over j from ``c - size // 2`` to ``c + (size - 1) // 2``, as far as there are channels."""
    below, above = (min(reach, max(x.shape[1] - 1, 0)) for reach in (size // 2, (size - 1) // 2))
    if torch.is_grad_enabled() and x.requires_grad:
        return _WindowSum.apply(x, below, above)
    return _shifted_sum(x, below, above)


class _WindowSum(torch.autograd.Function):
    """The gradient of a window's sum is the sum over the mirrored window; autograd's own adds up padded slices."""

    generate_vmap_rule = True

    @staticmethod
    def forward(x: Tensor, below: int, above: int) -> Tensor:
        return _shifted_sum(x, below, above)

    @staticmethod
    def setup_context(ctx: Any, inputs: tuple[Tensor, int, int], output: Tensor) -> None:
        _, ctx.below, ctx.above = inputs

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> tuple[Tensor, None, None]:
        return _WindowSum.apply(gradient, ctx.above, ctx.below), None, None


def _shifted_sum(x: Tensor, below: int, above: int) -> Tensor:
    channels = x.shape[1]
    padded = F.pad(x, [0, 0] * (x.ndim - 2) + [below, above])
    total = padded.narrow(1, 0, channels)
    for shift in range(1, below + above + 1):
        part = padded.narrow(1, shift, channels)
        total = total + part if shift == 1 else total.add_(part)
    return total


def from_tf(depth_radius: int = 5, *, bias: float = 1.0, alpha: float = 1.0, beta: float = 0.5) -> TorchSettings:
    """The same normalisation in torch's parameters; the defaults are TensorFlow's. alpha grows by the length n.

    >>> from_tf(2, bias=2.0, alpha=1e-4, beta=0.75)  # AlexNet
    {'size': 5, 'alpha': 0.0005, 'beta': 0.75, 'k': 2.0}
    """
    if depth_radius < 0:
        raise UserError(f"depth_radius={depth_radius} must be at least 0; 2 is AlexNet's.")
    size = 2 * depth_radius + 1
    return {"size": size, "alpha": alpha * size, "beta": beta, "k": bias}


def to_tf(size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> TFSettings:
    """The same normalisation in TensorFlow's parameters; the defaults are torch's.

    Raises:
        UserError: an even window, which has no radius.
    """
    _check(size, alpha, k)
    if size % 2 == 0:
        raise UserError(
            f"A window of size={size} channels has one more below than above, and TensorFlow's reach equally far on "
            f"both sides. {size - 1} or {size + 1} can be converted."
        )
    return {"depth_radius": size // 2, "bias": k, "alpha": alpha / size, "beta": beta}


def _to_minus(divisor: Tensor, beta: float) -> Tensor:
    """``divisor^-beta``; roots where they do, which a CPU takes several times faster than a general power."""
    if beta == 0.5:
        return divisor.rsqrt()
    if beta == 0.75:
        root = divisor.rsqrt()
        return root * root.sqrt()
    return divisor**-beta


def _check(size: int, alpha: float, k: float) -> None:
    if type(size) is not int or size < 1:
        raise UserError(f"size={size}: the window must have a whole number of at least 1 channel; 5 is AlexNet's.")
    if not (k > 0 and alpha >= 0):
        raise UserError(
            f"k={k}, alpha={alpha}: k must be above 0 and alpha at least 0, so that no divisor is 0 or negative. "
            "AlexNet has k=2 and alpha=5e-4."
        )
