"""Networks of the benchmark of tables, and what is right of them: by hand, from the formulas below, without Ganvas.

One multiply-accumulate is one multiplication and one addition in a product of matrices or a convolution. Backward is
the gradient of every factor, the network's own input included: twice the forward, so that both are three times it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from itertools import pairwise

import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.loading.load import load


@dataclass(frozen=True)
class Case:
    """A network, the shape of its input, and the right figures.

    Attributes:
        extra: Additions of biases and norms; a tool may count them among its multiply-accumulates by convention.
        functions: What runs as a function and should have a row.
    """

    build: Callable[[], nn.Module]
    shape: tuple[int, ...]
    right: dict[str, int]
    extra: int = 0
    functions: tuple[str, ...] = ()


def conv(before: int, after: int, kernel: int, side: int, groups: int = 1) -> int:
    """Multiply-accumulates of a square convolution whose output has ``side * side`` positions."""
    return after * side * side * (before // groups) * kernel * kernel


def transposed(before: int, after: int, kernel: int, side: int, groups: int = 1) -> int:
    """The same of its transpose: each of the *input's* ``side * side`` positions is stamped onto a kernel's worth."""
    return before * side * side * (after // groups) * kernel * kernel


WIDTHS = {4: 512, 8: 512, 16: 512, 32: 512, 64: 256, 128: 128, 256: 64, 512: 32, 1024: 16}


def _progan() -> int:
    """Karras et al. 2018, table 2: two 3 x 3 convolutions at every size from 8, one at 4, a dense layer, colours."""
    blocks = sum(conv(WIDTHS[s // 2], w, 3, s) + conv(w, w, 3, s) for s, w in WIDTHS.items() if s > 4)
    return 512 * 512 * 16 + conv(512, 512, 3, 4) + blocks + conv(16, 3, 1, 1024)


def _resnet50() -> int:
    """He et al. 2015, table 1, the stride at the 3 x 3 convolutions (version 1.5)."""
    total, before = conv(3, 64, 7, 112), 64
    for blocks, width, side in ((3, 64, 56), (4, 128, 28), (6, 256, 14), (3, 512, 7)):
        for block in range(blocks):
            above = side * 2 if block == 0 and width > 64 else side  # The first 1 x 1 still sees the larger map.
            total += conv(before, width, 1, above) + conv(width, width, 3, side) + conv(width, 4 * width, 1, side)
            total += conv(before, 4 * width, 1, side) if block == 0 else 0
            before = 4 * width
    return total + 2048 * 1000


def _unet() -> int:
    """Ronneberger et al. 2015, figure 1: the sizes are printed there."""
    down = [(1, 64, 570), (64, 128, 282), (128, 256, 138), (256, 512, 66), (512, 1024, 30)]
    total = sum(conv(a, b, 3, side) + conv(b, b, 3, side - 2) for a, b, side in down)
    for wide, side in ((512, 28), (256, 52), (128, 100), (64, 196)):  # ``side`` before the up-convolution.
        total += transposed(2 * wide, wide, 2, side)
        total += conv(2 * wide, wide, 3, 2 * side - 2) + conv(wide, wide, 3, 2 * side - 4)
    return total + conv(64, 2, 1, 388)


def _unet_biases() -> int:
    down = ((64, 570), (128, 282), (256, 138), (512, 66), (1024, 30))
    up = ((512, 56), (256, 104), (128, 200), (64, 392))
    twice = sum(w * (s * s + (s - 2) ** 2) for w, s in down)
    return twice + sum(w * (s * s + (s - 2) ** 2 + (s - 4) ** 2) for w, s in up) + 2 * 388 * 388


def _unet_parameters() -> int:
    widths = (1, 64, 128, 256, 512, 1024)
    down = sum(9 * a * b + b + 9 * b * b + b for a, b in pairwise(widths))
    up = sum(4 * 2 * w * w + w + 9 * 2 * w * w + w + 9 * w * w + w for w in (512, 256, 128, 64))
    return down + up + 64 * 2 + 2


class Twice(nn.Module):
    """One convolution, used twice."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.conv(torch.relu(self.conv(x)))


class Tied(nn.Module):
    """Two layers, one weight: what language models do with their first and last."""

    def __init__(self) -> None:
        super().__init__()
        self.first, self.last = nn.Linear(32, 32, bias=False), nn.Linear(32, 32, bias=False)
        self.last.weight = self.first.weight

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return self.last(torch.relu(self.first(x)))


class Called(nn.Module):
    """A convolution called as a function, with a weight scaled at run time: the equalised learning rate of ProGAN."""

    def __init__(self, scale: float | None) -> None:
        super().__init__()
        self.weight, self.scale = nn.Parameter(torch.randn(8, 8, 3, 3)), scale

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.conv2d(x, self.weight if self.scale is None else self.weight * self.scale, padding=1)


