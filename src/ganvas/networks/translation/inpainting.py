"""Free-form inpainting (Yu et al. 2019, https://arxiv.org/abs/1806.03589): gated and dilated against spectral-normed.

The generator is the coarse stage of the authors' network (layers and channels as in their code): gated convolutions,
four of them dilated, doubling by nearest neighbour. Their second stage, which adds contextual attention, is in the
model ``fill/gated``. The discriminator is theirs (SN-PatchGAN): six spectrally normalised convolutions, every score a
sample of its own; after the last one, too, comes a leaky ReLU.
"""

from collections.abc import Sequence
from itertools import pairwise

from torch import nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

INPUT = {"gated_generator": (5, 256, 256), "sn_patchgan": (4, 256, 256)}
WIDTH = 24  # Channels after the first gate; the code's cnum is twice this, counted before gating.
DILATIONS = (2, 4, 8, 16)  # Of the four dilated layers.
SCORED = 64  # Channels of the first layer of the discriminator.


def gated_generator() -> nn.Module:
    """Picture with a hole, ones, and the mask of the hole in (3 + 1 + 1 channels); a whole picture out."""
    return coarse_stage(WIDTH)


def sn_patchgan() -> nn.Module:
    """Picture and mask in (3 + 1 channels); a map of features out, each of which is a score."""
    return sn_patch_discriminator(4)


def coarse_stage(width: int, *, channels: int = 3, dilations: Sequence[int] = DILATIONS) -> nn.Sequential:
    """From ``channels`` + 2 to ``channels``; ``width`` channels after the first gate."""
    w = width
    return nn.Sequential(
        *(gated(channels + 2, w, 5), gated(w, 2 * w, stride=2), gated(2 * w, 2 * w), gated(2 * w, 4 * w, stride=2)),
        *(gated(4 * w, 4 * w), gated(4 * w, 4 * w), *dilated(4 * w, dilations)),
        *doublings(4 * w, w, channels=channels),
    )


def dilated(width: int, dilations: Sequence[int]) -> list[nn.Module]:
    """Gated convolutions that see ever farther at one resolution."""
    return [gated(width, width, dilation=dilation) for dilation in dilations]


def doublings(before: int, width: int, *, channels: int) -> list[nn.Module]:
    """From features at a quarter of the size to a picture in [-1, 1]."""
    w = width
    return [
        *(gated(before, 4 * w), gated(4 * w, 4 * w)),
        *(nn.Upsample(scale_factor=2.0, mode="nearest"), gated(4 * w, 2 * w), gated(2 * w, 2 * w)),
        *(nn.Upsample(scale_factor=2.0, mode="nearest"), gated(2 * w, w), gated(w, max(w // 2, 1))),
        *(Conv2d(max(w // 2, 1), channels, 3, padding=1), nn.Tanh()),
    ]


def sn_patch_discriminator(channels: int, *, features: int = SCORED, layers: int = 6) -> nn.Sequential:
    """``layers`` convolutions of 5 x 5 and stride 2, the width doubling twice."""
    widths = (channels, *(features * min(2**level, 4) for level in range(layers)))
    made: list[nn.Module] = []
    for before, after in pairwise(widths):
        made += [SpectralNorm(Conv2d(before, after, 5, stride=2, padding=2)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*made)


def gated(before: int, after: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> GatedConv2d:
    """A gated convolution that keeps the size, or halves it."""
    padding = dilation * (kernel // 2)
    return GatedConv2d(before, after, kernel, stride=stride, padding=padding, dilation=dilation)


def need_dilations(dilations: Sequence[int]) -> None:
    """That a setting names dilations.

    Raises:
        UserError: it is empty, or one is below 1.
    """
    if not dilations or min(dilations) < 1:
        raise UserError(f"dilations={tuple(dilations)} must be distances of at least 1, such as 2,4,8,16.")


def live_dilation(dilation: int, side: int) -> int:
    """A dilation, halved until its outer taps can reach a pixel of a map of this side; else eight of nine do nothing.

    >>> [live_dilation(dilation, 8) for dilation in (2, 4, 8, 16)]
    [2, 4, 4, 4]
    """
    while dilation >= side and dilation > 1:
        dilation //= 2
    return dilation
