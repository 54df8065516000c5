"""Monotonic rational-quadratic splines: a curve through knots, smooth and with an inverse in closed form.

Durkan, Bekasov, Murray, Papamakarios: Neural Spline Flows (NeurIPS 2019), section 3.1,
https://arxiv.org/abs/1906.04032, after Gregory & Delbourgo (1982). Between knots ``(x_k, y_k)`` and
``(x_{k+1}, y_{k+1})`` with slopes d_k and d_{k+1}, at ``t = (x - x_k) / w`` and with ``s = h / w``::

    y = y_k + h (s t^2 + d_k t (1 - t)) / (s + (d_k + d_{k+1} - 2 s) t (1 - t))                              (eq. 4)

Outside of [-bound, bound] it is the identity, which it meets with slope 1.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

LEAST_SIDE = 1e-3  # Of a bin, as a share of the whole: widths and heights.
LEAST_SLOPE = 1e-3
AT_ZERO = math.log(math.expm1(1 - LEAST_SLOPE))  # Where softplus makes a slope of 1.

Numbers = Float[Tensor, "*shape"]
Knots = Float[Tensor, "... knots"]


@dataclass(frozen=True)
class RationalQuadratic:
    """A spline for every number.

    Attributes:
        x: Where the knots lie, rising from -bound to bound; y: what they become, likewise.
        slopes: At the knots, above 0, and 1 at both ends.
    """

    x: Knots
    y: Knots
    slopes: Knots

    def forward(self, x: Numbers) -> tuple[Numbers, Numbers]:
        """The moved numbers, and the logarithm of every one's slope."""
        inside, at = self._inside(x, self.x)
        bin_ = self._bin(at, self.x)
        t = (at - bin_.x) / bin_.width
        mixed = t * (1 - t)
        steep, bend = bin_.height / bin_.width, bin_.left + bin_.right - 2 * bin_.height / bin_.width
        below = steep + bend * mixed
        y = bin_.y + bin_.height * (steep * t.square() + bin_.left * mixed) / below
        above = bin_.right * t.square() + 2 * steep * mixed + bin_.left * (1 - t).square()
        log_slope = 2 * steep.log() + above.log() - 2 * below.log()
        return torch.where(inside, y, x), torch.where(inside, log_slope, torch.zeros_like(log_slope))

    def inverse(self, y: Numbers) -> Numbers:
        """The root in [0, 1] of the quadratic equation for t (eq. 6 to 8)."""
        inside, at = self._inside(y, self.y)
        bin_ = self._bin(at, self.y)
        steep, bend = bin_.height / bin_.width, bin_.left + bin_.right - 2 * bin_.height / bin_.width
        up = at - bin_.y
        a = bin_.height * (steep - bin_.left) + up * bend
        b = bin_.height * bin_.left - up * bend
        c = -steep * up
        t = 2 * c / (-b - (b.square() - 4 * a * c).clamp_min(0).sqrt())
        return torch.where(inside, bin_.x + t * bin_.width, y)

    def _inside(self, numbers: Numbers, knots: Knots) -> tuple[Tensor, Numbers]:
        """Which numbers the spline moves; and all of them, brought inside: what lies outside has no part in it."""
        low, high = knots[..., 0], knots[..., -1]
        return (numbers > low) & (numbers < high), torch.minimum(torch.maximum(numbers, low), high)

    def _bin(self, numbers: Numbers, knots: Knots) -> "_Bin":
        """What is known of the bin that each number lies in."""
        index = (numbers[..., None] >= knots[..., 1:-1]).sum(-1, keepdim=True)

        def pick(values: Knots, offset: int) -> Numbers:
            return values.gather(-1, index + offset)[..., 0]

        x, y = pick(self.x, 0), pick(self.y, 0)
        return _Bin(
            x=x,
            y=y,
            width=pick(self.x, 1) - x,
            height=pick(self.y, 1) - y,
            left=pick(self.slopes, 0),
            right=pick(self.slopes, 1),
        )


@dataclass(frozen=True)
class _Bin:
    x: Numbers
    y: Numbers
    width: Numbers
    height: Numbers
    left: Numbers  # Slope at the left knot.
    right: Numbers


def numbers_of_spline(bins: int) -> int:
    """How many numbers a network gives for a spline: widths, heights, and slopes between bins."""
    return 3 * bins - 1


def spline_of(raw: Float[Tensor, "*shape numbers"], *, bins: int, bound: float) -> RationalQuadratic:
    """The spline that a network's numbers describe; that of zeros is the identity (section 3.1)."""
    widths, heights, slopes = raw.split([bins, bins, bins - 1], -1)
    between = LEAST_SLOPE + F.softplus(slopes + AT_ZERO)
    return RationalQuadratic(
        x=_knots(widths, bound), y=_knots(heights, bound), slopes=F.pad(between, (1, 1), value=1.0)
    )


def _knots(raw: Tensor, bound: float) -> Knots:
    """From -bound to bound in steps that are shares of the whole, the last knot exactly there."""
    shares = LEAST_SIDE + (1 - LEAST_SIDE * raw.shape[-1]) * raw.softmax(-1)
    between = 2 * bound * shares.cumsum(-1)[..., :-1] - bound
    return F.pad(F.pad(between, (1, 0), value=-bound), (0, 1), value=bound)
