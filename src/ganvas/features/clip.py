"""CLIP ViT-L/14 at 336 pixels, the picture tower: features that words describe; CMMD is measured on them.

Radford et al. 2021, https://arxiv.org/abs/2103.00020; chosen for measuring by Jayasumana et al. 2024,
https://arxiv.org/abs/2401.09603. ``features`` is the projected class token, 768 long, divided by its length.

Pictures are stretched to 336 x 336 by bicubic interpolation with antialiasing, not cropped, neither clipped nor rounded
(as CMMD's own code does), and normalised by CLIP's mean and deviation. The released weights are float16; they are
computed with in float32.
"""

from collections.abc import Mapping, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.features.network import Network, Precision, dtype_of, identity_of
from ganvas.features.release import Release
from ganvas.features.resize import BICUBIC, CLIP, bicubic, standardised
from ganvas.features.tensors import require, without_prefix
from ganvas.features.vit import Shape, VisionTransformer, both, renamed
from ganvas.features.weights import Weights

NAME = "clip"
TAPS = {"features": 768}
WEIGHTS = Release(
    file="ViT-L-14-336px.pt",
    sha256="3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02",
    size_bytes=934_088_680,
    url="https://openaipublic.azureedge.net/clip/models/"
    "3035c92b350959924f9f00213499208652fc7ea050643e8b385c2dac08641f02/ViT-L-14-336px.pt",
    licence="MIT",
    origin="OpenAI, trained on 400 million pairs of pictures and captions",
    also=(  # pytorch_model.bin of openai/clip-vit-large-patch14-336 at Hugging Face.
        "c6032c2e0caae3dc2d4fba35535fa6307dbb49df59c7e182b1bc4b3329b81801",
    ),
)
SIZE = 336
LARGE = Shape(
    width=1024,
    depth=24,
    heads=16,
    patch=14,
    grid=24,
    epsilon=1e-5,
    norm_first=True,
    quick_gelu=True,
    patch_bias=False,
    projected=768,
)

_OPENAI = {
    "class_token": "class_embedding",
    "positions": "positional_embedding",
    "patch.weight": "conv1.weight",
    **both("first_norm", "ln_pre"),
    **both("norm", "ln_post"),
    "projection": "proj",
}
_OPENAI_BLOCK = {
    **both("norm1", "transformer.resblocks.{}.ln_1"),
    "qkv.weight": "transformer.resblocks.{}.attn.in_proj_weight",
    "qkv.bias": "transformer.resblocks.{}.attn.in_proj_bias",
    **both("out", "transformer.resblocks.{}.attn.out_proj"),
    **both("norm2", "transformer.resblocks.{}.ln_2"),
    **both("up", "transformer.resblocks.{}.mlp.c_fc"),
    **both("down", "transformer.resblocks.{}.mlp.c_proj"),
}
_HUGGING = {
    "class_token": "vision_model.embeddings.class_embedding",
    "positions": "vision_model.embeddings.position_embedding.weight",
    "patch.weight": "vision_model.embeddings.patch_embedding.weight",
    **both("first_norm", "vision_model.pre_layrnorm"),  # Misspelt there.
    **both("norm", "vision_model.post_layernorm"),
    "projection": "visual_projection.weight",
}
_HUGGING_BLOCK = {
    **both("norm1", "vision_model.encoder.layers.{}.layer_norm1"),
    **both("q", "vision_model.encoder.layers.{}.self_attn.q_proj"),
    **both("k", "vision_model.encoder.layers.{}.self_attn.k_proj"),
    **both("v", "vision_model.encoder.layers.{}.self_attn.v_proj"),
    **both("out", "vision_model.encoder.layers.{}.self_attn.out_proj"),
    **both("norm2", "vision_model.encoder.layers.{}.layer_norm2"),
    **both("up", "vision_model.encoder.layers.{}.mlp.fc1"),
    **both("down", "vision_model.encoder.layers.{}.mlp.fc2"),
}


class Clip(Network):
    """The picture tower of CLIP, with rows of length one."""

    def __init__(
        self,
        weights: Weights,
        *,
        shape: Shape = LARGE,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        assert shape.projected is not None
        self.device, self._dtype = torch.device(device), dtype_of(precision)
        self._size = shape.grid * shape.patch
        resize = f"{BICUBIC}-{self._size}"
        self.identity = identity_of("clip-vitl14-336", sha256=weights.sha256, resize=resize, precision=precision)
        self.taps = {"features": shape.projected}
        tensors = {name: value.float() for name, value in named(weights.tensors, shape).items()}
        self._vit = VisionTransformer(tensors, shape, device=self.device, dtype=self._dtype)

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        x = standardised(bicubic(pictures, self._size), CLIP)
        return {"features": F.normalize(self._vit(x.to(self._dtype)), dim=1)}


def named(tensors: Mapping[str, Tensor], shape: Shape = LARGE) -> dict[str, Tensor]:
    """The weights under the names of :mod:`ganvas.features.vit`, from OpenAI's layout or Hugging Face's.

    Hugging Face keeps query, key and value apart, and the last map transposed.
    """
    marker = "vision_model.embeddings.class_embedding"
    if any(name.endswith(marker) for name in tensors):
        found = renamed(without_prefix(tensors, marker), _HUGGING, _HUGGING_BLOCK)
        for block in range(shape.depth):
            for part in ("weight", "bias"):
                apart = [f"{block}.{letter}.{part}" for letter in "qkv"]
                if all(name in found for name in apart):
                    found[f"{block}.qkv.{part}"] = torch.cat([found.pop(name) for name in apart])
        if "projection" in found:
            found["projection"] = found["projection"].T
    else:
        found = renamed(without_prefix(tensors, "class_embedding"), _OPENAI, _OPENAI_BLOCK)
    return require(found, shape.tensors(), "CLIP ViT-L/14-336")


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Clip:
    """The network with its weights."""
    assert weights is not None
    return Clip(weights, device=device, precision=precision)
