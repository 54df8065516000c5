"""Skips from an encoder to a decoder: concatenated as in U-Net, added as in the fully convolutional networks.

The encoder knows where things are, the bottleneck knows what they are. A skip carries position past the bottleneck.
Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597; Long et al. 2015,
https://arxiv.org/abs/1411.4038. Without padding the encoder's features are larger and are cropped.
"""

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError

Features = Float[Tensor, "n c h w"]


def concatenate_skip(x: Features, skip: Float[Tensor, "n c2 h2 w2"]) -> Float[Tensor, "n c2_and_c h w"]:
    """The encoder's features, cropped to the middle, then the decoder's (Ronneberger et al. 2015, figure 1)."""
    return torch.cat([crop(skip, x), x], dim=1)


def add_skip(
    x: Features, skip: Float[Tensor, "n c h2 w2"], *, offset: tuple[int, int] | None = None
) -> Float[Tensor, "n c h w"]:
    """Scores of the decoder plus those of the encoder, cropped (Long et al. 2015, section 4.2)."""
    return x + crop(skip, x, offset=offset)


def crop(
    skip: Features, like: Float[Tensor, "n c2 h2 w2"], *, offset: tuple[int, int] | None = None
) -> Float[Tensor, "n c h2 w2"]:
    """A window of ``skip`` of the height and width of ``like``; its first row and column, or the middle.

    Raises:
        UserError: the window does not lie within ``skip``.
    """
    (height, width), (inner_height, inner_width) = skip.shape[2:], like.shape[2:]
    if (height, width) == (inner_height, inner_width) and not offset:
        return skip
    top, left = offset or ((height - inner_height) // 2, (width - inner_width) // 2)
    if min(top, left) < 0 or top + inner_height > height or left + inner_width > width:
        raise UserError(
            f"A window of {inner_height} x {inner_width} (height x width) from row {top}, column {left} does not lie "
            f"within features of {height} x {width}. Pad the network's input, or use a size that halves evenly."
        )
    return skip[:, :, top : top + inner_height, left : left + inner_width]
