"""A concatenating shortcut can compute whatever a summing one does.

A 1 x 1 convolution of ``[I I]`` behind the concatenation is the sum. So the sum is a part of it, with fewer weights.
"""

from collections.abc import Iterator

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error


def cases() -> Iterator[Case]:
    """A convolution of a sum against one of the concatenation, for several numbers of channels."""
    for channels in (1, 3, 8):
        identity = torch.eye(channels, dtype=torch.float64)
        yield Case(name=f"{channels} channels", error=_error(channels, torch.cat([identity, identity], 1)))


def twin() -> Iterator[Case]:
    """One of the two is subtracted."""
    identity = torch.eye(3, dtype=torch.float64)
    yield Case(name="[I -I]", error=_error(3, torch.cat([identity, -identity], 1)))


def _error(channels: int, joining: Tensor) -> float:
    skip, deep = normal(1, 2, channels, 6, 6), normal(2, 2, channels, 6, 6)
    weight = normal(3, 4, channels, 3, 3)
    wide = torch.einsum("ochw,cj->ojhw", weight, joining)  # Both convolutions are one of the concatenation.
    return relative_error(F.conv2d(torch.cat([skip, deep], 1), wide), F.conv2d(skip + deep, weight))


CLAIM = Identity(
    statement="A concatenating shortcut can compute whatever a summing one does.",
    sources=(
        Source(
            who="Wang et al. 2018, Mixed Link Networks, section 3",
            stance="agrees",
            link="https://arxiv.org/abs/1802.01808",
        ),
    ),
    scope="a 3 x 3 convolution behind the shortcut, 1 to 8 channels",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
