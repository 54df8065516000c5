"""A transposed convolution layer that runs as an ordinary convolution and depth-to-space, with its kernel kept."""

import math
import time
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.errors import UserError
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.plain_layers import ConvTranspose2d
from ganvas.nn.transposed.subpixel import (
    conv_transpose_by_kernel,
    conv_transpose_subpixel,
    simplified,
    subpixel_bias,
    subpixel_kernel,
)
from ganvas.nn.transposed.transposed import conv_transpose_native, subpixel_is_faster, subpixel_may_be_faster
from ganvas.nn.transposed.transposed_geometry import Geometry, PerAxis, check_input, geometry, layout, per_axis

Transposed = nn.ConvTranspose1d | nn.ConvTranspose2d | nn.ConvTranspose3d | ConvTranspose2d
KNOWN = (nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d, ConvTranspose2d)
TRIES = 5  # Of either form, on the first input of a size.
SETTINGS = ("stride", "padding", "output_padding", "dilation", "groups")


@dataclass(frozen=True)
class _Kept:
    """What the phases' kernel was made of, and the kernel. While the weights are held no other gets their address."""

    key: tuple[object, ...]
    sources: tuple[Tensor, ...]
    kernel: Tensor
    bias: Tensor | None


class SubpixelConvTranspose(nn.Module):
    """A transposed convolution by :mod:`ganvas.nn.transposed.subpixel`, with the same ``weight`` and ``bias``.

    State dicts go both ways between the two. Where no gradient can reach the weight, the kernel of the phases is
    computed once and kept until the weight changes, moves, or ``train()`` or ``eval()`` is called. A weight changed
    behind autograd's back (through ``.data``) is not seen to change: call ``eval()`` after it.

    Args:
        dims: Spatial axes: 1, 2 or 3.
        std: Of the starting weights; None is He's constant, as in
            :class:`ganvas.nn.layers.plain_layers.ConvTranspose2d`.
        method: "auto" runs torch's own where that is quicker; "subpixel" never does. Where the kernel is kept, both are
            tried on the first input of a size and the quicker one stays: processors differ too much for a rule. The
            two agree to rounding, so a process that chooses otherwise differs in the last bits. Where gradients reach
            the weight, sizes alone decide (:func:`ganvas.nn.transposed.transposed.subpixel_is_faster`), and every bit
            repeats.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: PerAxis,
        *,
        dims: int = 2,
        stride: PerAxis = 1,
        padding: PerAxis = 0,
        output_padding: PerAxis = 0,
        dilation: PerAxis = 1,
        groups: int = 1,
        bias: bool = True,
        std: float | None = None,
        method: Literal["subpixel", "auto"] = "subpixel",
    ) -> None:
        super().__init__()
        kernel = per_axis("kernel_size", kernel_size, dims, least=1)
        if groups < 1 or in_channels % groups or out_channels % groups:
            raise UserError(f"groups={groups} does not divide {in_channels} and {out_channels} channels.")
        self.weight = unset(in_channels, out_channels // groups, *kernel)
        self.bias = unset(out_channels) if bias else None
        self.geometry = geometry(
            self.weight,
            stride=stride,
            padding=padding,
            output_padding=output_padding,
            dilation=dilation,
            groups=groups,
        )
        self.std, self.method = std, method
        self._kept: _Kept | None = None
        self._quicker: dict[tuple[object, ...], bool] = {}  # Whether sub-pixel is, by what was tried.

    @classmethod
    def from_module(
        cls, module: Transposed, *, method: Literal["subpixel", "auto"] = "subpixel"
    ) -> "SubpixelConvTranspose":
        """The same layer, with the very parameters of ``module`` (shared, not copied) and its mode.

        Raises:
            UserError: not a transposed convolution of torch or Ganvas, or its weight is computed at every call.
        """
        if type(module) not in KNOWN or module._forward_hooks or module._forward_pre_hooks:
            raise UserError(
                f"{type(module).__name__} cannot be replaced layer by layer: only ConvTranspose1d, 2d, 3d without "
                "hooks or parametrisations can. ganvas.nn.transposed.rewrite_transposed.rewrite does any."
            )
        given = {name: getattr(module, name, 1 if name in ("dilation", "groups") else 0) for name in SETTINGS}
        shape = module.weight.shape
        layer = cls(
            shape[0],
            shape[1] * given["groups"],
            tuple(shape[2:]),
            dims=len(shape) - 2,
            bias=module.bias is not None,
            std=getattr(module, "std", None),
            method=method,
            **given,
        )
        layer.weight, layer.bias = module.weight, module.bias
        return layer.train(module.training)

    def reset(self, generator: torch.Generator) -> None:
        fan_in = math.prod(self.geometry.kernel) * self.weight.shape[0] / self.geometry.groups
        he = math.sqrt(2 * math.prod(self.geometry.stride) / fan_in)
        normal_(self.weight, generator, std=he if self.std is None else self.std)
        if self.bias is not None:
            nn.init.zeros_(self.bias)

    def forward(self, x: Float[Tensor, "n c *size"]) -> Float[Tensor, "n c_out *enlarged"]:
        weight, bias = filled(self.weight).to(x.dtype), None if self.bias is None else filled(self.bias).to(x.dtype)
        check_input(x, weight, bias, self.geometry)
        derived = torch.compiler.is_compiling() or self.training or (torch.is_grad_enabled() and self._learns())
        if derived:
            subpixel = self.method == "subpixel" or subpixel_is_faster(x, weight, self.geometry)
            return (conv_transpose_subpixel if subpixel else conv_transpose_native)(x, weight, bias, self.geometry)
        if self.method == "auto" and not self._subpixel_is_quicker(x, weight, bias):
            return conv_transpose_native(x, weight, bias, self.geometry)
        return self._by_kept_kernel(x)

    def train(self, mode: bool = True) -> "SubpixelConvTranspose":
        self._kept, self._quicker = None, {}
        return super().train(mode)

    def extra_repr(self) -> str:
        found = self.geometry
        return f"{tuple(self.weight.shape)}, stride={found.stride}, padding={found.padding}"

    def _learns(self) -> bool:
        return self.weight.requires_grad or (self.bias is not None and self.bias.requires_grad)

    def _by_kept_kernel(self, x: Tensor) -> Tensor:
        found = simplified(self.geometry, x.shape[2:])
        kernel, bias = self._kernel(found, x)
        return conv_transpose_by_kernel(x, kernel, bias, found)

    def _subpixel_is_quicker(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        kind = (x.shape, x.dtype, x.device, layout(x), torch.get_num_threads())
        found = self._quicker.get(kind)
        if found is None:
            found = self._quicker[kind] = self._try_both(x, weight, bias)
        return found

    def _try_both(self, x: Tensor, weight: Tensor, bias: Tensor | None) -> bool:
        """Whether sub-pixel is quicker, by both in turns; the best of each counts, which other work delays least."""
        if not subpixel_may_be_faster(x, self.geometry) or any(part.is_inference() for part in self.parameters()):
            return False
        native, subpixel = [], []
        with torch.no_grad():
            for _ in range(1 + TRIES):  # The first is not counted: it makes the kernel.
                started = time.perf_counter()
                conv_transpose_native(x, weight, bias, self.geometry)
                between = time.perf_counter()
                self._by_kept_kernel(x)
                native.append(between - started)
                subpixel.append(time.perf_counter() - between)
        return min(subpixel[1:]) < min(native[1:])

    def _kernel(self, found: Geometry, x: Tensor) -> tuple[Tensor, Tensor | None]:
        """Kernel and bias of the phases, computed where none is kept of these weights as they are.

        The kernel lies in memory as the input does: the convolution would bring it into that order at every call.
        """
        parts = (self.weight,) if self.bias is None else (self.weight, self.bias)
        if any(part.is_inference() for part in parts):  # These count no changes.
            return self._derived(found, x)
        key = (found, x.dtype, layout(x), *((part.data_ptr(), part._version, part.device) for part in parts))
        kept = self._kept
        if kept is None or kept.key != key:
            with torch.inference_mode(False), torch.no_grad():
                kept = _Kept(key, tuple(part.detach() for part in parts), *self._derived(found, x))
            self._kept = kept
        return kept.kernel, kept.bias

    def _derived(self, found: Geometry, x: Tensor) -> tuple[Tensor, Tensor | None]:
        bias = None if self.bias is None else self.bias.to(x.dtype)
        kernel = subpixel_kernel(self.weight.to(x.dtype), found)
        return kernel.contiguous(memory_format=layout(x)), subpixel_bias(bias, found)

    def __getstate__(self) -> dict[str, object]:
        """What is kept and what was tried are neither copied nor saved."""
        return {**self.__dict__, "_kept": None, "_quicker": {}}
