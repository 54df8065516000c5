"""Canny's edges: thin lines where brightness changes most, along the whole of a contour.

Canny 1986, A Computational Approach to Edge Detection, https://doi.org/10.1109/TPAMI.1986.4767851. Smoothing, Sobel's
slopes, only the crests of their steepness along the slope, and hysteresis: crests above ``high``, and those above
``low`` that touch them. The same pixels as ``skimage.feature.canny`` gives.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float
from torch import Tensor

LOW, HIGH = 0.1, 0.2  # Of the steepness of grey in [0, 1], by Sobel's kernels that sum to 4 on either side.
TRUNCATED = 4.0  # Deviations at which the Gaussian window ends.

Grey = Float[Tensor, "n 1 h w"]


@torch.no_grad()
def canny(
    grey: Grey,
    *,
    sigma: float = 2.0,
    low: float = LOW,
    high: float = HIGH,
    mask: Float[Tensor, "n 1 h w"] | None = None,
) -> Float[Tensor, "n 1 h w"]:
    """1 on edges, 0 elsewhere; never on the border.

    Args:
        grey: In [0, 1].
        sigma: Of the smoothing, in pixels.
        mask: 1 where the picture is known. Elsewhere it is not looked at, and no edge is found there or beside it.
    """
    known = torch.ones_like(grey) if mask is None else (mask > 0).to(grey.dtype)
    seen = torch.where(known > 0, grey, 0)
    smooth = smoothed(seen, sigma) / (smoothed(known, sigma) + torch.finfo(grey.dtype).eps)
    down, right = _sobel(smooth)
    steep = torch.sqrt(down.square() + right.square())
    inside = -F.max_pool2d(F.pad(-known, (1, 1, 1, 1)), 3, stride=1) > 0
    crest = inside & (steep >= low) & _is_crest(steep, down, right)
    return _joined(crest & (steep >= high), crest).to(grey.dtype)


def to_grey(images: Float[Tensor, "n c h w"]) -> Grey:
    """Pictures in [-1, 1] as grey in [0, 1], by the luma of Rec. 709 that skimage takes."""
    if images.shape[1] == 1:
        return (images + 1) / 2
    weights = images.new_tensor([0.2125, 0.7154, 0.0721])
    return ((images[:, :3] + 1) / 2 * weights[:, None, None]).sum(1, keepdim=True)


def smoothed(x: Grey, sigma: float) -> Grey:
    """By a Gaussian, with zeros around."""
    if sigma <= 0:
        return x
    reach = int(TRUNCATED * sigma + 0.5)
    place = torch.arange(-reach, reach + 1, dtype=x.dtype, device=x.device)
    window = torch.exp(-(place**2) / (2 * sigma**2))
    window = window / window.sum()
    x = F.conv2d(x, window.view(1, 1, -1, 1), padding=(reach, 0))
    return F.conv2d(x, window.view(1, 1, 1, -1), padding=(0, reach))


def _sobel(x: Grey) -> tuple[Grey, Grey]:
    """Slopes downwards and to the right, the picture mirrored at its border."""
    mirrored = torch.cat([x[:, :, :1], x, x[:, :, -1:]], 2)
    mirrored = torch.cat([mirrored[..., :1], mirrored, mirrored[..., -1:]], 3)
    kernel = x.new_tensor([[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]])
    return F.conv2d(mirrored, kernel[None, None]), F.conv2d(mirrored, kernel.T[None, None])


def _is_crest(steep: Grey, down: Grey, right: Grey) -> Bool[Tensor, "n 1 h w"]:
    """Whether a pixel is not less steep than the two points a pixel away along its slope, between four neighbours."""
    padded = F.pad(steep, (1, 1, 1, 1))
    height, width = steep.shape[2:]

    def at(y: int, x: int) -> Grey:
        return padded[:, :, 1 + y : 1 + y + height, 1 + x : 1 + x + width]

    falls = down.abs() > right.abs()
    most = torch.maximum(down.abs(), right.abs())
    share = torch.minimum(down.abs(), right.abs()) / torch.where(most > 0, most, 1)
    same = ((down >= 0) & (right >= 0)) | ((down <= 0) & (right <= 0))
    moves = (down != 0) | (right != 0)

    def between(sign: int) -> Grey:
        corner = torch.where(same, at(sign, sign), at(-sign, sign))
        side = torch.where(falls, torch.where(same, at(sign, 0), at(-sign, 0)), at(0, sign))
        return corner * share + side * (1 - share)

    return moves & (between(1) <= steep) & (between(-1) <= steep)


def _joined(sure: Bool[Tensor, "n 1 h w"], maybe: Bool[Tensor, "n 1 h w"]) -> Bool[Tensor, "n 1 h w"]:
    """What is sure, and all of ``maybe`` that is connected with it, also over corners."""
    allowed = maybe.float()
    found = sure.float()
    while True:
        grown = F.max_pool2d(found, 3, stride=1, padding=1) * allowed
        if torch.equal(grown, found):
            return found > 0
        found = grown


def sketch(images: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"] | None = None) -> Float[Tensor, "n 1 h w"]:
    """Canny's edges of pictures in [-1, 1], smoothed by 2 pixels at 256 x 256, in proportion, and by 0.7 at least."""
    sigma = max(2.0 * min(images.shape[2:]) / 256, 0.7)
    return canny(to_grey(images), sigma=sigma, mask=mask)
