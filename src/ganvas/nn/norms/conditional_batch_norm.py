"""Class-conditional batch normalisation (Dumoulin et al. 2017, https://arxiv.org/abs/1610.07629, eq. 5).

All samples share one mean and one variance per channel, and every class has a gain and a shift of its own: so little
is enough to make one generator draw a thousand kinds of picture (Miyato & Koyama 2018, section 4.1).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.shapes import Labels
from ganvas.nn.norms.batch_norm import BatchNorm2d


class ConditionalBatchNorm2d(nn.Module):
    """``gain_y (x - mean) / sqrt(var + eps) + shift_y`` of samples with the class y; statistics of the whole batch.

    Args:
        eps: As of :class:`~ganvas.nn.norms.batch_norm.BatchNorm2d`.
    """

    def __init__(self, channels: int, classes: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        if classes < 1:
            raise UserError(f"classes={classes}: conditional batch norm needs at least 1. BatchNorm2d needs none.")
        self.norm = BatchNorm2d(channels, eps=eps, affine=False)
        self.gain = nn.Parameter(torch.ones(classes, channels))
        self.shift = nn.Parameter(torch.zeros(classes, channels))

    def reset(self, generator: torch.Generator) -> None:
        """Gain 1 and shift 0 of every class; draws nothing."""
        nn.init.ones_(self.gain)
        nn.init.zeros_(self.shift)

    def forward(self, x: Float[Tensor, "n c h w"], labels: Labels) -> Float[Tensor, "n c h w"]:
        x = self.norm(x)
        gain, shift = (table[labels].to(x.dtype)[:, :, None, None] for table in (self.gain, self.shift))
        return torch.addcmul(shift, x, gain)

    def extra_repr(self) -> str:
        return f"{self.gain.shape[0]} classes"
