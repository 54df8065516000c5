"""Pixelwise feature vector normalisation (Karras et al. 2018, Progressive Growing of GANs, section 4.2).

It keeps the magnitudes in the generator from spiralling out of control when the two players compete: each pixel's
feature vector is brought to unit mean square, without anything to learn. https://arxiv.org/abs/1710.10196
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.nn.layers.operand_checks import need_floats


def pixel_norm(x: Float[Tensor, "n c *pixels"], *, eps: float = 1e-8) -> Float[Tensor, "n c *pixels"]:
    """``b = a / sqrt(mean_c a_c^2 + eps)`` at every pixel; of latents (n, c), the projection to the sphere sqrt(c).

    The mean is taken in float32 at least; in bfloat16 the squares of some hundred channels would lose their digits.

    >>> pixel_norm(torch.tensor([[3.0, 4.0]])).square().mean().item()
    1.0
    """
    need_floats(x)
    wide = x.to(torch.promote_types(x.dtype, torch.float32))
    return x * torch.rsqrt(wide.square().mean(1, keepdim=True) + eps).to(x.dtype)
