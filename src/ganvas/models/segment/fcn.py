"""Fully convolutional networks: a classifier made to name the class of every pixel, by adding scores of finer layers.

Long, Shelhamer, Darrell: Fully Convolutional Networks for Semantic Segmentation (CVPR 2015),
https://arxiv.org/abs/1411.4038. The dense layers of VGG-16 become convolutions, so a picture of any size gives a coarse
map of scores, 32 pixels apart. Enlarged it is blurred; ``finest=16`` and ``8`` add the scores that finer layers give on
their own, cropped to the same places.

With ``padding=100``, as the authors pad, maps are cropped by offsets that follow from where units lie (19; 27 and 5;
31, 5 and 9). ``padding=1`` keeps every map at its place instead. ``skip="concatenate"`` puts scores side by side, for a
convolution of 1 x 1, where the paper adds them.

Departs from the paper:
- The network starts from noise and not from a classifier trained on ImageNet: pictures of your own kind, and many, are
  needed.
- The three nets are trained at once and not one from the other; biases learn as fast as weights.
- ``features``, ``convolutions``, ``norm``, ``balance``, Adam and a falling rate are settings; the defaults
  are VGG-16's.
"""

from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float
from torch import Tensor

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images
from ganvas.losses.games.segmentation_game import SegmentationGame
from ganvas.networks.fully_convolutional import FCN
from ganvas.nn.layers.stream_dropout import Drop


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are the authors' FCN-8s, trained at once."""

    height: int = 500  # Of the pictures that it is trained on; it labels pictures of any size.
    width: int = 500
    channels: int = 3
    pixel_classes: int = 21
    void: int = 255  # The number in a label map that says that nothing is known.
    finest: int = 8  # Pixels between the finest scores: 32, 16, 8 with five blocks.
    features: int = 64  # Channels of the first block, doubled in each but never above eight times.
    convolutions: tuple[int, ...] = (2, 2, 3, 3, 3)  # Of 3 x 3 in each block; half the side remains after each.
    dense: int = 4096  # Channels of the two dense layers.
    dense_kernel: int = 7
    padding: int = 100  # Zeros around the picture, or 1, with which every map keeps its place.
    skip: Literal["add", "concatenate"] = "add"
    learn_enlarging: bool = False  # The paper learns the kernels; its authors found no difference and fixed them.
    norm: Literal["none", "batch"] = "none"
    dropout: float = 0.5  # After both dense layers.
    balance: float = 0.0  # How far classes of a picture weigh alike: 0 pixels do, towards 1 classes do.
    gap_weight: float = 0.0  # U-Net's: how much heavier pixels between two things are.
    gap_sigma: float = 5.0  # Pixels.
    summed_loss: bool = True  # Over pixels, in place of their mean.
    batch_size: int = 1
    lr: float = 1e-10
    optimizer: Literal["momentum", "adam"] = "momentum"
    momentum: float = 0.99
    weight_decay: float = 5e-4
    decay_kimg: float = 0.0  # Over which the rate falls to 0; 0 holds it.

    def __post_init__(self) -> None:
        at_least(self, 1, "features", "dense", "dense_kernel", "padding", "batch_size")
        at_least(self, 2, "pixel_classes")
        at_least(self, 0, "gap_weight", "weight_decay", "decay_kimg", "void")
        above(self, 0, "lr", "gap_sigma")
        fractions(self, "dropout", "momentum", "balance")
        assert self.picture
        _check_strides(self)
        if self.pixel_classes > 255:
            raise UserError(f"pixel_classes={self.pixel_classes}: label maps hold at most 255 classes.")

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures that it is trained on."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels)

    @property
    def widths(self) -> tuple[int, ...]:
        """Channels of each block."""
        return tuple(self.features * min(2**block, 8) for block in range(len(self.convolutions)))

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a rate that reaches 0 where the run ends, where it falls at all."""
        return replace(self, decay_kimg=total_kimg) if self.decay_kimg else self


def _check_strides(config: Config) -> None:
    if not config.convolutions or min(config.convolutions) < 1:
        raise UserError(f"convolutions={config.convolutions} must be numbers of at least 1, one for each block.")
    strides = [2 ** (block + 1) for block in range(len(config.convolutions))]
    if config.finest not in strides:
        raise UserError(
            f"finest={config.finest}: scores of {len(strides)} blocks are {', '.join(map(str, strides))} pixels apart. "
            "Choose one of these."
        )
    least = _least_padding(config)
    if config.padding != 1 and config.padding < least:
        raise UserError(
            f"padding={config.padding} leaves small pictures without a score. Give at least {least}, or 1, with "
            "which every map keeps its place."
        )
    if config.dense_kernel % 2 == 0:
        raise UserError(f"dense_kernel={config.dense_kernel} has no middle. Give an odd number.")


def _least_padding(config: Config) -> int:
    """Zeros with which the dense layers have a place to stand, and the enlarged map covers the picture, at any size."""
    return config.dense_kernel // 2 * 2 ** len(config.convolutions) + 1


TINY = Config(
    height=8,
    width=12,
    pixel_classes=3,
    finest=2,
    features=3,
    convolutions=(1, 1),
    dense=6,
    dense_kernel=3,
    padding=5,
    batch_size=4,
    lr=1e-3,
    momentum=0.5,
    decay_kimg=0.024,
)


class Model(SegmentationGame[Config]):
    """One network that labels pictures of any size."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = FCN(
            finest=config.finest,
            channels=config.channels,
            classes=config.pixel_classes,
            blocks=[(3,) * count for count in config.convolutions],
            widths=config.widths,
            dense=config.dense,
            dense_kernel=config.dense_kernel,
            padding=config.padding,
            skip=config.skip,
            learn_enlarging=config.learn_enlarging,
            norm=config.norm == "batch",
            std=0.0,
        )

    @property
    def tile_stride(self) -> int:
        """What halvings demand of a shift."""
        return 2 ** len(self.config.convolutions)

    def logits(self, images: Images, drop: Drop) -> Float[Tensor, "n k h w"]:
        """Scores of the classes of every pixel."""
        return self.network(images, drop)
