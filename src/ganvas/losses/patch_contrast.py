"""Contrast between patches (Park et al. 2020, CUT, section 3, https://arxiv.org/abs/2007.15651).

A patch of the translation must be recognised, among patches of the same picture, as the one it was made of: the more
the two have in common that others have not, the less it costs.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.shapes import PerSample


def patch_contrast(
    queries: Float[Tensor, "n s d"], keys: Float[Tensor, "n s d"], *, temperature: float = 0.07
) -> PerSample:
    """``- log exp(q_i . k_i / t) / sum_j exp(q_i . k_j / t)``, the mean over places (eq. 3 and 4).

    Args:
        queries: Features of places of the translation, of unit length.
        keys: Those of the same places of the picture; no gradient goes through them.
        temperature: t.
    """
    logits = torch.einsum("nsd,ntd->nst", queries, keys.detach()) / temperature
    places = torch.arange(logits.shape[1], device=logits.device).expand(len(logits), -1)
    return F.cross_entropy(logits.transpose(1, 2), places, reduction="none").mean(1)


def features_at(maps: Float[Tensor, "n c h w"], places: Int[Tensor, "n s"]) -> Float[Tensor, "n s c"]:
    """Features of some places of each map, numbered row by row."""
    flat = maps.flatten(2).transpose(1, 2)
    return flat.gather(1, places[..., None].expand(-1, -1, flat.shape[2]))
