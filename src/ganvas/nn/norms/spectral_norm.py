"""Spectral normalisation (Miyato et al. 2018, https://arxiv.org/abs/1802.05957).

Dividing each weight by its largest singular value makes every layer 1-Lipschitz, and so bounds how steep a
discriminator can be; no penalty, and almost no time. The singular value is followed by one step of the power method
per training pass, which is enough because the weight moves slowly (section 2.1, algorithm 1).

The weight is taken as the matrix (channels out, everything else), as in the paper; as an operator on pictures a
convolution's norm differs from it by a factor of up to the kernel's side.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.func import functional_call

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import filled, normal_
from ganvas.nn.layers.plain_layers import ConvTranspose2d

TRANSPOSED = (ConvTranspose2d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d)  # Weight (in, out, ...).
STEPS_AT_START = 15  # Of the power method, so that the first pass is normalised already; torch's number.


class SpectralNorm(nn.Module):
    """``layer`` with ``W / sigma(W)`` in place of its weight, ``sigma = u^T W v``; of Ganvas's operators or torch's.

    u and v are buffers of ``power``, so they are saved and a resumed run goes on as if it had not stopped. Gradients
    take them as constants (eq. 12). A pass in training mode takes ``steps`` steps of the power method, also one
    without gradients; a pass in evaluation mode takes none.
    """

    def __init__(self, layer: nn.Module, *, steps: int = 1) -> None:
        super().__init__()
        weight = getattr(layer, "weight", None)
        if not isinstance(weight, nn.Parameter) or weight.ndim < 2:
            raise UserError(
                f"{type(layer).__name__} has no weight of two or more dimensions to normalise. Spectral normalisation "
                "is for convolutions, transposed convolutions and linear layers."
            )
        self.steps = steps
        self.layer = layer
        self.power = PowerMethod(layer)  # Registered after the layer: its start needs the layer's weight.

    def forward(self, x: Float[Tensor, "n *features"]) -> Float[Tensor, "n *features2"]:
        return functional_call(self.layer, {"weight": self.weight()}, (x,))

    def weight(self) -> Tensor:
        """``W / sigma(W)``; in training mode u and v move."""
        filled(self.power.weight())
        if self.training:
            self.power.step(self.steps)
        return self.power.weight() / self.power.sigma()

    def extra_repr(self) -> str:
        return f"steps={self.steps}"


class PowerMethod(nn.Module):
    """Unit vectors u and v that approach the first singular vectors of a layer's weight, as a matrix."""

    u: Tensor
    v: Tensor

    def __init__(self, layer: nn.Module) -> None:
        super().__init__()
        self._layer: tuple[Any] = (layer,)  # In a tuple: whose weight it is, but not a part of this module.
        matrix = self.matrix().detach()
        places = [torch.arange(1, n + 1, dtype=matrix.dtype, device=matrix.device) for n in matrix.shape]
        self.register_buffer("u", unit(torch.cos(places[0])))  # Any direction; nothing is drawn at construction.
        self.register_buffer("v", unit(torch.cos(places[1])))
        if not matrix.is_meta:
            self.step(STEPS_AT_START)

    def reset(self, generator: torch.Generator) -> None:
        """A random direction, then some steps with the weight, which has had its own draw."""
        for vector in (self.u, self.v):
            normal_(vector, generator)
            vector.copy_(unit(vector))
        self.step(STEPS_AT_START)

    def weight(self) -> Tensor:
        """The layer's own, as it is."""
        return self._layer[0].weight

    def matrix(self) -> Float[Tensor, "rows columns"]:
        """The weight with the channels out first, everything else flat."""
        weight = self.weight()
        return (weight.transpose(0, 1) if isinstance(self._layer[0], TRANSPOSED) else weight).flatten(1)

    @torch.no_grad()
    def step(self, steps: int) -> None:
        """``v <- W^T u / |W^T u|``, ``u <- W v / |W v|``, so many times; a zero weight moves nothing."""
        matrix = self.matrix()
        for _ in range(steps):
            self.v.copy_(unit(matrix.T @ self.u, otherwise=self.v))
            self.u.copy_(unit(matrix @ self.v, otherwise=self.u))

    def sigma(self) -> Float[Tensor, ""]:
        """``u^T W v``, at least 1e-12; its gradient by W is ``u v^T``."""
        # Copies: the next pass moves u and v in place, and this pass's gradient may come after it.
        return (self.u.clone() @ (self.matrix() @ self.v.clone())).clamp_min(1e-12)


def unit(vector: Tensor, *, otherwise: Tensor | None = None) -> Tensor:
    """``vector / |vector|``, or ``otherwise`` where that length is nothing."""
    length = torch.linalg.vector_norm(vector)
    scaled = vector / length.clamp_min(1e-12)
    return scaled if otherwise is None else torch.where(length > 1e-12, scaled, otherwise)
