"""Real NVP's network: couplings over checkerboards and over channels, at several scales, from pictures to latents.

Dinh, Sohl-Dickstein, Bengio: Density estimation using Real NVP (ICLR 2017), https://arxiv.org/abs/1605.08803, with what
the paper leaves open from its code (tensorflow/models, research/real_nvp). At each scale three couplings move one
colour of a checkerboard by the other; then 2x2 pixels are squeezed into channels, and three couplings move halves of
the channels. Half of the numbers leave as latents (section 3.6), the other half goes on at half the size, with twice
the feature maps. The last scale has four checkerboards.

A coupling is ``(x + t) exp(s)``, then batch normalisation of what has moved. ``s = g tanh(...)`` with a number g that
starts at 0 for checkerboards and 1 for channels. Both s and t come from one residual network of weight-normalised
convolutions, batch norms and skips, which sees the numbers that stay, and their negatives.

Departs from the code: the batch norm after a coupling has the statistics of the places that have moved; the code's
count the others, as zeros. ``x exp(s) + t``, as the paper writes it, is the same family of maps.
"""

import math
from dataclasses import dataclass
from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.sample_sizes.picture_size import DoubledSize, WholeSize
from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, BijectionChain, sum_per_sample
from ganvas.nn.invertible.checkerboard_mask import checkerboard_mask
from ganvas.nn.invertible.colour_range import Logit, UnitRange
from ganvas.nn.invertible.coupling import CouplingLayer
from ganvas.nn.invertible.flow_batch_norm import FlowBatchNorm
from ganvas.nn.invertible.moves import ShiftThenScale
from ganvas.nn.invertible.squeeze import ordered_squeeze, ordered_unsqueeze
from ganvas.nn.layers.initialise import filled, unset
from ganvas.nn.norms.batch_norm import BatchNorm2d

BATCH_NORM_EPS = 1e-4

Maps = Float[Tensor, "n c h w"]
Latent = Float[Tensor, "n z"]


