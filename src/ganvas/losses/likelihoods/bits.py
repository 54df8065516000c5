"""Likelihoods as bits: one definition of bits per dimension for every family, and the protocol that says its kind.

A model gives ``ln p(x)`` in nats of pictures whose colours are whole numbers. The probability of a whole number is that
of its bin, so a density of colours needs two things more: noise that spreads each colour over its bin
(:func:`spread`), and the width of the bin in the density's own units (:func:`of_whole_colours`). A model of fewer
than 256 ``levels`` sees pictures whose colours were reduced first; its bits are of those, and its protocol says so.

Noise of density q over a bin of width w bounds the probability from below (Theis et al. 2016, section 3.1,
https://arxiv.org/abs/1511.01844; Ho et al. 2019, eq. 11, https://arxiv.org/abs/1902.00275; with K draws Hoogeboom,
Cohen & Tomczak 2020, section 3, https://arxiv.org/abs/2001.11235)::

    ln P(x) >= E ln 1/K sum_k p(x + u_k) / q(u_k | x)

It is tight where q is p's own share of the bin, and the tighter the larger K is. Uniform noise has ``q = 1 / w``.
"""

import math
from collections.abc import Callable
from typing import Literal, Protocol, runtime_checkable

import torch
from torch import Tensor

from ganvas.core.pixels import COLOURS, LEVELS_PER_UNIT
from ganvas.core.shapes import Images, PerSample

# What a number is: the probability of whole colours; the density of colours with noise within their bins, known
# exactly, and so a bound of that probability; a bound of either; an estimate; or that of an altered model, such as a
# generator with noise around its pictures.
Kind = Literal["exact", "exact density", "lower bound", "estimate", "altered density"]


def bits_per_dimension(log_prob: PerSample, dimensions: int) -> PerSample:
    """``-ln p(x) / (d ln 2)`` of each picture (Theis et al. 2016, section 3.1, https://arxiv.org/abs/1511.01844).

    A uniform distribution over 256 colours has 8 bits.

    Args:
        log_prob: ``ln p(x)`` in nats per picture.
        dimensions: Numbers in a picture: height times width times channels.
    """
    return -log_prob / (dimensions * math.log(2))


def bin_width(levels: int = COLOURS) -> float:
    """How wide the bin of one of ``levels`` colours is in [-1, 1], where whole colours 0..255 are 2/255 apart.

    >>> round(bin_width() * 127.5, 12), round(bin_width(32) * 127.5, 12)
    (1.0, 8.0)
    """
    return COLOURS / levels / LEVELS_PER_UNIT


def spread(images: Images, uniform: Tensor, *, levels: int = COLOURS) -> Images:
    """Pictures of whole colours in [-1, 1], each colour reduced to ``levels`` and moved to a place of its bin.

    Colour c is bin ``floor(c levels / 256)``, of ``256 / levels`` colours, and ends up at the share ``uniform`` of it;
    all bins together fill [-1 - 1/255, 1 + 1/255].

    Args:
        uniform: A number in [0, 1) for each number of the pictures.
    """
    if levels == COLOURS:  # In one operation: colours stay what they are.
        return images + (uniform.to(images) - 0.5) / LEVELS_PER_UNIT
    bins = torch.floor(((images + 1) * LEVELS_PER_UNIT).round().clamp(0, COLOURS - 1) * (levels / COLOURS))
    return ((bins + uniform.to(images)) * (COLOURS / levels) - 0.5) / LEVELS_PER_UNIT - 1


def dequantised(images: Images, rng: torch.Generator, *, levels: int = COLOURS) -> Images:
    """Pictures of whole colours in [-1, 1] with uniform noise within each colour's bin.

    ``E log p(x + u) <= log P(x)``, where P is the density over the bin (Theis et al. 2016, section 3.1): what a density
    of colours scores here is a lower bound of a probability of whole colours.
    """
    return spread(images, torch.rand(images.shape, generator=rng, device=rng.device), levels=levels)


def of_whole_colours(log_density: PerSample, dimensions: int, *, levels: int = COLOURS) -> PerSample:
    """A log density of colours in [-1, 1] as the log probability of their bins: ``+ d ln(bin width)``."""
    return log_density + dimensions * math.log(bin_width(levels))


@runtime_checkable
class Noise(Protocol):
    """Noise within the bins of colours, and how likely it was."""

    @property
    def name(self) -> str:
        """For the protocol: "uniform"."""
        ...

    def draw(self, images: Images, rng: torch.Generator) -> tuple[Images, PerSample]:
        """For pictures of whole colours a number in (0, 1) for each of theirs, and ``ln q`` of all of a picture."""
        ...


class UniformNoise:
    """The same density everywhere in a bin: ``q = 1``."""

    name = "uniform"

    def draw(self, images: Images, rng: torch.Generator) -> tuple[Images, PerSample]:
        uniform = torch.rand(images.shape, generator=rng, device=rng.device).to(images)
        return uniform, images.new_zeros(len(images))


def bound_of_whole_colours(
    log_density: Callable[[Images], PerSample],
    images: Images,
    rng: torch.Generator,
    *,
    noise: Noise,
    samples: int = 1,
    levels: int = COLOURS,
) -> PerSample:
    """``ln 1/K sum_k p(x + u_k) w^d / q(u_k | x)``: at most ``ln P(x)``, on average, in nats per picture.

    Args:
        log_density: ``ln p`` of colours in [-1, 1].
        images: Of whole colours.
        noise: Draws u in (0, 1), the share of its bin that a colour moves by; q is its density there.
        samples: K.
    """
    dimensions = images[0].numel()
    weights: list[PerSample] = []
    for _ in range(samples):
        shares, log_q = noise.draw(images, rng)
        density = log_density(spread(images, shares, levels=levels))
        weights.append(of_whole_colours(density, dimensions, levels=levels) - log_q)
    return torch.stack(weights).logsumexp(0) - math.log(samples)


def density_protocol(
    kind: str,
    *,
    n: int,
    pictures: str,
    dimensions: int,
    details: str = "",
    levels: int = COLOURS,
    trained_on: bool = False,
) -> str:
    """What a likelihood in bits was computed from: kind of number and how it came about, bin width, which pictures.

    Args:
        trained_on: Whether the pictures are those of the training, and so not held out.
    """
    said = kind.replace(" ", "-") + (f":{details}" if details else "")
    return f"bits_per_dimension:n{n}:d{dimensions}:bin1of{levels}:{said}:{whose(trained_on)}={pictures}"


def whose(trained_on: bool) -> Literal["training", "held-out"]:
    """The word of a protocol for samples that a model was trained on, or was not."""
    return "training" if trained_on else "held-out"
