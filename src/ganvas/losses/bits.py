"""Likelihoods as bits: one definition of bits per dimension for every family, and the protocol that says its kind.

A model gives ``ln p(x)`` in nats of pictures whose colours are whole numbers 0..255. The probability of a whole number
is that of a bin of width 1; a density of colours on another scale is brought to that scale by the model.
"""

import math

from ganvas.core.shapes import PerSample


def bits_per_dimension(log_prob: PerSample, dimensions: int) -> PerSample:
    """``-ln p(x) / (d ln 2)`` of each picture (Theis et al. 2016, section 3.1, https://arxiv.org/abs/1511.01844).

    A uniform distribution over 256 colours has 8 bits.

    Args:
        log_prob: ``ln p(x)`` in nats per picture.
        dimensions: Numbers in a picture: height times width times channels.
    """
    return -log_prob / (dimensions * math.log(2))


def density_protocol(kind: str, *, n: int, pictures: str, dimensions: int) -> str:
    """What a likelihood in bits was computed from: kind of number, bin width, and which pictures."""
    return f"bits_per_dimension:n{n}:d{dimensions}:bin1of256:{kind.replace(' ', '-')}:held-out={pictures}"
