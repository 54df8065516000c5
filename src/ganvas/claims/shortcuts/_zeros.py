"""Maps of residual and plain networks at their start: zeros that ReLUs give, and dimensions that channels fill."""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

BLOCKS, CHANNELS, SIDE, BATCH = 9, 12, 8, 16
RESIDUAL, PLAIN = "residual", "plain"
PLACES = ("inner", "after")


def zeros(arm: str, seed: int, place: str) -> float:
    """Mean share of zeros over blocks of two convolutions, each with batch norm, as He et al. 2016 have them.

    ``place``: "inner" for the ReLU between the two, "after" for the one behind them (and behind the sum).
    """
    which = PLACES.index(place)
    return sum(float((maps[which] <= 0).float().mean()) for maps in _maps(arm, seed)) / BLOCKS


def dimensions(arm: str, seed: int) -> float:
    """Mean participation ratio ``(sum v)^2 / sum v^2`` of the variances v along principal axes, at the inner ReLU."""
    return sum(_participation(inner) for inner, _ in _maps(arm, seed)) / BLOCKS


def _maps(arm: str, seed: int) -> Iterator[tuple[Tensor, Tensor]]:
    """Of every block, what comes to the inner ReLU and to the one behind the block."""
    generator = torch.Generator().manual_seed(seed)
    x = F.relu(torch.randn(BATCH, CHANNELS, SIDE, SIDE, generator=generator))
    for _ in range(BLOCKS):
        inner = _normed_conv(x, generator)
        branch = _normed_conv(F.relu(inner), generator)
        after = x + branch if arm == RESIDUAL else branch
        yield inner, after
        x = F.relu(after)


def _participation(maps: Tensor) -> float:
    variances = torch.linalg.eigvalsh(torch.cov(maps.transpose(0, 1).flatten(1)))
    return float(variances.sum().square() / variances.square().sum())


def _normed_conv(x: Tensor, generator: torch.Generator) -> Tensor:
    weight = torch.randn(CHANNELS, CHANNELS, 3, 3, generator=generator)
    return F.batch_norm(F.conv2d(x, weight, padding=1), None, None, training=True)
