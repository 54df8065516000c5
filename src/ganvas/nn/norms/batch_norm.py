"""Batch normalisation over the whole batch (Ioffe & Szegedy 2015), however many processes share it.

https://arxiv.org/abs/1502.03167. Two processes with half a batch each compute what one with all of it would, up to
rounding: in value, gradient and the gradient's gradient, so that a gradient penalty may pass through.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.across_ranks import all_ranks_sum, count_ranks
from ganvas.nn.layers.operand_checks import need_channels


class BatchNorm2d(nn.Module):
    """``weight (x - mean) / sqrt(var + eps) + bias``, with the mean and population variance of each channel.

    In training mode they are the batch's, taken over n, h and w in float32 at least; in evaluation mode the running
    ones, which each training pass moves by ``momentum`` towards the batch's (variance unbiased, as torch's).

    The running statistics are buffers that *every* forward pass in training mode moves, also one without gradients:
    they belong to the state that is saved, a run repeats only if its passes do, and pictures to look at are made in
    evaluation mode.

    Args:
        eps: 1e-5 is torch's; 1e-4 was Lasagne's, in which the ablation of progressive growing was done.
        affine: Whether there is a weight and a bias; without, what comes out has mean 0 and variance 1.
    """

    running_mean: Tensor
    running_var: Tensor

    def __init__(self, channels: int, *, momentum: float = 0.1, eps: float = 1e-5, affine: bool = True) -> None:
        super().__init__()
        self.momentum, self.eps = momentum, eps
        self.weight = nn.Parameter(torch.ones(channels)) if affine else None
        self.bias = nn.Parameter(torch.zeros(channels)) if affine else None
        self.register_buffer("running_mean", torch.zeros(channels))
        self.register_buffer("running_var", torch.ones(channels))

    def reset(self, generator: torch.Generator) -> None:
        """Weight 1, bias 0 and no statistics yet; draws nothing."""
        if self.weight is not None and self.bias is not None:
            nn.init.ones_(self.weight)
            nn.init.zeros_(self.bias)
        self.running_mean.zero_()
        self.running_var.fill_(1)

    def forward(self, x: Float[Tensor, "n c h w"]) -> Float[Tensor, "n c h w"]:
        need_channels(x, len(self.running_mean))
        if x.dtype == torch.float64 != self.running_mean.dtype:
            raise UserError("The input is of float64 and this batch norm is not; call .double() of the network.")
        if self.training and count_ranks() > 1:
            return self._over_ranks(x)
        if self.training and x.numel() == x.shape[1]:
            raise UserError(
                "Batch norm in training needs more than one value per channel, and one picture of 1 x 1 pixel has "
                "one. Use a larger batch."
            )
        running = self.running_mean, self.running_var
        return F.batch_norm(x, *running, self.weight, self.bias, self.training, self.momentum, self.eps)

    def _over_ranks(self, x: Tensor) -> Tensor:
        wide = x.to(torch.promote_types(x.dtype, torch.float32))
        count = x.numel() // x.shape[1] * count_ranks()
        mean = all_ranks_sum(wide.sum((0, 2, 3))) / count
        centred = wide - mean.view(1, -1, 1, 1)
        variance = all_ranks_sum(centred.square().sum((0, 2, 3))) / count
        with torch.no_grad():
            self.running_mean.lerp_(mean.to(self.running_mean.dtype), self.momentum)
            unbiased = variance * (count / (count - 1))
            self.running_var.lerp_(unbiased.to(self.running_var.dtype), self.momentum)
        scale = torch.rsqrt(variance + self.eps)
        if self.weight is None or self.bias is None:
            return (centred * scale.view(1, -1, 1, 1)).to(x.dtype)
        return (centred * (self.weight * scale).view(1, -1, 1, 1) + self.bias.view(1, -1, 1, 1)).to(x.dtype)

    def extra_repr(self) -> str:
        return f"{len(self.running_mean)}, momentum={self.momentum}, eps={self.eps}"
