"""Phase shuffle: what a critic's layer says is shifted by a few samples, so that it cannot judge by the phase.

Donahue, McAuley, Puckette: Adversarial Audio Synthesis (ICLR 2019), section 3.3, https://arxiv.org/abs/1802.04208.
Transposed convolutions leave traces at fixed phases, by which a critic would reject everything.
"""

import torch
from jaxtyping import Float, Int
from torch import Tensor


def drawn_shifts(uniform: Float[Tensor, " layers"], most: int) -> Int[Tensor, " layers"]:
    """Whole numbers of ``-most`` to ``most``, all equally likely, from uniform ones in [0, 1)."""
    return (uniform * (2 * most + 1)).floor().long() - most


def phase_shuffle(x: Float[Tensor, "n c h samples"], shift: Int[Tensor, ""]) -> Float[Tensor, "n c h samples"]:
    """Every sample at the place ``shift`` later; what is missing at an end is mirrored in, without its last sample.

    The shift is a tensor, so that nothing waits for it; it is smaller than the number of samples.
    """
    last = x.shape[-1] - 1
    places = (torch.arange(last + 1, device=x.device) - shift).abs()
    return x[..., last - (last - places).abs()]
