"""Partial convolutions fill irregular holes: what lies in a hole is never seen, and the hole closes ring by ring.

Liu, Reda, Shih, Wang, Tao, Catanzaro: Image Inpainting for Irregular Holes Using Partial Convolutions (ECCV 2018),
https://arxiv.org/abs/1804.07723. Ordinary convolutions take a hole's colour for part of the picture, and blur or stain
what is around it. A U-Net of partial convolutions (:mod:`ganvas.nn.layers.partial_conv`) carries its mask along. There
is no discriminator.

Departs from the paper:
- The perceptual and the style losses (of VGG-16) are left out: its weights are not part of Ganvas, and a model does not
  depend on files that were fetched. The weights of the terms that are left are the paper's.
- No second training with the batch norms of the encoder held still (section 4.2).
- The number of halvings is a setting: the paper's 8 are for pictures of 512 x 512.
- Activations come after the hole's zeros are put back, so that a closed hole and an open one are told apart by the mask
  alone, as the paper's equation has it.
"""

import itertools
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.hole_law import HoleLaw
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Masks, OtherImages
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.filling import made_whole, region_error, total_variation, with_hole
from ganvas.losses.game import Phase, Terms
from ganvas.losses.games.fill_game import FillGame
from ganvas.losses.pixel_losses import error_map
from ganvas.nn.layers.partial_conv import PartialConv2d
from ganvas.nn.layers.resample import double
from ganvas.nn.norms.batch_norm import BatchNorm2d

KERNELS = (7, 5, 5)  # Of the first layers on the way down; all others are 3.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are the paper's, for pictures of 512x512."""

    height: int = 512  # A multiple of 2^halvings.
    width: int = 512
    channels: int = 3
    halvings: int = 8
    features: int = 64  # After the first layer; doubled by each of the next three.
    holes: HoleLaw = "free-form"
    known_weight: float = 1.0  # Of the error where the picture is known.
    hole_weight: float = 6.0  # Of the error in the hole.
    variation_weight: float = 0.1  # Of the steps between neighbours in and around the hole.
    batch_size: int = 6
    lr: float = 2e-4
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8

    def __post_init__(self) -> None:
        at_least(self, 1, "halvings", "features", "batch_size")
        at_least(self, 0, "known_weight", "hole_weight", "variation_weight")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2")
        assert self.picture

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures in training."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=1 << self.halvings)


TINY = Config(height=8, width=8, halvings=2, features=4, batch_size=4)


class Model(FillGame[Config]):
    """One player: the network."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = PartialUNet(config.channels, halvings=config.halvings, features=config.features)

    @property
    def stride(self) -> int:
        """Sides are halved so often."""
        return 1 << self.config.halvings

    @property
    def tile_stride(self) -> int:
        """Pictures may be shifted by multiples of it: nothing is counted over the picture."""
        return self.stride

    def phases(self) -> list[Phase[Pictures]]:
        """One move."""
        return [Phase(name="N", player=self.network, loss=self._loss, optimizer=self.adam)]

    def fill(
        self, images: Images, mask: Masks, *, guide: OtherImages | None = None, noise: Masks | None = None
    ) -> Images:
        """The pictures with their holes filled in; guides and ``noise`` are not looked at."""
        return made_whole(images, mask, self.network(images, mask).clamp(-1, 1))

    def show(self, batch: Pictures) -> list[tuple[str, Images]]:
        """What is given, what is made, and the truth."""
        filled = self.fill(batch.images, batch.known)
        return [
            ("given", with_hole(batch.images, batch.known)),
            ("filled", filled),
            ("truth", batch.images),
            ("error", error_map(filled, batch.images)),
        ]

    def _loss(self, batch: Pictures) -> Terms:
        """Errors of both regions, and the variation of the filled picture about the hole (section 3.3)."""
        config, known = self.config, batch.known
        made = self.network(batch.images, known)
        filled = made_whole(batch.images, known, made)
        return {
            "error_known": config.known_weight * region_error(made, batch.images, known),
            "error_hole": config.hole_weight * region_error(made, batch.images, 1 - known),
            "variation": config.variation_weight * total_variation(filled, widened(1 - known)),
        }


class PartialUNet(nn.Module):
    """Halvings by partial convolutions of stride 2, doublings by nearest neighbour, skips with their masks."""

    def __init__(self, channels: int, *, halvings: int, features: int) -> None:
        super().__init__()
        widths = [channels, *(features << min(level, 3) for level in range(halvings))]
        kernels = [*KERNELS, *(3 for _ in range(halvings))]
        self.down = nn.ModuleList(
            PartialLayer(before, after, kernels[level], stride=2, norm=level > 0, slope=0.0)
            for level, (before, after) in enumerate(itertools.pairwise(widths))
        )
        below = widths[-1]
        up: list[nn.Module] = []
        for level in range(halvings - 1, -1, -1):
            after = widths[level]
            last = level == 0
            up.append(PartialLayer(below + after, after, 3, norm=not last, slope=1.0 if last else 0.2))
            below = after
        self.up = nn.ModuleList(up)

    def forward(self, images: Images, mask: Masks) -> Images:
        x, known = with_hole(images, mask), mask
        passed = []
        for layer in self.down:
            passed.append((x, known))
            x, known = layer(x, known)
        for layer, (skip, its_known) in zip(self.up, reversed(passed), strict=True):
            x, known = double(x), double(known)
            channels = [known.expand_as(x), its_known.expand_as(skip)]
            x, known = layer(torch.cat([x, skip], 1), torch.cat(channels, 1))
        return x


class PartialLayer(nn.Module):
    """Partial convolution, batch norm where there is one, leaky ReLU; the hole stays zero.

    Args:
        slope: Of the activation below zero; 1 is none.
    """

    def __init__(self, before: int, after: int, kernel: int, *, norm: bool, slope: float, stride: int = 1) -> None:
        super().__init__()
        self.convolution = PartialConv2d(before, after, kernel, stride=stride, padding=kernel // 2, bias=not norm)
        self.norm = BatchNorm2d(after) if norm else None
        self.slope = slope

    def forward(
        self, x: Float[Tensor, "n c h w"], mask: Float[Tensor, "n #c h w"]
    ) -> tuple[Float[Tensor, "n c2 h2 w2"], Float[Tensor, "n 1 h2 w2"]]:
        x, known = self.convolution(x, mask)
        x = x if self.norm is None else self.norm(x)
        return torch.where(known > 0, F.leaky_relu(x, self.slope), 0), known


def widened(hole: Masks) -> Masks:
    """The hole and a ring of one pixel about it."""
    return F.max_pool2d(hole, 3, stride=1, padding=1)
