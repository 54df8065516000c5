"""The discretised mixture of logistics: a distribution over whole colours 0..255 that knows which colours are near.

Salimans, Karpathy, Chen, Kingma: PixelCNN++ (ICLR 2017), https://arxiv.org/abs/1701.05517, section 2.1 and 2.2. A pixel
is a mixture of logistic distributions, each rounded to whole colours; the means of later channels move with the
channels before them. Colours are given in [-1, 1], 2 / 255 apart.

``sigma(p) - sigma(m) = sigma(p) sigma(-m) (1 - e^(m - p))`` for a bin from m to p, which has no cancellation: no bin
needs an approximation of its own, and the probabilities of the 256 colours add up to 1.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.pixels import LEVELS_PER_UNIT
from ganvas.core.shapes import Images

HALF_BIN = 1 / 255
LEAST_LOG_SCALE = -7.0  # As in the authors' code: a deviation of a tenth of a colour.


@dataclass(frozen=True)
class LogisticMixture:
    """Parameters of every pixel's mixture of k components over c channels."""

    logits: Float[Tensor, "n k h w"]  # Of the components.
    means: Float[Tensor, "n k c h w"]  # Before the channels before have moved them.
    log_scales: Float[Tensor, "n k c h w"]
    couplings: Float[Tensor, "n k pairs h w"]  # Of channels 1 on channel 0, 2 on 0, 2 on 1, ..., in (-1, 1).

    def log_prob(self, images: Images) -> Float[Tensor, "n h w"]:
        """``ln p`` of each pixel's whole colours, in nats (eq. 1 and 2)."""
        means = self._moved(images)
        inverse = (-self.log_scales).exp()
        centred = images.unsqueeze(1) - means
        upper, lower = inverse * (centred + HALF_BIN), inverse * (centred - HALF_BIN)
        inside = F.logsigmoid(upper) + F.logsigmoid(-lower) + torch.log(-torch.expm1(-2 * HALF_BIN * inverse))
        at_black, at_white = images.unsqueeze(1) < -1 + HALF_BIN, images.unsqueeze(1) > 1 - HALF_BIN
        bins = torch.where(at_black, F.logsigmoid(upper), torch.where(at_white, F.logsigmoid(-lower), inside))
        return torch.logsumexp(bins.sum(2) + F.log_softmax(self.logits, 1), 1)

    def pixel(self, y: int, x: int) -> "LogisticMixture":
        """The mixture of one pixel, of height and width 1."""
        rows, columns = slice(y, y + 1), slice(x, x + 1)
        return LogisticMixture(
            self.logits[..., rows, columns],
            self.means[..., rows, columns],
            self.log_scales[..., rows, columns],
            self.couplings[..., rows, columns],
        )

    def sample(self, rng: torch.Generator) -> Images:
        """Whole colours, in [-1, 1], drawn from every pixel's mixture on its own."""
        uniform = _inside(torch.rand(self.logits.shape, generator=rng, device=rng.device)).to(self.logits)
        chosen = (self.logits - torch.log(-torch.log(uniform))).argmax(1)
        index = chosen[:, None, None].expand(-1, -1, self.means.shape[2], -1, -1)
        means, log_scales = self.means.gather(1, index)[:, 0], self.log_scales.gather(1, index)[:, 0]
        pairs = chosen[:, None, None].expand(-1, -1, self.couplings.shape[2], -1, -1)
        couplings = self.couplings.gather(1, pairs)[:, 0]
        uniform = _inside(torch.rand(means.shape, generator=rng, device=rng.device)).to(means)
        noise = log_scales.exp() * (torch.log(uniform) - torch.log1p(-uniform))
        drawn: list[Tensor] = []
        for channel in range(means.shape[1]):
            first = channel * (channel - 1) // 2
            moved = means[:, channel] + sum(couplings[:, first + before] * drawn[before] for before in range(channel))
            drawn.append(whole_colours((moved + noise[:, channel]).clamp(-1, 1)))
        return torch.stack(drawn, 1)

    def _moved(self, images: Images) -> Float[Tensor, "n k c h w"]:
        """Each channel's means, moved by the channels before it as they are in the picture (eq. 3)."""
        moved = []
        for channel in range(self.means.shape[2]):
            first = channel * (channel - 1) // 2
            shift = [self.couplings[:, :, first + before] * images[:, None, before] for before in range(channel)]
            moved.append(self.means[:, :, channel] + sum(shift))
        return torch.stack(moved, 2)


def numbers_of(components: int, channels: int) -> int:
    """How many numbers a network gives for each pixel: logits, means, scales and couplings."""
    return components * (1 + 2 * channels + channels * (channels - 1) // 2)


def mixture_of(numbers: Float[Tensor, "n numbers h w"], *, components: int, channels: int) -> LogisticMixture:
    """The mixture that a network's output describes."""
    n, _, height, width = numbers.shape
    pairs = channels * (channels - 1) // 2
    logits, rest = numbers[:, :components], numbers[:, components:]
    rest = rest.reshape(n, components, 2 * channels + pairs, height, width)
    means, log_scales, couplings = rest.split([channels, channels, pairs], 2)
    return LogisticMixture(logits, means, log_scales.clamp(min=LEAST_LOG_SCALE), couplings.tanh())


def whole_colours(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """The nearest of the 256 colours, in [-1, 1]."""
    return ((x + 1) * LEVELS_PER_UNIT).round() / LEVELS_PER_UNIT - 1


def _inside(uniform: Tensor) -> Tensor:
    """Uniform numbers without the 0 whose logarithm is infinite."""
    return uniform.clamp(min=math.ldexp(1.0, -24), max=1 - math.ldexp(1.0, -24))
