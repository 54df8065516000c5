"""Bilinear sampling of pictures that can be differentiated twice by the picture, as torch's own cannot.

Sampling is linear in the picture: its derivative is the adjoint map, whose derivative is the sampling again.
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor
from torch.nn import functional as F

from ganvas.core.shapes import Images

BILINEAR, BORDER = 0, 1  # Codes of torch for the kind of interpolation and of padding.

Places = Float[Tensor, "n h2 w2 2"]  # (x, y) of what is read: -1 is the first pixel's centre and 1 the last one's.
Sampled = Float[Tensor, "n c h2 w2"]


def bilinear(images: Images, places: Places) -> Sampled:
    """The pictures at places between their pixels; beyond the border its colour. No gradient goes to the places."""
    return _Sample.apply(images, places)  # type: ignore[no-any-return]


class _Sample(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, places: Tensor) -> Tensor:
        ctx.save_for_backward(places)
        ctx.shape = images.shape
        return F.grid_sample(images, places, padding_mode="border", align_corners=True)

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None]:
        (places,) = ctx.saved_tensors
        return _Adjoint.apply(grads[0], places, ctx.shape), None


class _Adjoint(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, gradient: Tensor, places: Tensor, shape: torch.Size) -> Tensor:
        ctx.save_for_backward(places)
        like = gradient.new_empty(shape)  # Only its shape is read.
        backward = torch.ops.aten.grid_sampler_2d_backward.default
        return backward(gradient, like, places, BILINEAR, BORDER, True, [True, False])[0]

    @staticmethod
    def backward(ctx: Any, *grads: Any) -> tuple[Tensor, None, None]:
        (places,) = ctx.saved_tensors
        return _Sample.apply(grads[0], places), None, None
