"""Halving the sides of feature maps: maximum, average, every second pixel, or blurred first.

Taking every second pixel, of the features themselves or of their maxima, lets through what is too fine for the new
grid, so a shift of the picture by one pixel changes what comes out (aliasing). Zhang 2019, Making convolutional
networks shift-invariant again (https://arxiv.org/abs/1904.11486), blurs before taking: a maximum becomes a maximum at
every pixel and a blurred halving ("max-blur"), a strided convolution an unstrided one and a blurred halving.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError, did_you_mean
from ganvas.nn.layers.operand_checks import need_pictures, need_side

Features = Float[Tensor, "n c h w"]
METHODS = ("max", "average", "stride", "blur", "max-blur")


class Downsample(nn.Module):
    """Halves height and width; nothing to learn. A side of h becomes ``h // 2`` by max and average, else half up.

    Args:
        method: One of ``METHODS``.
        taps: Of the blur: 2 is a box, 3 a triangle, and so on along Pascal's triangle; the paper's code has 4.
    """

    def __init__(self, method: str, *, taps: int = 4) -> None:
        super().__init__()
        if method not in METHODS:
            raise UserError(f"method='{method}' is not one of {', '.join(METHODS)}.{did_you_mean(method, METHODS)}")
        _check(taps)
        self.method, self.taps = method, taps

    def forward(self, x: Features) -> Float[Tensor, "n c h2 w2"]:
        need_pictures(x)
        if self.method in ("max", "average", "max-blur"):
            need_side(x, 2, f"halved by '{self.method}'")
        match self.method:
            case "max":
                return F.max_pool2d(x, 2)
            case "average":
                return F.avg_pool2d(x, 2)
            case "stride":
                return F.max_pool2d(x, 1, 2)  # A window of one pixel; a slice would lose channels last.
            case "blur":
                return blur_halve(x, taps=self.taps)
        return blur_halve(F.max_pool2d(x, 2, stride=1), taps=self.taps)

    def extra_repr(self) -> str:
        return f"{self.method}, taps={self.taps}" if "blur" in self.method else self.method


def blur_halve(x: Features, *, taps: int = 4) -> Float[Tensor, "n c h2 w2"]:
    """Every second pixel of the picture blurred by ``binomial(taps)`` along both axes, borders mirrored.

    Raises:
        UserError: a side that is too small to be mirrored.
    """
    _check(taps)
    need_pictures(x)
    before, after = (taps - 1) // 2, taps // 2
    if min(x.shape[2:]) <= after:
        raise UserError(
            f"Features of {x.shape[2]} x {x.shape[3]} (height x width) cannot be blurred with {taps} taps: the "
            f"mirrored border needs sides of at least {after + 1}. Use fewer taps or method='average'."
        )
    row = binomial(taps).to(x)
    kernel = torch.outer(row, row).expand(x.shape[1], 1, taps, taps)
    padded = F.pad(x, (before, after, before, after), mode="reflect")
    return F.conv2d(padded, kernel, stride=2, groups=x.shape[1])


def binomial(taps: int) -> Float[Tensor, " taps"]:
    """A row of Pascal's triangle, divided by its sum; float64.

    >>> binomial(4).tolist()
    [0.125, 0.375, 0.375, 0.125]
    """
    row = torch.ones(1, dtype=torch.float64)
    for _ in range(taps - 1):
        row = (F.pad(row, (1, 0)) + F.pad(row, (0, 1))) / 2
    return row


def _check(taps: int) -> None:
    if taps < 1:
        raise UserError(f"taps={taps} must be at least 1; 1 does not blur, 3 or 4 is usual.")
