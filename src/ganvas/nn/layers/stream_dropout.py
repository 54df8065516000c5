"""Dropout from a stream that is given, in place of torch's global one (Srivastava et al. 2014).

https://jmlr.org/papers/v15/srivastava14a.html. A network takes a function ``drop`` and applies it where its paper
drops: while learning it draws from the step's stream, so that two ranks of half a batch drop what one of a whole one
would; otherwise it is :func:`kept`, which leaves everything as it is.
"""

from collections.abc import Callable

import torch
from torch import Tensor

Drop = Callable[[Tensor], Tensor]  # Dropout, or nothing.


def kept(x: Tensor) -> Tensor:
    """Nothing is dropped."""
    return x


def dropout(x: Tensor, uniform: Tensor, share: float) -> Tensor:
    """``share`` of the values set to 0 and the rest enlarged, where uniform numbers in [0, 1) say so."""
    return torch.where(uniform < share, torch.zeros_like(x), x / (1 - share))


def dropping(rand: Callable[..., Tensor], share: float) -> Drop:
    """Dropout of ``share`` of the values of each sample.

    Args:
        rand: Uniform numbers in [0, 1) of shape ``(samples, *shape)``, as a batch gives them from the step's stream.
        share: Of the values, below 1; 0 drops nothing.
    """
    if not share:
        return kept
    return lambda x: dropout(x, rand(*x.shape[1:]).to(x.dtype), share)
