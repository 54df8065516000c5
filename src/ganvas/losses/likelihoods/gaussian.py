"""Normal distributions in the losses of autoencoders: likelihoods of pictures, divergences of codes, in nats."""

import math

from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Latents, PerSample, Scalar


def gaussian_log_density(
    x: Float[Tensor, "n *shape"], mean: Float[Tensor, "n *shape"], log_variance: Scalar
) -> PerSample:
    """``log N(x; mean, sigma^2 I) = -1/2 sum (log 2 pi sigma^2 + (x - mean)^2 / sigma^2)``, in nats per sample."""
    squares = (x - mean).square() * (-log_variance).exp()
    return -0.5 * (squares + log_variance + math.log(2 * math.pi)).flatten(1).sum(1)


def divergence_from_standard_normal(mean: Latents, log_variance: Latents) -> PerSample:
    """``KL(N(mean, variance) || N(0, I)) = 1/2 sum (mean^2 + variance - 1 - log variance)``.

    Kingma & Welling 2014, appendix B, https://arxiv.org/abs/1312.6114.
    """
    return 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).sum(1)


def normal_log_ratio(z: Latents, mean: Latents, log_variance: Latents) -> PerSample:
    """``log N(z; 0, I) - log N(z; mean, variance)``; its mean over the second is minus the divergence above."""
    scaled = (z - mean).square() * (-log_variance).exp()
    return 0.5 * (scaled + log_variance - z.square()).sum(1)
