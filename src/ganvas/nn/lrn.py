"""Local response normalisation (Krizhevsky et al. 2012, section 3.3), in the parameters of torch and of TensorFlow.

Loud neighbours among the channels quieten each other. The frameworks count differently, and the paper differs from
both: torch (and Caffe) divide alpha by the window's length, TensorFlow and the paper do not; torch gives the length
n, TensorFlow the radius r with n = 2r + 1. A network moved from one to the other without :func:`from_tf` computes
something else without a sign of it.

The window's sum is a sum of shifted slices, n - 1 additions, which on a CPU is at least twice as fast as torch's own
(a pooling over five dimensions); see benchmarks/lrn.py.
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError

Features = Float[Tensor, "n c *pixels"]


class LocalResponseNorm(nn.Module):
    """:func:`local_response_norm` as a layer; nothing to learn."""

    def __init__(self, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> None:
        super().__init__()
        _check(size)
        self.size, self.alpha, self.beta, self.k = size, alpha, beta, k

    def forward(self, x: Features) -> Features:
        return local_response_norm(x, self.size, alpha=self.alpha, beta=self.beta, k=self.k)

    def extra_repr(self) -> str:
        return f"size={self.size}, alpha={self.alpha}, beta={self.beta}, k={self.k}"


def local_response_norm(x: Features, size: int, *, alpha: float = 1e-4, beta: float = 0.75, k: float = 1.0) -> Features:
    """``x_c / (k + alpha / n sum_(j near c) x_j^2)^beta`` with n = ``size`` channels around c, as torch's.

    At the ends the window has fewer channels and is still divided by n. An even window has one more channel below c.
    """
    _check(size)
    total = window_sum(x.square(), size)
    return x * (k + alpha / size * total) ** -beta


def _check(size: int) -> None:
    if size < 1:
        raise UserError(f"A window of size={size} channels is not possible; 5 is AlexNet's.")


def window_sum(x: Features, size: int) -> Features:
    """``y_c = sum x_j`` over j from ``c - size // 2`` to ``c + (size - 1) // 2``, as far as there are channels."""
    channels, below, above = x.shape[1], min(size // 2, x.shape[1] - 1), min((size - 1) // 2, x.shape[1] - 1)
    padded = F.pad(x, [0, 0] * (x.ndim - 2) + [below, above])
    total = padded.narrow(1, 0, channels)
    for shift in range(1, below + above + 1):
        total = total + padded.narrow(1, shift, channels)
    return total