class WeightNormConv2d(nn.Module):
    """A convolution whose kernels have length 1, or one that is learnt (Salimans & Kingma 2016), with an odd kernel.

    Args:
        scaled: Whether the length is learnt. It starts at ``sqrt(kernel^2 / 6)``, as the code's does.
        bias: Whether there is one.
    """

    def __init__(
        self, in_channels: int, out_channels: int, kernel: int, *, scaled: bool = False, bias: bool = False
    ) -> None:
        super().__init__()
        self.kernel = kernel
        self.direction = unset(out_channels, in_channels, kernel, kernel)
        self.length = unset(out_channels) if scaled else None
        self.bias = unset(out_channels) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        """A direction of uniform numbers; bias 0."""
        bound = math.sqrt(2 / self.direction.shape[1])
        uniform = torch.rand(self.direction.shape, generator=generator, device=generator.device)
        with torch.no_grad():
            self.direction.copy_(bound * (2 * uniform - 1))
            if self.length is not None:
                self.length.fill_(math.sqrt(self.kernel**2 / 6))
            if self.bias is not None:
                self.bias.zero_()

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h w"]:
        weight = F.normalize(filled(self.direction).flatten(1), dim=1).view_as(self.direction)
        if self.length is not None:
            weight = weight * filled(self.length).view(-1, 1, 1, 1)
        bias = None if self.bias is None else filled(self.bias).to(x.dtype)
        return F.conv2d(x, weight.to(x.dtype), bias, padding=self.kernel // 2)


class ShiftedBatchNorm(nn.Module):
    """Batch normalisation with a learnt shift and no scale."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.norm = BatchNorm2d(channels, eps=BATCH_NORM_EPS, affine=False)
        self.shift = unset(channels)

    def reset(self, generator: torch.Generator) -> None:
        """Shift 0; draws nothing."""
        nn.init.zeros_(self.shift)

    def forward(self, x: Maps) -> Maps:
        return self.norm(x) + filled(self.shift).view(1, -1, 1, 1)


@dataclass(frozen=True, kw_only=True)
class NetworkStyle:
    """What all networks of couplings have in common.

    Attributes:
        features: Feature maps of the first scale; doubled at each further one, and for halves of channels.
        blocks: Residual blocks.
        batch_norm: In the networks, and after each coupling. Without it no number depends on the rest of a batch.
    """

    features: int
    blocks: int
    batch_norm: bool = True


def _norm(channels: int, style: NetworkStyle) -> nn.Module:
    return ShiftedBatchNorm(channels) if style.batch_norm else nn.Identity()


class ResidualBlock(nn.Module):
    """``x + conv(relu(bn(conv(relu(bn(x))))))``."""

    def __init__(self, features: int, style: NetworkStyle) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            _norm(features, style),
            nn.ReLU(),
            WeightNormConv2d(features, features, 3, bias=not style.batch_norm),
            _norm(features, style),
            nn.ReLU(),
            WeightNormConv2d(features, features, 3, scaled=True, bias=True),
        )

    def forward(self, x: Maps) -> Maps:
        return x + self.branch(x)


class SkipNetwork(nn.Module):
    """Residual blocks; what enters the first one and what leaves each is added up through 1x1 convolutions."""

    def __init__(self, inputs: int, outputs: int, *, features: int, style: NetworkStyle) -> None:
        super().__init__()
        self.enter = WeightNormConv2d(inputs, features, 3, bias=True)
        self.blocks = nn.ModuleList(ResidualBlock(features, style) for _ in range(style.blocks))
        self.skips = nn.ModuleList(
            WeightNormConv2d(features, features, 1, scaled=True, bias=True) for _ in range(style.blocks + 1)
        )
        self.leave = nn.Sequential(
            _norm(features, style), nn.ReLU(), WeightNormConv2d(features, outputs, 1, scaled=True, bias=True)
        )

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h w"]:
        x = self.enter(x)
        total = self.skips[0](x)
        for block, skip in zip(self.blocks, list(self.skips)[1:], strict=True):
            x = block(x)
            total = total + skip(x)
        return self.leave(total)


class ShiftAndLogScale(nn.Module):
    """From the numbers that stay to shift t and ``s = g tanh(...)`` of those that move.

    Without batch norm s has a learnt offset too, as in the code.

    Args:
        gain: Where g starts.
        mask: What the network is told of which places stay, as a channel; None tells it nothing.
    """

    mask: Tensor | None

    def __init__(
        self, channels: int, *, features: int, style: NetworkStyle, gain: float, mask: Tensor | None = None
    ) -> None:
        super().__init__()
        self.register_buffer("mask", None if mask is None else mask.clone(), persistent=False)
        self.start, self.doubled = gain, 2.0 if mask is not None and style.batch_norm else 1.0
        self.norm = _norm(channels, style)
        inputs = 2 * channels + (mask is not None)
        self.network = SkipNetwork(inputs, 2 * channels, features=features, style=style)
        self.gain = unset()
        self.offset = None if style.batch_norm else unset()

    def reset(self, generator: torch.Generator) -> None:
        """The gain, and no offset; draws nothing."""
        nn.init.constant_(self.gain, self.start)
        if self.offset is not None:
            nn.init.zeros_(self.offset)

    def forward(self, stays: Maps) -> tuple[Maps, Maps]:
        x = self.doubled * self.norm(stays)
        seen = [x, -x]
        if self.mask is not None:
            seen.append(self.mask.to(x.dtype).expand(len(x), -1, -1, -1))
        shift, raw = self.network(torch.cat(seen, 1).relu()).chunk(2, 1)
        log_scale = filled(self.gain) * raw.tanh()
        return shift, log_scale if self.offset is None else log_scale + filled(self.offset)


class CheckerboardCoupling(Bijection):
    """One colour of a checkerboard says how the other is moved; what has moved is normalised.

    Args:
        stays: The colour that stays: 1 is that of the pixel at the top left, 0 the other.
    """

    mask: Tensor

    def __init__(self, channels: int, size: tuple[int, int], *, stays: int, features: int, style: NetworkStyle) -> None:
        super().__init__()
        mask = checkerboard_mask(*size, first=stays)
        self.register_buffer("mask", mask, persistent=False)
        self.network = ShiftAndLogScale(channels, features=features, style=style, gain=0.0, mask=mask)
        self.norm = _flow_norm(channels, 1 - mask, style)

    def forward(self, x: Maps) -> tuple[Maps, PerSample]:
        y, log_slopes = self._move(x).forward(x)
        y, log_det = self.norm(y)
        return y, log_det + sum_per_sample(log_slopes)

    def inverse(self, y: Maps) -> Maps:
        y = self.norm.inverse(y)
        return self._move(y).inverse(y)

    def _move(self, x: Maps) -> ShiftThenScale:
        """No shift and no scale where a number stays."""
        mask = self.mask.to(x.dtype)
        shift, log_scale = self.network(x * mask)
        return ShiftThenScale(shift * (1 - mask), log_scale * (1 - mask))


def channel_coupling(
    channels: int, size: tuple[int, int], *, first_moves: bool, features: int, style: NetworkStyle
) -> CouplingLayer:
    """One half of the channels says how the other is moved; what has moved is normalised."""
    half = channels // 2
    network = ShiftAndLogScale(half, features=features, style=style, gain=1.0)
    norm = _flow_norm(half, torch.ones(1, 1, *size), style)
    return CouplingLayer(network, _shift_then_scale, first_moves=first_moves, norm=norm)


def _shift_then_scale(said: tuple[Maps, Maps]) -> ShiftThenScale:
    return ShiftThenScale(*said)


class Scale(Bijection):
    """The couplings of one scale and of all below it, from maps (n, c, h, w) to latents (n, c h w).

    Args:
        scales: How many there are from here on; 1 is the last.
        features: Feature maps of the checkerboards' networks; those of channels have twice as many.
    """

    def __init__(
        self, channels: int, size: tuple[int, int], *, scales: int, features: int, style: NetworkStyle
    ) -> None:
        super().__init__()
        self.shape = (channels, *size)
        how: dict[str, Any] = {"features": features, "style": style}
        boards = (1, 0, 1) if scales > 1 else (1, 0, 1, 0)
        self.boards = BijectionChain(*(CheckerboardCoupling(channels, size, stays=stays, **how) for stays in boards))
        self.below: Scale | None = None
        if scales > 1:
            half = (size[0] // 2, size[1] // 2)
            wide: dict[str, Any] = {"features": 2 * features, "style": style}
            self.halves = BijectionChain(
                *(channel_coupling(4 * channels, half, first_moves=first, **wide) for first in (False, True, False))
            )
            self.below = Scale(2 * channels, half, scales=scales - 1, **wide)

    def forward(self, x: Maps) -> tuple[Latent, PerSample]:
        x, log_det = self.boards(x)
        if self.below is None:
            return x.flatten(1), log_det
        y, log_det_halves = self.halves(F.pixel_unshuffle(x, 2))
        goes_on, leaves = ordered_squeeze(F.pixel_shuffle(y, 2)).chunk(2, 1)
        z, log_det_below = self.below(goes_on)
        return torch.cat([leaves.flatten(1), z], 1), log_det + log_det_halves + log_det_below

    def inverse(self, y: Latent) -> Maps:
        if self.below is None:
            return self.boards.inverse(y.view(-1, *self.shape))
        left, z = y.chunk(2, 1)
        goes_on = self.below.inverse(z)
        maps = ordered_unsqueeze(torch.cat([goes_on, left.view_as(goes_on)], 1))
        return self.boards.inverse(F.pixel_shuffle(self.halves.inverse(F.pixel_unshuffle(maps, 2)), 2))


def real_nvp(picture: DoubledSize | WholeSize, style: NetworkStyle, *, scales: int, alpha: float = 0.05) -> Bijection:
    """The whole flow, from pictures in [-1, 1] to latents (n, c h w) of N(0, I)."""
    scale = Scale(picture.channels, picture.size, scales=scales, features=style.features, style=style)
    return BijectionChain(UnitRange(), Logit(alpha), scale)


def real_nvp_reach(alpha: float) -> tuple[float, float]:
    """Between which colours of [-1, 1] a picture has a density above 0: a little beyond both, as far as the logit."""
    low, high = Logit(alpha).reach()
    return (low * COLOURS - 0.5) / LEVELS_PER_UNIT - 1, (high * COLOURS - 0.5) / LEVELS_PER_UNIT - 1


def _flow_norm(channels: int, mask: Tensor, style: NetworkStyle) -> Bijection:
    """Of what a coupling has moved; nothing without batch norm."""
    return FlowBatchNorm(channels, mask, eps=BATCH_NORM_EPS) if style.batch_norm else BijectionChain()
