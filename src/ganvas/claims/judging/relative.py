"""Distance of two tensors, as identities count it, and tensors to try them on."""

import torch
from torch import Tensor


def relative_error(found: Tensor, expected: Tensor) -> float:
    """``|found - expected| / |expected|`` by Euclidean norms; 1 where shapes differ."""
    if found.shape != expected.shape:
        return 1.0
    return float(torch.linalg.vector_norm(found - expected) / torch.linalg.vector_norm(expected).clamp_min(1e-300))


def normal(seed: int, *shape: int) -> Tensor:
    """Standard normal numbers in float64, the same for a seed everywhere."""
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
