"""Minibatch standard deviation (Karras et al. 2018, Progressive Growing of GANs, section 3).

A discriminator that sees one picture at a time cannot tell that all generated ones are alike. Here it is told how
much the pictures of its batch vary, as one more constant feature map. https://arxiv.org/abs/1710.10196
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.across_ranks import all_ranks_sum, count_ranks
from ganvas.nn.layers.operand_checks import need_pictures
from ganvas.nn.transposed.transposed_geometry import layout


class MinibatchStdDev(nn.Module):
    """Appends a channel: ``mean_chw sqrt(var_g x + eps)`` over the pictures g of a group (population variance).

    Statistics are taken in float32 at least. With a batch of n in groups of G, picture i belongs to group
    ``i mod (n / G)``, as in the paper's second code; its first code takes the whole batch.

    Args:
        group_size: Pictures per group; a smaller batch is one group. None is the whole batch, over all ranks.
    """

    def __init__(self, group_size: int | None, *, eps: float = 1e-8) -> None:
        super().__init__()
        if group_size is not None and group_size < 1:
            raise UserError(f"group_size={group_size} is not a number of pictures. None takes the whole batch.")
        self.group_size, self.eps = group_size, eps

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c+1 h w"]:
        need_pictures(x)
        n, _, height, width = x.shape
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        whole = n * count_ranks()
        group = whole if self.group_size is None else min(self.group_size, whole)
        value = self._of_all(wide, whole) if group == whole else self._of_groups(wide, group)
        channel = value.to(x.dtype).view(n, 1, 1, 1).expand(n, 1, height, width)
        return torch.cat([x, channel], dim=1).contiguous(memory_format=layout(x))

    def _of_all(self, x: Tensor, whole: int) -> Tensor:
        centred = x - all_ranks_sum(x.sum(0)) / whole
        variance = all_ranks_sum(centred.square().sum(0)) / whole
        return (variance + self.eps).sqrt().mean().expand(x.shape[0])

    def _of_groups(self, x: Tensor, group: int) -> Tensor:
        # Rows are dealt to ranks strided, so the groups of a rank's rows are groups of the whole batch.
        n = x.shape[0]
        if n % group:
            raise UserError(
                f"A batch of {n} (per process) cannot be cut into groups of {group}, as minibatch standard deviation "
                f"needs. Use a batch size per process that is a multiple of {group}, another group size, or None "
                "for the whole batch."
            )
        groups = x.unflatten(0, (group, n // group))
        variance = (groups - groups.mean(0)).square().mean(0)
        return (variance + self.eps).sqrt().mean((1, 2, 3)).repeat(group)

    def extra_repr(self) -> str:
        return "whole batch" if self.group_size is None else f"groups of {self.group_size}"
