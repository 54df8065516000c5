"""Yardsticks of bits per dimension that need no learning: a Gaussian, a histogram per pixel, PNG and lossless WebP.

A likelihood means little alone: 5 bits per dimension are few for photographs and many for drawings. A model that has
learnt pictures needs fewer bits than each of these. All are exact codes of whole colours 0..255: the Gaussian and the
histogram are fitted on the training pictures and, as the model is, scored on the held-out ones. Beside a model of fewer
colours they are codes of the same reduced pictures.
"""

import io
import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from jaxtyping import Float, UInt8
from PIL import Image
from torch import Tensor

from ganvas.core.pixels import COLOURS
from ganvas.losses.likelihoods.bits import bits_per_dimension

ROUNDING = 1 / 12  # Variance of a uniform number between two whole ones.
MOST_DIMENSIONS = 4096  # Of the Gaussian: its covariance takes the square of it.
FILES: dict[str, dict[str, Any]] = {  # Kinds of lossless files, as small as Pillow writes them.
    "png": {"optimize": True},
    "webp": {"lossless": True, "quality": 100, "method": 6, "exact": True},
}

Pixels = UInt8[np.ndarray, "n h w c"]
Fitted = UInt8[np.ndarray, "m h w c"]  # Training pictures.
Bits = Float[Tensor, " n"]  # Per dimension, of each picture.


@dataclass(frozen=True, kw_only=True)
class Yardstick:
    """Bits per dimension of each held-out picture under one code, and what the code was fitted on."""

    name: str  # "gaussian", "histogram", "png", "webp".
    bits: Bits
    fitted_on: int  # Training pictures; 0 for a code that is not fitted.


def yardsticks(train: Fitted | None, held_out: Pixels, *, levels: int = COLOURS) -> list[Yardstick]:
    """Every yardstick of the same held-out pictures; the Gaussian where enough pictures say what its covariance is.

    Args:
        train: None leaves out the two that are fitted: scored on what they were fitted on, they would seem to know it.
        levels: To how many colours pictures are reduced first.
    """
    held_out = reduced(held_out, levels)
    files = [Yardstick(name=kind, bits=file_bits(held_out, kind), fitted_on=0) for kind in FILES]
    return files if train is None else _fitted(reduced(train, levels), held_out, levels) + files


def _fitted(train: Fitted, held_out: Pixels, levels: int) -> list[Yardstick]:
    found = [Yardstick(name="histogram", bits=histogram_bits(train, held_out, levels), fitted_on=len(train))]
    if gaussian_wants(train[0].size) <= len(train) and train[0].size <= MOST_DIMENSIONS:
        found.insert(0, Yardstick(name="gaussian", bits=gaussian_bits(train, held_out, levels), fitted_on=len(train)))
    return found


def gaussian_wants(dimensions: int) -> int:
    """How many pictures of as many numbers a covariance wants.

    That of n pictures knows n - 1 directions. In any other only the rounding is left of it, and what lies a little
    aside costs any number of bits.
    """
    return dimensions + 1


def reduced(pixels: UInt8[np.ndarray, "k h w c"], levels: int) -> UInt8[np.ndarray, "k h w c"]:
    """Whole colours 0..255 as whole numbers below ``levels``: ``floor(colour levels / 256)``."""
    return pixels if levels == COLOURS else (pixels.astype(np.uint16) * levels // COLOURS).astype(np.uint8)


def gaussian_bits(train: Fitted, held_out: Pixels, levels: int = COLOURS) -> Bits:
    """Each colour under its normal distribution given the colours before it, rounded to whole colours.

    Mean and covariance are those of the training pictures, with the variance of rounding added to every colour. With
    ``L L' = covariance`` and ``z = L^-1 (x - mean)``, colour i given those before it has deviation ``L_ii`` and lies
    ``z_i`` deviations from its mean: its probability is ``Phi(z + 1 / 2 L_ii) - Phi(z - 1 / 2 L_ii)``, and the first
    and the last colour hold the tails. So the probabilities of all pictures add up to 1.
    """
    x, y = (torch.from_numpy(pixels).flatten(1).double() for pixels in (train, held_out))
    mean = x.mean(0)
    covariance = (x - mean).T @ (x - mean) / len(x)
    covariance.diagonal().add_(ROUNDING)
    factor = torch.linalg.cholesky(covariance)
    z = torch.linalg.solve_triangular(factor, (y - mean).T, upper=False).T
    half = 0.5 / factor.diagonal()
    log_prob = _log_normal_between(
        torch.where(y == 0, -math.inf, z - half), torch.where(y == levels - 1, math.inf, z + half)
    )
    return bits_per_dimension(log_prob.sum(1), y.shape[1])


def _log_normal_between(low: Tensor, high: Tensor) -> Tensor:
    """``ln(Phi(high) - Phi(low))`` without cancellation: an interval above the middle is mirrored below it."""
    mirrored = low > 0
    a, b = torch.where(mirrored, -high, low), torch.where(mirrored, -low, high)
    above, below = torch.special.log_ndtr(b), torch.special.log_ndtr(a)
    return above + torch.log(-torch.expm1(below - above))


def histogram_bits(train: Fitted, held_out: Pixels, levels: int = COLOURS) -> Bits:
    """Each colour by how often it occurs at its place in the training pictures, every colour counted once more."""
    x, y = (torch.from_numpy(pixels).flatten(1).long() for pixels in (train, held_out))
    counts = torch.ones(x.shape[1], levels, dtype=torch.float64)
    counts.scatter_add_(1, x.T, torch.ones(x.T.shape, dtype=torch.float64))
    log_prob = torch.log(counts / counts.sum(1, keepdim=True)).gather(1, y.T).sum(0)
    return bits_per_dimension(log_prob, y.shape[1])


def file_bits(pictures: Pixels, kind: str) -> Bits:
    """The bits of each picture as a lossless file, ``png`` or ``webp``, header included, per dimension."""
    sizes: list[int] = []
    for pixels in pictures:
        file = io.BytesIO()
        image = Image.fromarray(pixels[..., 0] if pixels.shape[-1] == 1 else pixels)
        image.save(file, format=kind, **FILES[kind])
        sizes.append(file.tell())
    return 8 * torch.tensor(sizes, dtype=torch.float64) / pictures[0].size
