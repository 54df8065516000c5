"""Minibatch discrimination (Salimans et al. 2016, Improved techniques for training GANs, section 3.2).

A discriminator that sees one picture at a time cannot tell that all generated ones are alike. Here each picture also
brings how close it is to the others of its batch, in a hundred learned measures. https://arxiv.org/abs/1606.03498

With the authors' code, which says more than the paper: directions are weight-normalised with a learned scale, a bias
is added, a picture is not compared with itself, and scale and bias are set from a first batch (:meth:`calibrate`).
Progressive growing (Karras et al. 2018, table 1, row e*) puts it, with 100 kernels, before the last layer.
"""

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.core.shapes import Features
from ganvas.nn.layers.across_ranks import all_ranks_rows, all_ranks_sum, own_rows
from ganvas.nn.layers.initialise import filled, normal_, unset


class MinibatchDiscrimination(nn.Module):
    """Appends ``o_b(x_i) = sum_{j != i} exp(-||M_ib - M_jb||_1) + bias_b``, one feature per kernel b.

    ``M_i = f(x_i) T`` with columns ``T_bc = theta_bc / ||theta_bc||_2 exp(log_scale_bc)``. The sum goes over the
    whole batch, over all ranks. Memory grows as batch^2 kernels dims.
    """

    def __init__(self, features: int, *, kernels: int = 100, dims: int = 5) -> None:
        super().__init__()
        self.theta = unset(features, kernels, dims)
        self.log_scale = unset(kernels, dims)
        self.bias = unset(kernels)

    def reset(self, generator: torch.Generator) -> None:
        """``theta ~ N(0, 0.05^2)``, of which only the direction matters, unit scale, bias -1."""
        normal_(self.theta, generator, std=0.05)
        nn.init.zeros_(self.log_scale)
        nn.init.constant_(self.bias, -1)

    def forward(self, features: Features) -> Float[Tensor, "n d_and_kernels"]:
        distances, others = self._distances(features)
        closeness = torch.where(others, torch.exp(-distances), 0).sum(1)
        return torch.cat([features, (closeness + filled(self.bias)).to(features.dtype)], dim=1)

    @torch.no_grad()
    def calibrate(self, features: Features) -> None:
        """Sets scale and bias from a batch: mean distance to the nearest other picture 2, mean output 0, per kernel.

        Raises:
            UserError: a batch of one picture, or one whose pictures are all alike in some kernel.
        """
        distances, others = self._distances(features)
        rows = distances.shape[1]
        nearest = distances.masked_fill(~others, torch.inf).amin(1)
        half = 0.5 * all_ranks_sum(nearest.sum(0)) / rows
        if not (half.isfinite() & (half > 0)).all():
            raise UserError(
                f"Minibatch discrimination cannot be calibrated on a batch of {rows} whose pictures do not differ. "
                "Use a first batch of several different pictures."
            )
        self.log_scale -= half.log().unsqueeze(1)
        closeness = torch.where(others, torch.exp(-distances / half), 0).sum(1)
        self.bias.copy_(-all_ranks_sum(closeness.sum(0)) / rows)

    def _distances(self, features: Tensor) -> tuple[Float[Tensor, "n rows kernels"], Bool[Tensor, "n rows 1"]]:
        """Of this rank's pictures to those of the whole batch, and which of those are not the picture itself."""
        wide = features.to(torch.promote_types(features.dtype, torch.float32))
        theta, log_scale = filled(self.theta), filled(self.log_scale)
        directions = theta * (log_scale.exp() / torch.linalg.vector_norm(theta, dim=0))
        mine = torch.tensordot(wide, directions.to(wide.dtype), 1)  # n, kernels, dims
        whole = all_ranks_rows(mine)
        rows = torch.arange(len(whole), device=features.device)
        others = rows != own_rows(len(mine), features.device).unsqueeze(1)
        return (mine.unsqueeze(1) - whole).abs().sum(-1), others.unsqueeze(-1)

    def extra_repr(self) -> str:
        return f"{self.theta.shape[0]} features, {self.theta.shape[1]} kernels of {self.theta.shape[2]} dims"
