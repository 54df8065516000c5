"""Lower bounds of likelihoods by importance sampling, as the likelihood of whole colours that measurements ask for.

Burda, Grosse, Salakhutdinov: Importance Weighted Autoencoders (ICLR 2016), https://arxiv.org/abs/1509.00519.
"""

from dataclasses import dataclass
from typing import Literal

import torch

from ganvas.core.shapes import Images, PerSample
from ganvas.losses.capabilities import BoundsDensity
from ganvas.losses.likelihoods.bits import dequantised, of_whole_colours


@dataclass(frozen=True, kw_only=True)
class ImportanceBound:
    """A likelihood of whole colours from the bound of a density of colours in [-1, 1].

    The more samples, the tighter it is on average (Burda et al. 2016, theorem 1); how tight cannot be seen from it.
    """

    model: BoundsDensity
    samples: int
    density: Literal["lower bound"] = "lower bound"

    def log_prob(self, images: Images, rng: torch.Generator) -> PerSample:
        """A lower bound of ``ln p(x)``, on average, in nats per picture; one draw of noise within the colours' bins."""
        log_density = self.model.log_prob_bound(dequantised(images, rng), rng, self.samples)
        return of_whole_colours(log_density, images[0].numel())

    @property
    def density_details(self) -> str:
        """The number of samples and how whole colours are treated, for a protocol string."""
        return f"importance{self.samples}:dequantised"
