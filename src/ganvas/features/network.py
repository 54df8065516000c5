"""The contract of a feature network: pictures in, rows of numbers out, and a name that says exactly which one it is.

A network is frozen. It takes bytes of any size, brings them to its own size by its own rule, and gives one row per
picture and tap. The rows depend neither on the batch size nor on the pictures beside it (to 1e-5 of their size: the
order of float32 sums is the library's).

Grey pictures are repeated over three channels. Pictures with alpha are laid on white, in whole bytes, before anything
else: a network has only ever seen opaque ones.
"""

from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Literal

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.errors import UserError, did_you_mean

Precision = Literal["float32", "bfloat16"]
PRECISIONS: Mapping[str, torch.dtype] = {"float32": torch.float32, "bfloat16": torch.bfloat16}


class Network(ABC):
    """A frozen network that pictures are compared by.

    Attributes:
        identity: A part of protocol strings: ``name@first 8 of the weights' SHA-256:resize:quantisation[:bf16]``.
        taps: What it gives, and the length of a row of it.
        device: Where it computes.
    """

    identity: str
    taps: Mapping[str, int]
    device: torch.device

    @torch.no_grad()
    def extract(
        self, pictures: UInt8[Tensor, "n c h w"], taps: Sequence[str] = ("features",)
    ) -> dict[str, Float[Tensor, "n _"]]:
        """The rows of each tap, float32 on the CPU.

        Args:
            pictures: Bytes with 1 (grey), 3 (RGB) or 4 (RGBA) channels, of any size, on any device.
            taps: Which of :attr:`taps` are wanted; what no wanted tap needs is not computed.

        Raises:
            UserError: the network has no such tap, or these are no pictures.
        """
        self._require(pictures, taps)
        if len(pictures) == 0:
            return {tap: torch.empty(0, self.taps[tap]) for tap in taps}
        with exact_float32(self.device):
            parts = [self._rows(opaque_rgb(part.to(self.device)), taps) for part in pictures.split(self._at_once)]
        return {tap: torch.cat([part[tap] for part in parts]).float().cpu() for tap in taps}

    @abstractmethod
    def _rows(self, pictures: UInt8[Tensor, "n 3 h w"], taps: Sequence[str]) -> dict[str, Float[Tensor, "n _"]]:
        """The rows of a few opaque RGB pictures on the network's device."""

    @property
    def _at_once(self) -> int:
        """Pictures in flight: few on a CPU, whose caches hold no more; many where launches cost more than sums."""
        return 16 if self.device.type == "cpu" else 128

    def _require(self, pictures: Tensor, taps: Sequence[str]) -> None:
        missing = next((tap for tap in taps if tap not in self.taps), None)
        if missing is not None:
            raise UserError(
                f"{self.identity} does not give '{missing}'.{did_you_mean(missing, self.taps)} "
                f"It gives {', '.join(self.taps)}."
            )
        if pictures.dtype != torch.uint8:
            raise UserError(f"Pictures for a feature network are bytes (uint8); these are {pictures.dtype}.")
        if pictures.shape[1] not in (1, 3, 4) or 0 in pictures.shape[1:]:
            raise UserError(
                f"Pictures of shape {tuple(pictures.shape[1:])} cannot be looked at. Give 1 (grey), 3 (RGB) or "
                "4 (RGBA) channels, first, and at least one pixel."
            )


def opaque_rgb(pictures: UInt8[Tensor, "n c h w"]) -> UInt8[Tensor, "n 3 h w"]:
    """Grey three times; RGB as it is; RGBA on white: ``round((c a + 255 (255 - a)) / 255)``."""
    if pictures.shape[1] == 4:
        colour, alpha = pictures[:, :3].int(), pictures[:, 3:].int()
        return ((2 * (colour * alpha + 255 * (255 - alpha)) + 255) // 510).to(torch.uint8)
    return pictures.expand(-1, 3, -1, -1) if pictures.shape[1] == 1 else pictures


def identity_of(name: str, *, sha256: str, resize: str, precision: Precision) -> str:
    """The part of a protocol string that says which network.

    >>> identity_of("vgg16", sha256="397923af8e79", resize="tf1-bilinear", precision="float32")
    'vgg16@397923af:tf1-bilinear:uint8'
    """
    return f"{name}@{sha256[:8]}:{resize}:uint8{':bf16' if precision == 'bfloat16' else ''}"


def dtype_of(precision: str) -> torch.dtype:
    """The type that a network computes in; bfloat16 only where a person asked for it."""
    if precision not in PRECISIONS:
        near = did_you_mean(precision, PRECISIONS)
        raise UserError(f"precision={precision} is not a choice.{near} Choices: {', '.join(PRECISIONS)}.")
    return PRECISIONS[precision]


def exact_float32(device: torch.device) -> AbstractContextManager[None]:
    """Convolutions of an NVIDIA card round their inputs to 10 bits (TF32) unless told otherwise."""
    if device.type != "cuda":
        return nullcontext()
    return torch.backends.cudnn.flags(enabled=True, benchmark=False, allow_tf32=False)
