"""A noise level, or a time, as a vector that layers can tell levels apart by.

Cosines and sines of the level at frequencies from 1 down to 1/10000, as positions in a sequence are embedded (Vaswani
et al. 2017, section 3.5, https://arxiv.org/abs/1706.03762), then two linear layers (Ho et al. 2020, appendix B).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.shapes import PerSample
from ganvas.nn.layers.plain_layers import Linear

SLOWEST = 10_000.0  # The lowest frequency is 1 / SLOWEST.


def waves(levels: PerSample, size: int) -> Float[Tensor, "n size"]:
    """``(cos(f_i c), sin(f_i c))`` with ``f_i = SLOWEST^(-i / (size / 2 - 1))`` for i from 0 to ``size / 2 - 1``."""
    half = size // 2
    powers = torch.arange(half, device=levels.device, dtype=levels.dtype) / max(half - 1, 1)
    angles = levels.unsqueeze(1) * SLOWEST**-powers
    return torch.cat([angles.cos(), angles.sin()], 1)


class NoiseEmbedding(nn.Module):
    """Two linear layers with SiLU over the waves of a level, to which a class may be added.

    Args:
        size: Of the waves; even.
        outputs: Of the embedding.
        num_classes: 0 for none. A class of -1 adds nothing: it is not told.
    """

    def __init__(self, size: int, outputs: int, *, num_classes: int = 0) -> None:
        super().__init__()
        self.size, self.num_classes = size, num_classes
        self.classes = Linear(num_classes, size, bias=False, std=1.0) if num_classes else None
        self.first, self.second = Linear(size, outputs), Linear(outputs, outputs)

    def forward(self, levels: PerSample, labels: Tensor | None, dtype: torch.dtype) -> Float[Tensor, "n outputs"]:
        """Levels are embedded in their own precision, layers compute in ``dtype``."""
        x = waves(levels, self.size).to(dtype)
        if self.classes is not None:
            assert labels is not None, "a network with classes is told them, or -1"
            told = F.one_hot(labels.clamp(min=0), self.num_classes) * (labels >= 0).unsqueeze(1)
            x = x + self.classes(told.to(dtype))
        return F.silu(self.second(F.silu(self.first(x))))
