"""From logistic to normal numbers: a flow whose prior is logistic has latents of N(0, I) all the same.

NICE scores its latents by ``log p(z) = -log(1 + e^z) - log(1 + e^-z)`` (Dinh et al. 2014, eq. 10,
https://arxiv.org/abs/1410.8516).
"""

import math

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import PerSample
from ganvas.nn.invertible.bijection import Bijection, sum_per_sample

FARTHEST = 600.0  # Where the probability of a logistic number beyond leaves the range of float64.

Rows = Float[Tensor, "n d"]


class LogisticToNormal(Bijection):
    """``y = Phi^-1(sigma(x))``. The log-determinant is such that the density of x is logistic, to the last digit."""

    def forward(self, x: Rows) -> tuple[Rows, PerSample]:
        wide = x.double().clamp(-FARTHEST, FARTHEST)
        y = (-torch.special.ndtri(torch.sigmoid(-wide.abs())) * wide.sign()).to(x.dtype)
        normal = -0.5 * (y.square() + math.log(2 * math.pi))
        return y, sum_per_sample(-F.softplus(x) - F.softplus(-x) - normal)

    def inverse(self, y: Rows) -> Rows:
        wide = y.double()
        return (torch.special.log_ndtr(wide) - torch.special.log_ndtr(-wide)).to(y.dtype)
