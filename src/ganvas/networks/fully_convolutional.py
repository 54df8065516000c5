"""Fully convolutional networks (Long et al. 2015, https://arxiv.org/abs/1411.4038): FCN-32s, -16s and -8s of VGG-16.

The dense layers become convolutions, so a picture of any size gives a map of scores, which is enlarged; -16s and -8s
add scores of finer layers on the way. As in the authors' nets the first convolution pads 100 pixels and the rest is
cropped, by as much as the centres of units say. The enlarging kernels learn from a bilinear start.
"""

from collections.abc import Sequence
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import Images
from ganvas.networks.classifiers import vgg
from ganvas.nn.blocks.skips import crop
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.layers.stream_dropout import Drop, kept
from ganvas.nn.layers.unit_centres import UnitCentres
from ganvas.nn.transposed.bilinear_enlarging import BilinearEnlarging

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
    """Blocks of convolutions, two dense layers as convolutions, and scores that are enlarged and joined.

    Args:
        finest: Pixels between the finest scores: 32, 16 or 8 with five blocks.
        blocks: Sides of the kernels of every block; half the side remains after each.
        widths: Channels of every block.
        dense: Channels of both dense layers.
        dense_kernel: Side of the first one's kernel.
        padding: Zeros around the picture. 100 in the authors' nets, whose dense layers have none; 1 keeps every map at
            its place, and the dense layers then have as many as that takes.
        skip: Whether scores of two layers are added, or stand side by side for a convolution of 1 x 1.
        learn_enlarging: Whether the enlarging kernels learn; all but the authors' first nets hold them fixed.
        std: Of the starting weights of scores; 0 in the authors' nets. None is He's constant.
    """

    def __init__(
        self,
        *,
        finest: int,
        channels: int = 3,
        classes: int = CLASSES,
        blocks: Sequence[vgg.Block] = vgg.BLOCKS["D"],
        widths: Sequence[int] = vgg.CHANNELS,
        dense: int = 4096,
        dense_kernel: int = 7,
        padding: int = 100,
        skip: Literal["add", "concatenate"] = "add",
        learn_enlarging: bool = True,
        norm: bool = False,
        std: float | None = None,
    ) -> None:
        super().__init__()
        self.same = padding == 1
        self.blocks = nn.ModuleList(
            vgg.blocks(blocks, channels=channels, widths=widths, norm=norm, first_padding=padding, ceil_mode=True)
        )
        self.dense = nn.ModuleList(
            (
                Conv2d(widths[-1], dense, dense_kernel, padding=dense_kernel // 2 if self.same else 0),
                Conv2d(dense, dense, 1),
                Conv2d(dense, classes, 1, std=std),
            )
        )
        depth = len(blocks)
        joined = depth - (finest.bit_length() - 1)
        self.scores = nn.ModuleList(Conv2d(width, classes, 1, std=std) for width in list(widths)[-2::-1][:joined])
        self.doubles = nn.ModuleList(BilinearEnlarging(classes, 2, learnt=learn_enlarging) for _ in range(joined))
        self.joins = nn.ModuleList(
            Conv2d(2 * classes, classes, 1) for _ in range(joined if skip == "concatenate" else 0)
        )
        self.enlarge = BilinearEnlarging(classes, finest, learnt=learn_enlarging)
        self.offsets = crop_offsets(
            [len(block) for block in blocks], finest, padding=padding, dense_kernel=1 if self.same else dense_kernel
        )

    def forward(self, x: Images, drop: Drop = kept) -> Float[Tensor, "n classes h w"]:
        pools = []
        y = x
        for block in self.blocks:
            y = block(y)
            pools.append(y)
        first, second, score = self.dense
        y = score(drop(second(drop(first(y).relu())).relu()))
        for level, (double, of_pool) in enumerate(zip(self.doubles, self.scores, strict=True)):
            y, finer = _fitted(double(y), of_pool(pools[-2 - level]), self.offsets[1 + level])
            y = self.joins[level](torch.cat([finer, y], 1)) if self.joins else y + finer
        return crop(self.enlarge(y), x, offset=(self.offsets[0], self.offsets[0]))


def _fitted(y: Tensor, finer: Tensor, offset: int) -> tuple[Tensor, Tensor]:
    """Scores and finer ones, the larger of the two without what lies before and behind the other."""
    if offset < 0:
        return crop(y, finer, offset=(-offset, -offset)), finer
    return y, crop(finer, y, offset=(offset, offset))


def crop_offsets(convolutions: Sequence[int], finest: int, *, padding: int, dense_kernel: int) -> list[int]:
    """Rows and columns to drop from the last map, and from the scores of each finer layer, the coarsest first.

    Below 0 where the enlarged scores begin before the finer ones: they are what is cropped then.

    Args:
        convolutions: Of 3 x 3 in each block, with a zero around each but the first.
        finest: Pixels between the finest scores.
        padding: Zeros around the picture itself.
        dense_kernel: Side of the kernel over the last map, without zeros around.

    >>> [crop_offsets([2, 2, 3, 3, 3], finest, padding=100, dense_kernel=7) for finest in (32, 16, 8)]
    [[19], [27, 5], [31, 5, 9]]
    """
    pixels = UnitCentres()
    pools, y = [], pixels.convolved(3, padding=padding)
    for _ in convolutions:
        y = y.convolved(2, stride=2)  # Convolutions of 3 x 3 with a zero around leave units where they are.
        pools.append(y)
    y = y.convolved(dense_kernel)
    found = []
    for level in range(len(convolutions) - (finest.bit_length() - 1)):
        y = y.transposed(4, stride=2)
        found.append(pools[-2 - level].offset_to(y))
        y = y.cropped(max(-found[-1], 0))
    y = y.transposed(2 * finest, stride=finest)
    return [y.offset_to(pixels), *found]
