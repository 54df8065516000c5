"""Moves of numbers one by one, each in its own way: shifted, scaled and shifted, or along a spline.

A coupling layer moves one half of a sample as its network says of the other half; nothing else of the sample matters,
so the map has an inverse and its Jacobian is triangular, whatever the network is (Dinh et al. 2014, section 3.2).
"""

import math
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

import torch
from torch import Tensor

MOST_LOG_SCALE = math.log(1000)


@runtime_checkable
class Move(Protocol):
    """A monotonic map of every number."""

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """The moved numbers, and the logarithm of every one's slope."""
        ...

    def inverse(self, y: Tensor) -> Tensor:
        """The numbers as they were."""
        ...


@dataclass(frozen=True)
class Shift:
    """``y = x + shift``: NICE's additive coupling."""

    shift: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x + self.shift, torch.zeros_like(x)

    def inverse(self, y: Tensor) -> Tensor:
        return y - self.shift


@dataclass(frozen=True)
class ShiftThenScale:
    """``y = (x + shift) exp(log_scale)``: as the codes of Real NVP and Glow have it."""

    shift: Tensor
    log_scale: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x + self.shift) * self.log_scale.exp(), self.log_scale

    def inverse(self, y: Tensor) -> Tensor:
        return y * (-self.log_scale).exp() - self.shift


@dataclass(frozen=True)
class ScaleThenShift:
    """``y = x exp(log_scale) + shift``: as their papers have it."""

    shift: Tensor
    log_scale: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return x * self.log_scale.exp() + self.shift, self.log_scale

    def inverse(self, y: Tensor) -> Tensor:
        return (y - self.shift) * (-self.log_scale).exp()


@dataclass(frozen=True)
class Standardise:
    """``y = (x - mean) exp(-log_sd)``: from a normal distribution to the standard one."""

    mean: Tensor
    log_sd: Tensor

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        return (x - self.mean) * (-self.log_sd).exp(), -self.log_sd

    def inverse(self, y: Tensor) -> Tensor:
        return y * self.log_sd.exp() + self.mean


def bounded_log_scale(raw: Tensor) -> Tensor:
    """``raw / (1 + |raw| / ln 1000)``: a slope between 1/1000 and 1000, whatever a network says.

    Without bounds a sample far from all others soon leaves the range of numbers, and its density is none.
    """
    return raw / (1 + raw.abs() / MOST_LOG_SCALE)