class Attention(nn.Module):
    """Self-attention of one head without projections, as a function."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return F.scaled_dot_product_attention(x, x, x)


class Functions(nn.Module):
    """Up-sampling, addition and concatenation, none of them a module."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(8, 8, 3, padding=1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = F.interpolate(self.conv(x) + x, scale_factor=2.0)
        return torch.cat([y, y.tanh()], 1)


def _resnet_trunk() -> nn.Module:
    return nn.Sequential(*list(load("resnet50", values=True).model)[:-3])


def _of(forward: int, parameters: int) -> dict[str, int]:
    return {"parameters": parameters, "macs": forward, "macs_with_backward": 3 * forward}


def _spectral() -> nn.Module:
    return nn.utils.parametrizations.spectral_norm(nn.Conv2d(8, 8, 3, padding=1))


def _dilated() -> nn.Module:
    return nn.Sequential(*(nn.Conv2d(1, 1, 3, dilation=d, padding=d) for d in (1, 2, 4)))


def _down_and_up() -> nn.Module:
    return nn.Sequential(nn.Conv2d(1, 4, 3, stride=2, padding=1), nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1))


PICTURE = (1, 8, 16, 16)
BIAS = 8 * 16 * 16  # Of a convolution that keeps the picture's shape.
NETS = {
    "ProGAN-1024 generator": Case(
        lambda: load("gan/progan:generator", changes={"resolution": 1024}, values=True).model,
        (1, 512),
        {"parameters": 23_079_115, "macs": _progan()},
        extra=2 * sum(w * s * s for s, w in WIDTHS.items())
        + 3 * 1024 * 1024,  # Counted in the published files, every colour layer included.
    ),
    "ResNet-50": Case(
        lambda: load("resnet50", values=True).model,
        (1, 3, 224, 224),
        {"parameters": 25_557_032, "macs": _resnet50()},
        extra=53_120 + 1000,  # One for every parameter of a norm, and the last layer's biases.
    ),
    "U-Net": Case(
        lambda: load("unet", values=True).model,
        (1, 1, 572, 572),
        {"parameters": _unet_parameters(), "macs": _unet()},
        extra=_unet_biases(),
    ),
}
CASES = NETS | {
    "transposed 8 → 4, k4 s2": Case(
        partial(nn.ConvTranspose2d, 8, 4, 4, stride=2, padding=1),
        PICTURE,
        _of(transposed(8, 4, 4, 16), 8 * 4 * 16 + 4),
        4 * 32 * 32,
    ),
    "... of 4 groups": Case(
        partial(nn.ConvTranspose2d, 8, 4, 4, stride=2, padding=1, groups=4),
        PICTURE,
        _of(transposed(8, 4, 4, 16, groups=4), 8 * 16 + 4),
        extra=4 * 32 * 32,
    ),
    "grouped 3 x 3, 4 groups": Case(
        partial(nn.Conv2d, 8, 8, 3, padding=1, groups=4), PICTURE, _of(conv(8, 8, 3, 16, groups=4), 8 * 2 * 9 + 8), BIAS
    ),
    "depthwise 3 x 3": Case(
        partial(nn.Conv2d, 8, 8, 3, padding=1, groups=8), PICTURE, _of(conv(8, 8, 3, 16, groups=8), 8 * 9 + 8), BIAS
    ),
    "spectral-normed 3 x 3": Case(_spectral, PICTURE, _of(conv(8, 8, 3, 16), 8 * 8 * 9 + 8), BIAS),
    "a convolution used twice": Case(Twice, PICTURE, _of(2 * conv(8, 8, 3, 16), 8 * 8 * 9 + 8), 2 * BIAS),
    "two layers of one weight": Case(Tied, (1, 32), _of(2 * 32 * 32, 32 * 32)),
    "F.conv2d": Case(partial(Called, None), PICTURE, _of(conv(8, 8, 3, 16), 8 * 8 * 9)),
    "F.conv2d, weight scaled": Case(partial(Called, 0.5), PICTURE, _of(conv(8, 8, 3, 16), 8 * 8 * 9)),
    "F.scaled_dot_product_attention": Case(Attention, (1, 1, 64, 16), {"macs": 2 * 64 * 64 * 16, "parameters": 0}),
    "add, up-sample, concatenate": Case(
        Functions, PICTURE, {"macs": conv(8, 8, 3, 16), "operations": 3}, BIAS, ("add", "interpolate", "cat")
    ),
    "rates 1, 2, 4": Case(_dilated, (1, 1, 64, 64), {"field": 1 + 2 * (1 + 2 + 4)}),
    "PatchGAN": Case(lambda: load("patchgan70", values=True).model, (1, 3, 256, 256), {"field": 70}),
    # Between two strides a unit sees two units below, which see 3 pixels each and lie 2 apart.
    "down by 2 and up again": Case(_down_and_up, (1, 1, 64, 64), {"field": 3 + 2}),
    "ResNet-50 before its pooling": Case(_resnet_trunk, (1, 3, 224, 224), {"field": 427}),
}
