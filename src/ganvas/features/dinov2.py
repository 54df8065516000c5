"""DINOv2 ViT-L/14: features learned without labels; the Fréchet distance on them agrees best with people.

Oquab et al. 2024, https://arxiv.org/abs/2304.07193; chosen for measuring by Stein et al. 2023,
https://arxiv.org/abs/2306.04675 (FD-DINOv2). ``features`` is the class token after the last layer norm, 1024 long.

Pictures are stretched to 224 x 224 by bicubic interpolation with antialiasing, neither clipped nor rounded (as EDM2
does; dgm-eval's PIL rounds to whole bytes), and normalised by ImageNet's mean and deviation. The positions were learned
on 37 x 37 patches and are interpolated to 16 x 16 as the official code does it: bicubic without antialiasing, by the
factor (16 + 0.1) / 37.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.features.network import Network, Precision, dtype_of, identity_of
from ganvas.features.release import Release
from ganvas.features.resize import BICUBIC, IMAGENET, bicubic, standardised
from ganvas.features.tensors import require, without_prefix
from ganvas.features.vit import Shape, VisionTransformer, both, renamed
from ganvas.features.weights import Weights

NAME = "dinov2"
TAPS = {"features": 1024}
WEIGHTS = Release(
    file="dinov2_vitl14_pretrain.pth",
    sha256="d5383ea8f4877b2472eb973e0fd72d557c7da5d3611bd527ceeb1d7162cbf428",
    size_bytes=1_217_586_395,
    url="https://dl.fbaipublicfiles.com/dinov2/dinov2_vitl14/dinov2_vitl14_pretrain.pth",
    licence="Apache-2.0",
    origin="Meta, trained on the 142 million pictures of LVD-142M without labels",
)
SIZE = 224
LARGE = Shape(width=1024, depth=24, heads=16, patch=14, grid=37, epsilon=1e-6, layer_scale=True)
OFFSET = 0.1  # Added to the new grid's side where positions are interpolated, by the official code.

_BLOCK = {
    **both("norm1", "blocks.{}.norm1"),
    **both("qkv", "blocks.{}.attn.qkv"),
    **both("out", "blocks.{}.attn.proj"),
    "scale1": "blocks.{}.ls1.gamma",
    **both("norm2", "blocks.{}.norm2"),
    **both("up", "blocks.{}.mlp.fc1"),
    **both("down", "blocks.{}.mlp.fc2"),
    "scale2": "blocks.{}.ls2.gamma",
}
_NAMES = {
    "class_token": "cls_token",
    "positions": "pos_embed",
    **both("patch", "patch_embed.proj"),
    **both("norm", "norm"),
}


class DinoV2(Network):
    """The class token of a DINOv2 transformer."""

    def __init__(
        self,
        weights: Weights,
        *,
        shape: Shape = LARGE,
        size: int = SIZE,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        self.device, self._dtype, self._size = torch.device(device), dtype_of(precision), size
        resize = f"{BICUBIC}-{size}"
        self.identity = identity_of("dinov2-vitl14", sha256=weights.sha256, resize=resize, precision=precision)
        self.taps = {"features": shape.width}
        tensors = named(weights.tensors, shape)
        tensors["positions"] = at_grid(tensors["positions"].float(), size // shape.patch)
        self._vit = VisionTransformer(tensors, shape, device=self.device, dtype=self._dtype)

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        x = standardised(bicubic(pictures, self._size), IMAGENET)
        return {"features": self._vit(x.to(self._dtype))}


def at_grid(positions: Tensor, grid: int) -> Tensor:
    """Learned positions (1 + g^2, width) for a picture of ``grid`` x ``grid`` patches."""
    learned = round((len(positions) - 1) ** 0.5)
    if learned == grid:
        return positions
    maps = positions[1:].T.reshape(1, -1, learned, learned)
    factor = (grid + OFFSET) / learned
    fitted = F.interpolate(maps, scale_factor=(factor, factor), mode="bicubic", antialias=False)
    assert fitted.shape[2:] == (grid, grid)
    return torch.cat([positions[:1], fitted.flatten(2)[0].T])


def named(tensors: Mapping[str, Tensor], shape: Shape = LARGE) -> dict[str, Tensor]:
    """The official state dict under the names of :mod:`ganvas.features.vit`."""
    found = renamed(without_prefix(tensors, "patch_embed.proj.weight"), _NAMES, _BLOCK)
    for name in ("class_token", "positions"):
        if name in found:
            found[name] = found[name].flatten(0, -2).squeeze(0)  # There as (1, 1, w) and (1, n, w).
    return require(found, shape.tensors(), "DINOv2 ViT-L/14")


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> DinoV2:
    """The network with its weights."""
    assert weights is not None
    return DinoV2(weights, device=device, precision=precision)
