"""Likelihoods as bits: one definition of bits per dimension for every family, and the protocol that says its kind.

A model gives ``ln p(x)`` in nats of pictures whose colours are whole numbers 0..255. The probability of a whole number
is that of a bin of width 1; a density of colours on another scale is brought to that scale by the model.
"""

import math

import torch

from ganvas.core.shapes import Images, PerSample

LEVELS_PER_UNIT = 127.5  # Whole colours 0..255 in a unit of [-1, 1].


def bits_per_dimension(log_prob: PerSample, dimensions: int) -> PerSample:
    """``-ln p(x) / (d ln 2)`` of each picture (Theis et al. 2016, section 3.1, https://arxiv.org/abs/1511.01844).

    A uniform distribution over 256 colours has 8 bits.

    Args:
        log_prob: ``ln p(x)`` in nats per picture.
        dimensions: Numbers in a picture: height times width times channels.
    """
    return -log_prob / (dimensions * math.log(2))


def dequantised(images: Images, rng: torch.Generator) -> Images:
    """Pictures of whole colours in [-1, 1] with uniform noise within each colour's bin.

    ``E log p(x + u) <= log P(x)``, where P is the density over the bin (Theis et al. 2016, section 3.1): what a density
    of colours scores here is a lower bound of a probability of whole colours.
    """
    noise = torch.rand(images.shape, generator=rng, device=rng.device).to(images) - 0.5
    return images + noise / LEVELS_PER_UNIT


def of_whole_colours(log_density: PerSample, dimensions: int) -> PerSample:
    """A log density of colours in [-1, 1] as one of colours in 0..255, whose bins have width 1."""
    return log_density - dimensions * math.log(LEVELS_PER_UNIT)


def density_protocol(kind: str, *, n: int, pictures: str, dimensions: int, details: str = "") -> str:
    """What a likelihood in bits was computed from: kind of number and how it came about, bin width, which pictures."""
    said = kind.replace(" ", "-") + (f":{details}" if details else "")
    return f"bits_per_dimension:n{n}:d{dimensions}:bin1of256:{said}:held-out={pictures}"
