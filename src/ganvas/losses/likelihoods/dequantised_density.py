"""The likelihood of whole colours under a model that knows the density of real ones: noise fills the colours' bins.

Theis, van den Oord, Bethge: A note on the evaluation of generative models (ICLR 2016), section 3.1,
https://arxiv.org/abs/1511.01844.
"""

from dataclasses import dataclass, field
from typing import Literal

import torch

from ganvas.core.pixels import COLOURS
from ganvas.core.shapes import Images, PerSample
from ganvas.losses.capabilities import KnowsDensity
from ganvas.losses.likelihoods.bits import Noise, UniformNoise, bound_of_whole_colours


@dataclass(frozen=True, kw_only=True)
class DequantisedDensity:
    """A likelihood of whole colours from a density of colours in [-1, 1] that is known exactly.

    The density is exact; as the probability of whole colours it is a lower bound on average, the tighter the more
    draws of noise each picture gets.
    """

    model: KnowsDensity
    samples: int = 1  # Draws of noise per picture.
    levels: int = COLOURS
    noise: Noise = field(default_factory=UniformNoise)
    density: Literal["exact density"] = "exact density"

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """At most ``ln P(x)`` on average, in nats per picture."""
        return bound_of_whole_colours(
            self.model.log_density, images, rng, noise=self.noise, samples=self.samples, levels=self.levels
        )

    @property
    def density_details(self) -> str:
        """Which noise, and how many draws of it: "dequantised-uniform1"."""
        return f"dequantised-{self.noise.name}{self.samples}"
