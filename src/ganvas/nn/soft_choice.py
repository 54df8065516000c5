"""Choices with a slope: Gumbel noise, its softmax, and straight through.

Jang, Gu, Poole 2017 (https://arxiv.org/abs/1611.01144); Maddison, Mnih, Teh 2017.
"""

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F


def soft_choice(
    logits: Float[Tensor, "*shape k"],
    uniform: Float[Tensor, "*shape k"],
    *,
    tau: float | Tensor,
    straight_through: bool,
) -> Float[Tensor, "*shape k"]:
    """``softmax((logits + g) / tau)``, float32 at least, or its largest as a choice with the slope of it.

    Args:
        uniform: In [0, 1), of which Gumbel noise g is made; in bfloat16 one in 512 would round to 1, and its noise has
            no end.
    """
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    soft = ((wide + gumbel(uniform.to(wide))) / tau).softmax(-1)
    if not straight_through:
        return soft
    choice = F.one_hot(soft.argmax(-1), soft.shape[-1]).to(soft.dtype)
    return choice + soft - soft.detach()


def gumbel(uniform: Tensor) -> Tensor:
    """Standard Gumbel noise of uniform numbers in [0, 1)."""
    tiny = torch.finfo(uniform.dtype).tiny
    exponential = -uniform.clamp_min(tiny).log()
    return -exponential.clamp_min(tiny).log()
