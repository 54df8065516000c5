"""The number of latents that matter to a generator: the average of ``J^T J`` over latents, and its effective rank.

``J`` is the change of the picture per change of the latent. The eigenvectors of ``E[J^T J]`` with large eigenvalues are
the directions that move pictures most (what SeFa approximates by the first map alone); its effective rank
``exp(-sum p ln p)`` of the normalised eigenvalues p (Roy and Vetterli 2007, The effective rank) is between 1, a single
direction, and the number of latents, all of which matter alike.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.shapes import Latents
from ganvas.dissect.latents.latent_generator import Decode

STEP = 1e-2  # Of the finite differences, both ways.


@torch.no_grad()
def mean_gram(decode: Decode, z: Latents, *, batch: int = 64) -> Float[Tensor, "z z"]:
    """``E[J^T J]`` over the given latents, by central differences, in squared colour per squared latent and pixel."""
    size = z.shape[1]
    total = torch.zeros(size, size, dtype=torch.float64)
    steps = STEP * torch.eye(size)
    for point in z:
        ahead, behind = (
            torch.cat([decode(part).flatten(1) for part in (point + sign * steps).split(batch)]) for sign in (1, -1)
        )
        slope = ((ahead - behind) / (2 * STEP)).double()
        total += slope @ slope.T / slope.shape[1]
    return total / len(z)


def effective_rank(gram: Float[Tensor, "z z"]) -> float:
    """Of a symmetric matrix without negative eigenvalues.

    >>> round(effective_rank(torch.eye(5)), 6), round(effective_rank(torch.diag(torch.tensor([1.0, 0.0]))), 6)
    (5.0, 1.0)
    """
    values = torch.linalg.eigvalsh(gram.double()).clamp_min(0)
    shares = values / values.sum()
    return float(torch.exp(-torch.special.xlogy(shares, shares).sum()))


@torch.no_grad()
def rms_change(decode: Decode, z: Latents, direction: Float[Tensor, " z"], *, step: float = 3.0) -> float:
    """Root mean square change of the picture at a step either way along a direction, over the given latents."""
    there = torch.stack([decode(z + sign * step * direction.to(z)) for sign in (1.0, -1.0)])
    return float((there - decode(z)).square().mean().sqrt())
