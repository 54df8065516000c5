"""A U-Net is symmetric: what comes up has the size and the channels of what went down.

The paper's own has no padding, loses two pixels with every convolution, and crops what went down.
"""

from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.networks.unet import UNet, padded_size

LEVELS, FEATURES = 3, 4


def cases() -> Iterator[Case]:
    """Every level, with padding and as published."""
    for padding in (1, 0):
        size = 64 if padding else padded_size(20, LEVELS) + 88
        for level, (down, up) in enumerate(zip(*_shapes(padding, size), strict=True)):
            name = f"level {level}{'' if padding else ', without padding'}"
            yield Case(name=name, error=float(_apart(down, up)), inside=bool(padding))


def twin() -> Iterator[Case]:
    """One level's maps beside those of the next."""
    down, up = _shapes(1, 64)
    yield Case(name="a level apart", error=float(_apart(down[0], up[1])))


def _shapes(padding: int, size: int) -> tuple[list[torch.Size], list[torch.Size]]:
    """Shapes of the maps that are handed across, and of those that they meet, from the finest level on."""
    shapes: dict[nn.Module, torch.Size] = {}

    def note(module: nn.Module, _: tuple[Tensor, ...], output: Tensor) -> None:
        shapes[module] = output.shape

    with torch.device("meta"):
        net = UNet(1, 2, padding=padding, features=FEATURES, levels=LEVELS)
        for module in (*net.down, *net.up):
            module.register_forward_hook(note)
        net(torch.zeros(1, 1, size, size))
    return [shapes[module] for module in net.down[:-1]], [shapes[module] for module in reversed(net.up)]


def _apart(one: torch.Size, other: torch.Size) -> int:
    return sum(abs(a - b) for a, b in zip(one, other, strict=True))


CLAIM = Identity(
    statement="On every level of a U-Net the way up has the size and the channels of the way down.",
    sources=(
        Source(who="a common description", stance="agrees"),
        Source(
            who="Ronneberger et al. 2015, U-Net, figure 1 (maps are cropped)",
            stance="denies",
            link="https://arxiv.org/abs/1505.04597",
        ),
    ),
    scope=f"{LEVELS} levels, {FEATURES} channels at full size",
    unit="pixels and channels apart",
    holds_when="convolutions are padded",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
