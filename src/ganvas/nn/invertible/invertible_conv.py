"""Invertible 1x1 convolutions: every pixel's channels are mixed by one square matrix, a permutation that is learnt.

Kingma, Dhariwal: Glow (NeurIPS 2018), section 3.2, https://arxiv.org/abs/1807.03039. The log-determinant is
``h w log |det W|`` (eq. 9). The matrix starts as a random rotation. It is stored as it is, which is what the authors'
code runs, or as ``P L (U + diag(s))`` with P and the signs of s fixed (eq. 10), whose log-determinant is a sum.

Products, inverses and determinants are computed in full precision: half precision would move what is drawn.
"""

from abc import ABC, abstractmethod

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import PerSample
from ganvas.nn.augment.full_precision import full_precision
from ganvas.nn.invertible.bijection import Bijection, no_change
from ganvas.nn.layers.initialise import filled, unset

Maps = Float[Tensor, "n c h w"]
Matrix = Float[Tensor, "c c"]


class InvertibleConv(Bijection, ABC):
    """``y = W x`` at every pixel."""

    @abstractmethod
    def matrix(self) -> Matrix:
        """W, in float64."""

    @abstractmethod
    def log_abs_det(self) -> Float[Tensor, ""]:
        """``log |det W|``."""

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        with full_precision(x.device):
            return _mixed(x, self.matrix()), no_change(x) + x.shape[2] * x.shape[3] * self.log_abs_det().to(x.dtype)

    def inverse(self, y: Maps) -> Maps:
        with full_precision(y.device):
            return _mixed(y, torch.linalg.inv(self.matrix()))


class PlainConv(InvertibleConv):
    """W itself. Its determinant may leave the range of numbers, its logarithm does not: it is never multiplied out."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = unset(channels, channels)

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """A random rotation, of reflections too."""
        self.weight.copy_(random_rotation(len(self.weight), generator))

    def matrix(self) -> Matrix:
        return filled(self.weight).double()

    def log_abs_det(self) -> Float[Tensor, ""]:
        return torch.linalg.slogdet(self.matrix()).logabsdet


class LuConv(InvertibleConv):
    """``W = P L (U + diag(sign exp(log_s)))`` with L below the diagonal, where it is 1, and U above it."""

    permutation: Tensor
    sign: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.lower, self.upper = unset(channels, channels), unset(channels, channels)
        self.log_s = unset(channels)
        self.register_buffer("permutation", torch.eye(channels))
        self.register_buffer("sign", torch.ones(channels))

    @torch.no_grad()
    def reset(self, generator: torch.Generator) -> None:
        """A random rotation, taken apart; what lies on the wrong side of a diagonal is 0 and stays so."""
        permutation, lower, upper = torch.linalg.lu(random_rotation(len(self.log_s), generator).double())
        self.permutation.copy_(permutation)
        self.lower.copy_(lower.tril(-1))
        self.upper.copy_(upper.triu(1))
        self.sign.copy_(upper.diagonal().sign())
        self.log_s.copy_(upper.diagonal().abs().log())

    def matrix(self) -> Matrix:
        below = filled(self.lower).double().tril(-1) + torch.eye(len(self.log_s), device=self.log_s.device).double()
        scale = self.sign.double() * filled(self.log_s).double().exp()
        return self.permutation.double() @ below @ (filled(self.upper).double().triu(1) + torch.diag(scale))

    def log_abs_det(self) -> Float[Tensor, ""]:
        return self.log_s.sum()


class Reversal(Bijection):
    """The channels in the opposite order: the permutation of Real NVP, with which the paper compares."""

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        return x.flip(1), no_change(x)

    def inverse(self, y: Maps) -> Maps:
        return y.flip(1)


class Shuffle(Bijection):
    """The channels in an order drawn once."""

    order: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("order", torch.arange(channels))

    def reset(self, generator: torch.Generator) -> None:
        """An order at random."""
        self.order.copy_(torch.randperm(len(self.order), generator=generator, device=generator.device))

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        return x[:, self.order], no_change(x)

    def inverse(self, y: Maps) -> Maps:
        return y[:, self.order.argsort()]


def random_rotation(size: int, generator: torch.Generator) -> Matrix:
    """An orthogonal matrix: the Q of a matrix of normal numbers."""
    normal = torch.randn(size, size, generator=generator, device=generator.device)
    return torch.linalg.qr(normal.double()).Q.to(normal.dtype)


def _mixed(x: Maps, matrix: Matrix) -> Maps:
    wide = torch.promote_types(x.dtype, torch.float32)
    return F.conv2d(x.to(wide), matrix.to(wide)[:, :, None, None])
