"""The best linear bottleneck of some samples: what an autoencoder without activations comes to.

Baldi & Hornik 1989, Neural Networks and Principal Component Analysis: its minimum is the projection onto the directions
of largest variance, and there is no other minimum.
"""

import torch
from jaxtyping import Float
from torch import Tensor


def directions(x: Float[Tensor, "n d"], width: int) -> Float[Tensor, "d width"]:
    """The directions that a bottleneck of this width keeps."""
    return torch.linalg.svd(x - x.mean(0), full_matrices=False).Vh[:width].T
