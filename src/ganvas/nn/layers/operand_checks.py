"""Checks that several operators share: they refuse inputs of another shape or kind of number than they are for."""

from collections.abc import Iterable

import torch
from torch import Tensor

from ganvas.core.errors import UserError, did_you_mean


def need_floats(x: Tensor, name: str = "input") -> None:
    """Raises a UserError where ``x`` is no tensor of real floating-point numbers.

    Whole numbers are the trap: weights between 0 and 1, brought to their type, would all become 0.
    """
    if not isinstance(x, Tensor):
        raise UserError(f"The {name} is a {type(x).__name__}; give a tensor, such as torch.tensor(...).")
    if not x.is_floating_point():
        kind = str(x.dtype).removeprefix("torch.")
        raise UserError(f"The {name} is of {kind}, and this is for real numbers. Give {name}.float(), for instance.")


def need_pictures(x: Tensor, name: str = "input") -> None:
    """Raises a UserError where ``x`` is not (n, channels, height, width) of floating-point numbers."""
    need_floats(x, name)
    if x.ndim != 4:
        hint = {2: f" One grey picture is {name}[None, None].", 3: f" A single picture is {name}[None]."}
        raise UserError(
            f"The {name} has shape {tuple(x.shape)}; it must be (n, channels, height, width).{hint.get(x.ndim, '')}"
        )


def need_kernel(kernel: Tensor, name: str = "kernel") -> None:
    """Raises a UserError where ``kernel`` is not a real matrix (height, width) with at least one entry."""
    if not isinstance(kernel, Tensor) or kernel.ndim != 2 or torch.is_complex(kernel):
        given = f"has shape {tuple(kernel.shape)}" if isinstance(kernel, Tensor) else f"is a {type(kernel).__name__}"
        given = f"is of {kernel.dtype}" if isinstance(kernel, Tensor) and torch.is_complex(kernel) else given
        raise UserError(f"The {name} {given}; it must be a tensor (height, width) of real numbers, for all channels.")
    if not kernel.numel():
        raise UserError(f"The {name} of {kernel.shape[0]} x {kernel.shape[1]} (height x width) holds no number.")


def need_one_of(name: str, given: object, known: Iterable[str]) -> None:
    """Raises a UserError where an option is not one of the names that there are."""
    known = list(known)
    if given not in known:
        raise UserError(f"{name}='{given}' is not one of {', '.join(known)}.{did_you_mean(str(given), known)}")


def need_side(x: Tensor, least: int, doing: str) -> None:
    """Raises a UserError where a picture's height or width is below ``least``."""
    if min(x.shape[2:]) < least:
        height, width = x.shape[2:]
        raise UserError(
            f"Features of {height} x {width} (height x width) cannot be {doing}: at least {least} x {least}."
        )


def need_channels(x: Tensor, channels: int) -> None:
    """Raises a UserError where a picture has other channels than a layer; one would be spread over all in silence."""
    need_pictures(x)
    if x.shape[1] != channels:
        raise UserError(f"The input has {x.shape[1]} channels and this layer is for {channels}.")
