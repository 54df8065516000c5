"""Labellers that need no training: the names of colours, brightness, edges and texture.

They are exact and do not care where a thing is, so they are the sanity rung below a trained labeller: a unit that "is"
the sky may only be blue.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.pixels import to_bytes
from ganvas.core.shapes import Images
from ganvas.dissect.labellers.labeller import LabelMaps
from ganvas.features.colours import COLOURS, Colours
from ganvas.features.network import opaque_rgb

LUMA = (0.299, 0.587, 0.114)  # ITU-R BT.601.
DARK, BRIGHT = 1 / 3, 2 / 3  # Of brightness from 0 to 1.
EDGE = 0.25  # Brightness per pixel from which on a place is an edge: a quarter of the way from black to white.
BUSY = 0.04  # Standard deviation of brightness within 5 x 5 pixels, edges aside, from which on a place has texture.


@dataclass(frozen=True, kw_only=True)
class Rule:
    """A labeller that is a rule about the pixels."""

    identity: str
    labels: tuple[str, ...]
    rule: Callable[[Images], LabelMaps]

    def segment(self, images: Images) -> LabelMaps:
        """The number of each pixel's label."""
        return self.rule(images)


def colours() -> Rule:
    """The 11 basic colour names (:mod:`ganvas.features.colours`)."""
    names = Colours()
    return Rule(
        identity=names.identity,
        labels=tuple(COLOURS),
        rule=lambda images: names.label(opaque_rgb(to_bytes(images))),
    )


def brightness() -> Rule:
    """Dark, middling and bright: thirds of the way from black to white."""
    return Rule(
        identity="brightness-thirds",
        labels=("dark", "middling", "bright"),
        rule=lambda images: (_luma(images) > DARK).long() + (_luma(images) > BRIGHT).long(),
    )


def edges() -> Rule:
    """Edge or not: Sobel's gradient of the brightness above a quarter of its range per pixel."""
    return Rule(
        identity=f"edges-sobel{EDGE}",
        labels=("even", "edge"),
        rule=lambda images: (_slope(_luma(images)) > EDGE).long(),
    )


def texture() -> Rule:
    """Smooth, textured, or an edge: how much the brightness varies within 5 x 5 pixels."""
    return Rule(identity=f"texture-5x5-{BUSY}", labels=("smooth", "textured", "edge"), rule=_texture)


def _texture(images: Images) -> LabelMaps:
    luma = _luma(images)
    mean, square = _local_mean(luma), _local_mean(luma.square())
    busy = (square - mean.square()).clamp_min(0).sqrt() > BUSY
    edge = _slope(luma) > EDGE
    return torch.where(edge, 2, busy.long())


def _luma(images: Images) -> Float[Tensor, "n h w"]:
    """Brightness from 0 to 1."""
    light = (images + 1) / 2
    if light.shape[1] < 3:
        return light[:, 0]
    return torch.einsum("nchw,c->nhw", light[:, :3], torch.tensor(LUMA, device=light.device))


def _slope(luma: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    """Sobel's gradient, in brightness per pixel; the picture goes on as it ends."""
    across = torch.tensor([[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]], device=luma.device) / 8
    kernels = torch.stack([across, across.T])[:, None]
    padded = F.pad(luma[:, None], (1, 1, 1, 1), mode="replicate")
    return F.conv2d(padded, kernels).square().sum(1).sqrt()


def _local_mean(luma: Float[Tensor, "n h w"]) -> Float[Tensor, "n h w"]:
    return F.avg_pool2d(F.pad(luma[:, None], (2, 2, 2, 2), mode="replicate"), 5, 1)[:, 0]
