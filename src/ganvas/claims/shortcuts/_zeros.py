"""The share of zeros that ReLUs give in residual and plain networks at their start, behind the sum and inside."""

import torch
import torch.nn.functional as F

BLOCKS, CHANNELS, SIDE, BATCH = 9, 12, 8, 16
RESIDUAL, PLAIN = "residual", "plain"
PLACES = ("inner", "after")


def zeros(arm: str, seed: int, place: str) -> float:
    """Mean share of zeros over blocks of two convolutions, each with batch norm, as He et al. 2016 have them.

    ``place``: "inner" for the ReLU between the two, "after" for the one behind them (and behind the sum).
    """
    generator = torch.Generator().manual_seed(seed)
    x = F.relu(torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=generator))
    shares: dict[str, list[float]] = {where: [] for where in PLACES}
    for _ in range(BLOCKS):
        inner = F.relu(_normed_conv(x, generator))
        branch = _normed_conv(inner, generator)
        x = F.relu(x + branch if arm == RESIDUAL else branch)
        for where, values in zip(PLACES, (inner, x), strict=True):
            shares[where].append(float((values == 0).float().mean()))
    return sum(shares[place]) / BLOCKS


def _normed_conv(x: torch.Tensor, generator: torch.Generator) -> torch.Tensor:
    weight = torch.randn(CHANNELS, CHANNELS, 3, 3, generator=generator)
    return F.batch_norm(F.conv2d(x, weight, padding=1), None, None, training=True)
