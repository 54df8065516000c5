"""Mixed links: residual and dense connections as two settings of one block (Wang et al. 2018, Mixed Link Networks).

A residual block adds to the features that are there, a dense block appends to them (Huang et al. 2017, Densely
Connected Convolutional Networks, https://arxiv.org/abs/1608.06993). The paper shows both to be the same dense
topology, apart from where the new features go, and does both: an inner link adds to the last k1 channels, an outer
link appends k2. https://arxiv.org/abs/1802.01808

- k1 = 0: a dense block with growth rate k2.
- k2 = 0 and k1 = channels: a residual block.
- Both above 0, always the same position: a dual path network (Chen et al. 2017).
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.batch_norm import BatchNorm2d

Branch = Callable[[int, int], nn.Module]  # (channels in, channels out) -> module that keeps height and width.


class MixedLink(nn.Module):
    """``cat(x + pad(inner(x)), outer(x))``: both links read the same x; the inner adds to its last k1 channels.

    Args:
        k1: Channels that the inner link adds to; 0 for none.
        k2: Channels that the outer link appends; 0 for none.
        branch: Makes a link; the paper's, :func:`narrow_branch`, unless given.
    """

    def __init__(self, channels: int, k1: int, k2: int, *, branch: Branch | None = None) -> None:
        super().__init__()
        if not 0 <= k1 <= channels or k2 < 0 or k1 + k2 == 0:
            raise UserError(
                f"k1={k1}, k2={k2} on {channels} channels: k1 is from 0 to the number of channels, k2 at least 0, and "
                "one of them above 0."
            )
        branch = branch or narrow_branch
        self.before = channels - k1  # Channels that the inner link leaves alone.
        self.inner = branch(channels, k1) if k1 else None
        self.outer = branch(channels, k2) if k2 else None

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c_and_k2 h w"]:
        y = x
        if self.inner is not None:
            added = self.inner(x)
            y = x + (F.pad(added, (0, 0, 0, 0, self.before, 0)) if self.before else added)
        return y if self.outer is None else torch.cat([y, self.outer(x)], dim=1)


def dense_block(channels: int, growth: int, layers: int, *, branch: Branch | None = None) -> nn.Sequential:
    """``layers`` layers that each append ``growth`` channels; ``channels + layers growth`` come out."""
    return mixed_link_block(channels, 0, growth, layers, branch=branch)


def mixed_link_block(channels: int, k1: int, k2: int, layers: int, *, branch: Branch | None = None) -> nn.Sequential:
    """``layers`` mixed links; ``channels + layers k2`` channels come out."""
    return nn.Sequential(*(MixedLink(channels + index * k2, k1, k2, branch=branch) for index in range(layers)))


def narrow_branch(in_channels: int, out_channels: int, *, expansion: int = 4) -> nn.Sequential:
    """BN, ReLU, 1x1 to ``expansion out_channels``, BN, ReLU, 3x3 (the bottleneck layer "B" of a DenseNet-BC)."""
    width = expansion * out_channels
    return nn.Sequential(
        BatchNorm2d(in_channels),
        nn.ReLU(),
        Conv2d(in_channels, width, 1, bias=False),
        BatchNorm2d(width),
        nn.ReLU(),
        Conv2d(width, out_channels, 3, padding=1, bias=False),
    )


def transition(in_channels: int, out_channels: int) -> nn.Sequential:
    """BN, ReLU, 1x1, average of 2 x 2: between two blocks (the compression "C" of a DenseNet-BC)."""
    return nn.Sequential(
        BatchNorm2d(in_channels), nn.ReLU(), Conv2d(in_channels, out_channels, 1, bias=False), nn.AvgPool2d(2)
    )
