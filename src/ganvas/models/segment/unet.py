"""U-Net: names the class of every pixel, sharply, from few labelled pictures.

Ronneberger, Fischer, Brox: U-Net: Convolutional Networks for Biomedical Image Segmentation (MICCAI 2015),
https://arxiv.org/abs/1505.04597. A network that has seen much of a picture knows what is there, and no longer where.
The way back up therefore sees, at every size, the features that the way down had at that size: they stand beside its
own.

Convolutions are without padding (``valid``), so that no score depends on pixels that were made up: the picture is
mirrored at its borders, as wide as the network looks (section 3, "overlap-tile strategy"). ``same`` pads every map with
zeros instead, at half the cost of small pictures. ``skip="add"`` adds the features where the paper puts them side by
side, and changes nothing else but the width of what follows.

Departs from the paper:
- The loss is a mean over pixels, not a sum, unless ``summed_loss``; the paper gives no learning rate, and 1e-3 is ours.
- ``balance`` makes w_c of eq. 2 of the classes of each picture, where the paper counts the whole set; ``gap_weight=10``
  adds the weight of gaps.
- Pictures are not deformed elastically (section 3.1).
- ``norm``, Adam and a falling rate are settings, off by default.
"""

from dataclasses import dataclass, replace
from typing import Literal

from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images
from ganvas.losses.games.segmentation_game import SegmentationGame
from ganvas.networks.unet import UNet, lost_pixels, padded_size
from ganvas.nn.layers.mirrored_border import mirrored_border
from ganvas.nn.layers.stream_dropout import Drop
from ganvas.nn.norms.batch_norm import BatchNorm2d


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are the paper's."""

    height: int = 388  # Of the pictures that it is trained on; it labels pictures of any size.
    width: int = 388
    channels: int = 1
    pixel_classes: int = 2
    void: int = 255  # The number in a label map that says that nothing is known.
    features: int = 64  # Channels at full size, doubled with every halving.
    levels: int = 4  # Halvings.
    convolutions: Literal["valid", "same"] = "valid"  # Mirrored borders as wide as the network looks, or zeros.
    skip: Literal["concatenate", "add"] = "concatenate"
    norm: Literal["none", "batch"] = "none"
    dropout: float = 0.5  # At the end of the way down.
    balance: float = 0.0  # How far classes of a picture weigh alike: 0 pixels do, towards 1 classes do.
    gap_weight: float = 0.0  # w0 of eq. 2, 10 in the paper: how much heavier pixels between two things are.
    gap_sigma: float = 5.0  # Pixels.
    summed_loss: bool = False  # Over pixels, in place of their mean.
    batch_size: int = 1
    lr: float = 1e-3
    optimizer: Literal["momentum", "adam"] = "momentum"
    momentum: float = 0.99
    weight_decay: float = 0.0
    decay_kimg: float = 0.0  # Over which the rate falls to 0; 0 holds it.

    def __post_init__(self) -> None:
        at_least(self, 1, "features", "levels", "batch_size")
        at_least(self, 2, "pixel_classes")
        at_least(self, 0, "gap_weight", "weight_decay", "decay_kimg", "void")
        above(self, 0, "lr", "gap_sigma")
        fractions(self, "dropout", "momentum", "balance")
        assert self.picture
        if self.pixel_classes > 255:
            raise UserError(f"pixel_classes={self.pixel_classes}: label maps hold at most 255 classes.")

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures that it is trained on."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels)

    def fitted(self, total_kimg: float) -> "Config":
        """The same settings with a rate that reaches 0 where the run ends, where it falls at all."""
        return replace(self, decay_kimg=total_kimg) if self.decay_kimg else self


TINY = Config(
    height=8,
    width=12,
    channels=3,
    pixel_classes=3,
    features=3,
    levels=1,
    batch_size=4,
    momentum=0.5,
    decay_kimg=0.024,
)


class Model(SegmentationGame[Config]):
    """One network that labels pictures of any size."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = UNet(
            config.channels,
            config.pixel_classes,
            padding=0 if config.convolutions == "valid" else 1,
            features=config.features,
            levels=config.levels,
            skip=config.skip,
            norm=BatchNorm2d if config.norm == "batch" else lambda channels: nn.Identity(),
        )

    @property
    def tile_stride(self) -> int:
        """What halvings demand of a shift."""
        return 2**self.config.levels

    def logits(self, images: Images, drop: Drop) -> Float[Tensor, "n k h w"]:
        """Scores of the classes of every pixel: the picture goes on mirrored as far as the network looks."""
        height, width = images.shape[2:]
        levels = self.config.levels
        margin = lost_pixels(levels) // 2 if self.config.convolutions == "valid" else 0
        if margin:
            tall, wide = padded_size(height, levels), padded_size(width, levels)
        else:
            tall, wide = (-(-side // 2**levels) * 2**levels for side in (height, width))
        bottom, right = tall - height + margin, wide - width + margin
        seen = mirrored_border(images, top=margin, bottom=bottom, left=margin, right=right)
        return self.network(seen, drop)[..., :height, :width]
