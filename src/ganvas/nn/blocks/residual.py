"""Residual blocks (He et al. 2015, Deep residual learning, https://arxiv.org/abs/1512.03385).

Deeper plain networks had a *higher training error*: many layers do not easily learn to do nothing. A block that adds
to its input does nothing when its branch is zero, so depth cannot hurt at the start.
"""

from collections.abc import Callable
from typing import Literal

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.batch_norm import BatchNorm2d

Features = Float[Tensor, "n c h w"]
Shortcut = Callable[[int, int, int], nn.Module]  # (channels in, channels out, stride) -> module.


class Residual(nn.Module):
    """``shortcut(x) + branch(x)`` of any two modules whose outputs have one shape; without a shortcut, x itself."""

    def __init__(self, branch: nn.Module, *, shortcut: nn.Module | None = None) -> None:
        super().__init__()
        self.shortcut = nn.Identity() if shortcut is None else shortcut
        self.branch = branch

    def forward(self, x: Features) -> Float[Tensor, "n c2 h2 w2"]:
        return self.shortcut(x) + self.branch(x)


class BasicBlock(nn.Module):
    """``relu(shortcut(x) + bn(conv3(relu(bn(conv3_s(x))))))`` (figure 5, left).

    Args:
        stride: Of the first convolution.
        shortcut: How the input is brought to the output's shape: :func:`projection` (option B, 1x1 convolution where
            the shape changes) or :class:`PaddedShortcut` (option A, no parameters).
    """

    def __init__(self, in_channels: int, channels: int, *, stride: int = 1, shortcut: Shortcut | None = None) -> None:
        super().__init__()
        self.conv1 = Conv2d(in_channels, channels, 3, stride=stride, padding=1, bias=False)
        self.norm1 = BatchNorm2d(channels)
        self.conv2 = Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = BatchNorm2d(channels)
        self.shortcut = (shortcut or projection)(in_channels, channels, stride)

    def forward(self, x: Features) -> Float[Tensor, "n c2 h2 w2"]:
        y = F.relu(self.norm1(self.conv1(x)))
        return F.relu(self.shortcut(x) + self.norm2(self.conv2(y)))


class Bottleneck(nn.Module):
    """``relu(shortcut(x) + bn(conv1(relu(bn(conv3(relu(bn(conv1(x)))))))))`` (figure 5, right): narrows, then widens.

    Args:
        width: Channels within; ``expansion`` times as many come out.
        stride_at: The convolution that has the stride: the first 1x1 as in the paper's code, or the 3x3 ("v1.5",
            which drops no pixel unseen). Receptive fields differ.
        dilation: Of the 3x3 convolution.
    """

    def __init__(
        self,
        in_channels: int,
        width: int,
        *,
        stride: int = 1,
        expansion: int = 4,
        dilation: int = 1,
        stride_at: Literal["1x1", "3x3"] = "3x3",
        shortcut: Shortcut | None = None,
    ) -> None:
        super().__init__()
        first, second = (stride, 1) if stride_at == "1x1" else (1, stride)
        out_channels = expansion * width
        self.conv1 = Conv2d(in_channels, width, 1, stride=first, bias=False)
        self.norm1 = BatchNorm2d(width)
        self.conv2 = Conv2d(width, width, 3, stride=second, padding=dilation, dilation=dilation, bias=False)
        self.norm2 = BatchNorm2d(width)
        self.conv3 = Conv2d(width, out_channels, 1, bias=False)
        self.norm3 = BatchNorm2d(out_channels)
        self.shortcut = (shortcut or projection)(in_channels, out_channels, stride)

    def forward(self, x: Features) -> Float[Tensor, "n c2 h2 w2"]:
        y = F.relu(self.norm1(self.conv1(x)))
        y = F.relu(self.norm2(self.conv2(y)))
        return F.relu(self.shortcut(x) + self.norm3(self.conv3(y)))


def projection(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """Option B (section 3.3): x itself, or a 1x1 convolution and batch norm where channels or size change."""
    if in_channels == out_channels and stride == 1:
        return nn.Identity()
    return nn.Sequential(Conv2d(in_channels, out_channels, 1, stride=stride, bias=False), BatchNorm2d(out_channels))


def subsampling(in_channels: int, out_channels: int, stride: int) -> nn.Module:
    """As :func:`projection`, but where only the size changes every ``stride``-th pixel is taken (TF-slim's)."""
    if in_channels == out_channels and stride > 1:
        return PaddedShortcut(in_channels, out_channels, stride)
    return projection(in_channels, out_channels, stride)


class PaddedShortcut(nn.Module):
    """Option A (section 3.3): every ``stride``-th pixel, and zeros in the channels that are new, half on each side."""

    def __init__(self, in_channels: int, out_channels: int, stride: int) -> None:
        super().__init__()
        if out_channels < in_channels:
            raise UserError(
                f"A padded shortcut cannot lead from {in_channels} channels to {out_channels}, which are fewer. "
                "Use projection."
            )
        new = out_channels - in_channels
        self.stride, self.padding = stride, (new // 2, new - new // 2)

    def forward(self, x: Features) -> Float[Tensor, "n c2 h2 w2"]:
        if self.stride > 1:
            x = F.max_pool2d(x, 1, self.stride)  # A window of one pixel: subsampling as one operation.
        return F.pad(x, (0, 0, 0, 0, *self.padding)) if any(self.padding) else x

    def extra_repr(self) -> str:
        return f"stride={self.stride}, new_channels={sum(self.padding)}"
