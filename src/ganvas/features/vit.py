"""The vision transformer (Dosovitskiy et al. 2021, https://arxiv.org/abs/2010.11929), as far as its class token.

One definition for the two networks that are transformers here; what differs between them is in :class:`Shape`. Every
block is pre-norm: ``x += s1 * attention(norm1(x))``, then ``x += s2 * mlp(norm2(x))``, with the scales ``s`` of
Touvron et al. 2021 (https://arxiv.org/abs/2103.17239) where there are any.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor


@dataclass(frozen=True, kw_only=True)
class Shape:
    """What a vision transformer is made of."""

    width: int
    depth: int
    heads: int
    patch: int  # Side of a patch in pixels.
    grid: int  # Patches along a side of the picture that the positions were learned on.
    epsilon: float  # Of the layer norms.
    layer_scale: bool = False
    norm_first: bool = False  # Whether a layer norm comes before the first block too.
    quick_gelu: bool = False  # ``x sigmoid(1.702 x)`` in the place of the exact GELU.
    patch_bias: bool = True
    projected: int | None = None  # Length of a row after the last linear map, where there is one.

    def tensors(self) -> dict[str, tuple[int, ...]]:
        """The shape of every tensor by the name that :class:`VisionTransformer` has for it."""
        w = self.width
        shapes: dict[str, tuple[int, ...]] = {
            "class_token": (w,),
            "positions": (1 + self.grid**2, w),
            "patch.weight": (w, 3, self.patch, self.patch),
            "norm.weight": (w,),
            "norm.bias": (w,),
        }
        shapes |= {"patch.bias": (w,)} if self.patch_bias else {}
        shapes |= {"first_norm.weight": (w,), "first_norm.bias": (w,)} if self.norm_first else {}
        shapes |= {"projection": (w, self.projected)} if self.projected else {}
        for block in range(self.depth):
            shapes |= {f"{block}.{name}": shape for name, shape in self._block().items()}
        return shapes

    def _block(self) -> dict[str, tuple[int, ...]]:
        w = self.width
        linear = {"qkv": (3 * w, w), "out": (w, w), "up": (4 * w, w), "down": (w, 4 * w)}
        shapes: dict[str, tuple[int, ...]] = {f"{name}.weight": shape for name, shape in linear.items()}
        shapes |= {f"{name}.bias": shape[:1] for name, shape in linear.items()}
        shapes |= {f"{norm}.{part}": (w,) for norm in ("norm1", "norm2") for part in ("weight", "bias")}
        return shapes | ({"scale1": (w,), "scale2": (w,)} if self.layer_scale else {})


class VisionTransformer:
    """A frozen vision transformer: normalised pictures in, the class token after the last layer norm out."""

    def __init__(
        self, tensors: Mapping[str, Tensor], shape: Shape, *, device: torch.device, dtype: torch.dtype
    ) -> None:
        """``tensors`` are those of :meth:`Shape.tensors`, but for ``positions``, which fit the pictures' grid."""
        self.shape = shape
        self._t = {name: value.to(device, dtype) for name, value in tensors.items()}

    def __call__(self, pictures: Float[Tensor, "n 3 h w"]) -> Float[Tensor, "n d"]:
        t, shape = self._t, self.shape
        patches = F.conv2d(pictures, t["patch.weight"], t.get("patch.bias"), stride=shape.patch)
        tokens = patches.flatten(2).transpose(1, 2)
        x = torch.cat([t["class_token"].expand(len(tokens), 1, -1), tokens], 1) + t["positions"]
        if shape.norm_first:
            x = self._norm(x, "first_norm")
        for block in range(shape.depth):
            x = self._block(x, block)
        last = self._norm(x[:, 0].float(), "norm")
        return last @ t["projection"].float() if shape.projected else last

    def _block(self, x: Tensor, block: int) -> Tensor:
        attended = self._linear(self._attention(self._norm(x, f"{block}.norm1"), block), f"{block}.out")
        x = x + self._scaled(attended, f"{block}.scale1")
        up = self._linear(self._norm(x, f"{block}.norm2"), f"{block}.up")
        up = up * torch.sigmoid(1.702 * up) if self.shape.quick_gelu else F.gelu(up)
        return x + self._scaled(self._linear(up, f"{block}.down"), f"{block}.scale2")

    def _attention(self, x: Tensor, block: int) -> Tensor:
        n, tokens, width = x.shape
        heads = self._linear(x, f"{block}.qkv").view(n, tokens, 3, self.shape.heads, width // self.shape.heads)
        query, key, value = heads.permute(2, 0, 3, 1, 4)
        mixed = F.scaled_dot_product_attention(query, key, value)
        return mixed.transpose(1, 2).reshape(n, tokens, width)

    def _linear(self, x: Tensor, name: str) -> Tensor:
        return F.linear(x, self._t[f"{name}.weight"], self._t[f"{name}.bias"])

    def _norm(self, x: Tensor, name: str) -> Tensor:
        weight, bias = self._t[f"{name}.weight"].to(x.dtype), self._t[f"{name}.bias"].to(x.dtype)
        return F.layer_norm(x, weight.shape, weight, bias, self.shape.epsilon)

    def _scaled(self, x: Tensor, name: str) -> Tensor:
        return x * self._t[name] if self.shape.layer_scale else x


def renamed(tensors: Mapping[str, Tensor], names: Mapping[str, str], blocks: Mapping[str, str]) -> dict[str, Tensor]:
    """Tensors under this module's names.

    Args:
        names: A file's name for each of ours.
        blocks: The same for what is in a block, with ``{}`` where its number stands (``blocks.{}.norm1.weight``).
    """
    found = {ours: tensors[theirs] for ours, theirs in names.items() if theirs in tensors}
    depth = 0
    while next(iter(blocks.values())).format(depth) in tensors:
        for ours, theirs in blocks.items():
            if theirs.format(depth) in tensors:
                found[f"{depth}.{ours}"] = tensors[theirs.format(depth)]
        depth += 1
    return found


def both(ours: str, theirs: str) -> dict[str, str]:
    """The names of a layer's weight and bias.

    >>> both("out", "attn.proj")
    {'out.weight': 'attn.proj.weight', 'out.bias': 'attn.proj.bias'}
    """
    return {f"{ours}.{part}": f"{theirs}.{part}" for part in ("weight", "bias")}
