"""Style of a picture as the moments of the maps of another network.

Mean and deviation of each map over its places (Huang and Belongie 2017, https://arxiv.org/abs/1703.06868, eq. 13), or
the second moments of all pairs of maps (Gatys et al. 2016, https://doi.org/10.1109/CVPR.2016.265, eq. 3). Places are
forgotten: however pixels are shuffled, the style stays.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import PerSample

Maps = Float[Tensor, "n maps tall wide"]
EPS = 1e-5  # Added to variances.


def map_moments(x: Maps) -> tuple[Float[Tensor, "n maps"], Float[Tensor, "n maps"]]:
    """Mean and deviation of every map over its places; population variance."""
    variance, mean = torch.var_mean(x, (2, 3), correction=0)
    return mean, (variance + EPS).sqrt()


def moments_error(x: Maps, y: Maps) -> PerSample:
    """``|mu(x) - mu(y)|^2 + |sigma(x) - sigma(y)|^2``, each over the number of maps."""
    pairs = zip(map_moments(x), map_moments(y), strict=True)
    return torch.stack([(a - b).square().mean(1) for a, b in pairs]).sum(0)


def gram_matrix(x: Maps) -> Float[Tensor, "n maps maps"]:
    """``sum_places x_i x_j`` over the number of maps and places: which maps are seen together."""
    flat = x.flatten(2)
    return flat @ flat.mT / flat[0].numel()
