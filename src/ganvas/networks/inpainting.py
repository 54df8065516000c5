"""Free-form inpainting (Yu et al. 2019, https://arxiv.org/abs/1806.03589): gated and dilated against spectral-normed.

The generator is the coarse stage of the authors' network (layers and channels as in their code): gated convolutions,
four of them dilated, doubling by nearest neighbour. Their second stage, which adds contextual attention, is not here.
The discriminator is theirs (SN-PatchGAN): six spectrally normalised convolutions, every score a sample of its own.
"""

from itertools import pairwise

from torch import nn

from ganvas.nn.layers.gated_conv import GatedConv2d
from ganvas.nn.layers.plain_layers import Conv2d
from ganvas.nn.norms.spectral_norm import SpectralNorm

INPUT = {"gated_generator": (5, 256, 256), "sn_patchgan": (4, 256, 256)}
WIDTH = 24  # Channels after the first gate; the code's cnum is twice this, counted before gating.


def gated_generator() -> nn.Module:
    """Picture with a hole, ones, and the mask of the hole in (3 + 1 + 1 channels); a whole picture out."""
    w = WIDTH
    return nn.Sequential(
        *(_gated(5, w, 5), _gated(w, 2 * w, stride=2), _gated(2 * w, 2 * w), _gated(2 * w, 4 * w, stride=2)),
        *(_gated(4 * w, 4 * w), _gated(4 * w, 4 * w)),
        *(_gated(4 * w, 4 * w, dilation=dilation) for dilation in (2, 4, 8, 16)),
        *(_gated(4 * w, 4 * w), _gated(4 * w, 4 * w)),
        *(nn.Upsample(scale_factor=2.0, mode="nearest"), _gated(4 * w, 2 * w), _gated(2 * w, 2 * w)),
        *(nn.Upsample(scale_factor=2.0, mode="nearest"), _gated(2 * w, w), _gated(w, w // 2)),
        *(Conv2d(w // 2, 3, 3, padding=1), nn.Tanh()),
    )


def sn_patchgan() -> nn.Module:
    """Picture and mask in (3 + 1 channels); a map of features out, each of which is a score."""
    widths = (4, 64, 128, 256, 256, 256, 256)
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [SpectralNorm(Conv2d(before, after, 5, stride=2, padding=2)), nn.LeakyReLU(0.2)]
    return nn.Sequential(*layers)


def _gated(before: int, after: int, kernel: int = 3, *, stride: int = 1, dilation: int = 1) -> GatedConv2d:
    padding = dilation * (kernel // 2)
    return GatedConv2d(before, after, kernel, stride=stride, padding=padding, dilation=dilation)
