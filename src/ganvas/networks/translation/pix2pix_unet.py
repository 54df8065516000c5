"""The U-Net of pix2pix (Isola et al. 2017, section 6.1.1, https://arxiv.org/abs/1611.07004).

Halved by convolutions of stride 2 down to one pixel and doubled again, all 4 x 4; every size on the way up also sees
the features that the way down had there. Layers as in the authors' code: the outermost and the innermost convolutions
down have no norm. Its noise is dropout.
"""

from collections.abc import Callable

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d
from ganvas.nn.layers.stream_dropout import Drop, kept
from ganvas.nn.norms.picture_norm import PictureNorm2d

INPUT = {"pix2pix_unet256": (3, 256, 256), "pix2pix_unet128": (3, 128, 128)}
STD = 0.02


def pix2pix_unet256() -> nn.Module:
    """Eight halvings."""
    return Pix2PixUNet(3, 3, halvings=8)


def pix2pix_unet128() -> nn.Module:
    """Seven halvings."""
    return Pix2PixUNet(3, 3, halvings=7, dropped=2)


class Pix2PixUNet(nn.Module):
    """From pictures to pictures of one size, whose sides are multiples of ``2^halvings``.

    Args:
        channels: Of what it is given.
        out_channels: Of what it makes.
        halvings: Down, and doublings up.
        features: After the first convolution, doubled with every halving up to eight times.
        dropped: Doublings after the innermost one whose features go through dropout.
        norm: After every convolution but the first and the innermost down, and the last up.
    """

    def __init__(
        self,
        channels: int,
        out_channels: int,
        *,
        halvings: int,
        features: int = 64,
        dropped: int = 3,
        norm: Callable[[int], nn.Module] = PictureNorm2d,
    ) -> None:
        super().__init__()
        bias = norm is not PictureNorm2d
        widths = [features * min(2**level, 8) for level in range(halvings)]
        befores = [channels, *widths]
        self.down = nn.ModuleList(
            Conv2d(before, width, 4, stride=2, padding=1, bias=bias, std=STD)
            for before, width in zip(befores, widths, strict=False)
        )
        self.down_norms = nn.ModuleList(norm(width) for width in widths[1:-1])
        outs = [out_channels, *widths[:-1]][::-1]
        ins = [widths[-1], *(2 * width for width in widths[-2::-1])]
        self.up = nn.ModuleList(
            ConvTranspose2d(before, width, 4, stride=2, padding=1, bias=bias or last, std=STD)
            for before, width, last in zip(ins, outs, [False] * (halvings - 1) + [True], strict=True)
        )
        self.up_norms = nn.ModuleList(norm(width) for width in outs[:-1])
        self.dropped = range(1, 1 + dropped)

    def forward(self, x: Images, drop: Drop = kept) -> Float[Tensor, "n c_out h w"]:
        """In [-1, 1]; features of the doublings named by ``dropped`` go through ``drop``."""
        skips = []
        for level, convolution in enumerate(self.down):
            x = convolution(x if level == 0 else F.leaky_relu(x, 0.2))
            if 0 < level < len(self.down) - 1:
                x = self.down_norms[level - 1](x)
            skips.append(x)
        for level, convolution in enumerate(self.up):
            given = x if level == 0 else torch.cat([skips[-1 - level], x], 1)
            x = convolution(given.relu())
            if level < len(self.up_norms):
                x = self.up_norms[level](x)
                x = drop(x) if level in self.dropped else x
        return x.tanh()
