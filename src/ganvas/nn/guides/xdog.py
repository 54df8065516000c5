"""XDoG: a pencil drawing of a picture by the difference of two Gaussians.

Winnemöller, Kyprianidis, Olsen 2012, XDoG: An eXtended Difference-of-Gaussians Compendium, section 2,
https://doi.org/10.1016/j.cag.2012.03.004. Sharper than Canny's lines and of all greys between paper and pencil.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.nn.guides.canny import smoothed

Grey = Float[Tensor, "n 1 h w"]


@torch.no_grad()
def xdog(
    grey: Grey, *, sigma: float = 0.8, k: float = 1.6, p: float = 20.0, epsilon: float = 0.8, phi: float = 10.0
) -> Grey:
    """1 (paper) where ``D = (1 + p) G_sigma - p G_{k sigma} >= epsilon``, else ``1 + tanh(phi (D - epsilon))``.

    Args:
        grey: In [0, 1].
        sigma: Of the finer Gaussian, in pixels; ``k`` times as wide is the other.
        p: How much the edges are exaggerated.
    """
    sharp = (1 + p) * smoothed(grey, sigma) - p * smoothed(grey, k * sigma)
    return torch.where(sharp >= epsilon, 1, 1 + torch.tanh(phi * (sharp - epsilon)))
