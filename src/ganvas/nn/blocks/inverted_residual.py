"""Inverted residual with linear bottleneck (Sandler et al. 2018, MobileNetV2, https://arxiv.org/abs/1801.04381).

The shortcut joins the narrow ends and the depthwise convolution is done in between, where it is wide and cheap. The
narrow end has no ReLU: of a signal in few channels it would destroy what it sets to zero (section 3.2).
"""

import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.grouped_conv import GroupedConv2d
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.batch_norm import BatchNorm2d


class InvertedResidual(nn.Module):
    """``[x +] bn(conv1(relu6(bn(depthwise3(relu6(bn(conv1(x))))))))`` (table 1).

    x is added where the stride is 1 and as many channels come out as go in; there is no first convolution where the
    expansion t is 1. From c to o channels it has ``c t + 2 c t + 9 c t + 2 c t + c t o + 2 o`` parameters for t > 1.
    """

    def __init__(self, in_channels: int, out_channels: int, *, expansion: int, stride: int = 1) -> None:
        super().__init__()
        if expansion < 1:
            raise UserError(f"expansion={expansion} must be at least 1; the paper's is 6.")
        wide = in_channels * expansion
        self.adds = stride == 1 and in_channels == out_channels
        self.expand = None
        if expansion > 1:
            self.expand = nn.Sequential(Conv2d(in_channels, wide, 1, bias=False), BatchNorm2d(wide))
        self.depthwise = GroupedConv2d(wide, wide, 3, groups=wide, stride=stride, padding=1, bias=False)
        self.norm = BatchNorm2d(wide)
        self.project = nn.Sequential(Conv2d(wide, out_channels, 1, bias=False), BatchNorm2d(out_channels))

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n o h2 w2"]:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.norm(self.depthwise(y))))
        return x + y if self.adds else y
