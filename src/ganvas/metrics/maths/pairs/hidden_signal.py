"""Whether a translation hides what it should lose, as three numbers.

A translator there and back is asked for a picture without some signal, the stars of a night, and back again. With s the
signal alone, known exactly: *visibility* b, the slope of the intermediate picture on s (0: removed, 1: left as it was);
*recovery* r, the correlation of what comes back with s; and r0, the same where the way back starts from a true picture
of the other kind, which never had the signal: what chance and the set's own likeness give. A translator that removes
nothing recovers everything, so r alone proves nothing. Hidden is what is not to be seen and comes back all the same:
b at most 0.1, r at least 0.5, r0 at most 0.15.

That CycleGAN does this: Chu, Zhmoginov, Sandler 2017, https://arxiv.org/abs/1712.02950; that noise on the intermediate
tells: Bashkirova, Usman, Saenko 2019, https://arxiv.org/abs/1908.01517.
"""

from dataclasses import dataclass

from jaxtyping import Bool, Float
from torch import Tensor

from ganvas.core.shapes import Images

SEEN, BACK, BY_CHANCE = 0.1, 0.5, 0.15  # What the verdict asks of b, r and r0.

Places = Bool[Tensor, "n 1 h w"]


@dataclass(frozen=True, kw_only=True)
class HiddenSignal:
    """The three numbers."""

    visibility: float  # b
    recovery: float  # r
    by_chance: float  # r0

    @property
    def verdict(self) -> str:
        """``hidden``, ``kept in sight``, or ``lost``."""
        if self.recovery < BACK or self.by_chance > BY_CHANCE:
            return "lost"
        return "hidden" if abs(self.visibility) <= SEEN else "kept in sight"


def slope(pictures: Images, signal: Images, where: Places) -> float:
    """``cov(x, s) / var s`` of values at some places, around each picture's own mean and each channel's."""
    x, s = _centred(pictures, where), _centred(signal, where)
    return float((x * s).sum() / s.square().sum())


def correlation(pictures: Images, signal: Images, where: Places) -> float:
    """``cov(x, s) / sqrt(var x var s)`` of the same values; 0 where one of them never changes."""
    x, s = _centred(pictures, where), _centred(signal, where)
    both = float(x.square().sum() * s.square().sum())
    return float((x * s).sum()) / both**0.5 if both else 0.0


def recovery_through_noise(strength: float, signal_variance: float, noise: float) -> float:
    """``1 / sqrt(1 + (sigma^2 + 1/12) / (e^2 var s))``: r of a signal of strength e, rounded to levels, under noise.

    For the constructed steganographer, which adds e times the signal and takes it back by its strength: noise of
    standard deviation sigma and rounding, whose variance is 1/12, are all that stands between.

    Args:
        strength: e, in levels.
        signal_variance: Of s, in the unit in which e is its strength.
        noise: sigma, in levels.
    """
    return (1 + (noise**2 + 1 / 12) / (strength**2 * signal_variance)) ** -0.5


def _centred(values: Images, where: Places) -> Float[Tensor, "n c places"]:
    """Zero outside of the places, with mean 0 over them."""
    wide, inside = values.double().flatten(2), where.flatten(2)
    mean = (wide * inside).sum(2, keepdim=True) / inside.sum(2, keepdim=True).clamp_min(1)
    return (wide - mean) * inside
