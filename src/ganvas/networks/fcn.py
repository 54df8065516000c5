"""Fully convolutional networks (Long et al. 2015, https://arxiv.org/abs/1411.4038): FCN-32s, -16s and -8s of VGG-16.

The dense layers become convolutions, so a picture of any size gives a map of scores, which is enlarged; -16s and -8s
add scores of finer layers on the way. As in the authors' nets the first convolution pads 100 pixels and the rest is
cropped. The enlarging kernels start at He's draw, where the authors start them bilinear.
"""

from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.networks.vgg import blocks
from ganvas.nn.blocks.skips import add_skip, crop
from ganvas.nn.layers.plain_layers import Conv2d, ConvTranspose2d

CLASSES = 21  # Of PASCAL VOC, background included.
INPUT = dict.fromkeys(["fcn32s", "fcn16s", "fcn8s"], (3, 500, 500))


def fcn32s() -> nn.Module:
    """Scores of the last layer, enlarged 32 times."""
    return FCN(finest=32)


def fcn16s() -> nn.Module:
    """Twice enlarged and joined with the scores of pool4, then 16 times."""
    return FCN(finest=16)


def fcn8s() -> nn.Module:
    """Joined with the scores of pool4 and pool3, then enlarged 8 times."""
    return FCN(finest=8)


class FCN(nn.Module):
    """``finest`` is the stride of the finest scores: 32, 16 or 8."""

    def __init__(self, *, finest: int) -> None:
        super().__init__()
        self.blocks = nn.ModuleList(blocks("D", first_padding=100, ceil_mode=True))
        self.dense = nn.Sequential(
            *(Conv2d(512, 4096, 7), nn.ReLU(), nn.Dropout()),
            *(Conv2d(4096, 4096, 1), nn.ReLU(), nn.Dropout()),
            Conv2d(4096, CLASSES, 1),
        )
        widths = {32: [], 16: [512], 8: [512, 256]}[finest]
        self.scores = nn.ModuleList(Conv2d(width, CLASSES, 1) for width in widths)
        self.doubles = nn.ModuleList(_enlarge(2) for _ in widths)
        self.enlarge = _enlarge(finest)
        self.offset = {32: 19, 16: 27, 8: 31}[finest]  # First row and column of the picture in the enlarged map.

    def forward(self, x: Images) -> Float[Tensor, "n classes h w"]:
        pools = []
        y = x
        for block in self.blocks:
            y = block(y)
            pools.append(y)
        y = self.dense(y)
        skips = zip(self.scores, self.doubles, pools[-2::-1], (5, 9), strict=False)
        for score, double, pool, offset in skips:
            y = add_skip(double(y), score(pool), offset=(offset, offset))
        return crop(self.enlarge(y), x, offset=(self.offset, self.offset))


def _enlarge(factor: int) -> ConvTranspose2d:
    return ConvTranspose2d(CLASSES, CLASSES, 2 * factor, stride=factor, bias=False)
