"""Bringing pictures to a network's own size, by the rule that its users have agreed on.

Which rule is a part of the protocol: the same pictures resized in two ways differ by more than many a model from the
next (Parmar, Zhang, Zhu 2022, On Aliased Resizing, https://arxiv.org/abs/2104.11222).
"""

import functools

import torch
import torch.nn.functional as F
from jaxtyping import Float, UInt8
from torch import Tensor

TF1_BILINEAR = "tf1-bilinear"  # As protocol strings call the rules.
BICUBIC = "bicubic-antialias"
CLEAN = "clean-bicubic"


def tf1_bilinear(pictures: UInt8[Tensor, "n c h w"], size: int) -> Float[Tensor, "n c {size} {size}"]:
    """TensorFlow 1's bilinear resize without half-pixel centres, to ``size`` x ``size``; values stay in [0, 255].

    Pixel ``i`` of the result is read at ``i * in / out`` of the source, between its two neighbours, the last row
    standing in for what lies beyond it. It shrinks without smoothing (aliasing), and shifts the picture by up to half
    a pixel: both belong to the numbers that were published with it.

    Both directions are linear maps with two weights per row. Enlarging is two products with small dense matrices,
    which is several times as fast as gathering; shrinking reads only the rows that it needs.
    """
    rows = _along(pictures, size, dim=2)
    return _along(rows, size, dim=3)


def bicubic(pictures: UInt8[Tensor, "n c h w"], size: int) -> Float[Tensor, "n c {size} {size}"]:
    """Bicubic with antialiasing (Keys' kernel, a = -1/2), to ``size`` x ``size``, neither clipped nor rounded.

    The picture is stretched to a square, not cropped: nothing of it may go unmeasured.
    """
    if pictures.shape[2:] == (size, size):
        return pictures.float()
    return F.interpolate(pictures.float(), (size, size), mode="bicubic", align_corners=False, antialias=True)


def clean_bicubic(pictures: UInt8[Tensor, "n c h w"], size: int) -> Float[Tensor, "n c {size} {size}"]:
    """The "clean" resize of Parmar et al. 2022: bicubic with antialiasing, clipped to [0, 255], not rounded.

    :func:`bicubic` but for its weights, which PyTorch finds in float32: they are up to 0.01 grey levels off where the
    sizes are near each other. These are found in float64, as Pillow's are, which the paper's numbers were made with.
    """
    if pictures.shape[2:] == (size, size):
        return pictures.float()
    down, across = (_keys_matrix(source, size, pictures.device) for source in pictures.shape[2:])
    return (down @ (pictures.float() @ across.T)).clamp(0, 255)


def tf1_weights(source: int, size: int) -> tuple[Tensor, Tensor, Tensor]:
    """For each of ``size`` places: the pixel before, the pixel after, and the share of the one after.

    The place is computed in float32, as TensorFlow does: ``i * (in / out)``.
    """
    scale = torch.tensor(source, dtype=torch.float32) / size
    place = torch.arange(size, dtype=torch.float32) * scale
    before = place.floor().long().clamp_max(source - 1)
    return before, (before + 1).clamp_max(source - 1), place - before


@functools.lru_cache(maxsize=64)
def _matrix(source: int, size: int, device: torch.device) -> Float[Tensor, "size source"]:
    before, after, share = tf1_weights(source, size)
    rows, matrix = torch.arange(size), torch.zeros(size, source)
    matrix.index_put_((rows, before), 1 - share, accumulate=True)
    matrix.index_put_((rows, after), share, accumulate=True)
    return matrix.to(device)


@functools.lru_cache(maxsize=64)
def _keys_matrix(source: int, size: int, device: torch.device) -> Float[Tensor, "size source"]:
    """Keys 1981, eq. 4 with a = -1/2, as wide as a pixel of the result where that is wider than one of the source."""
    scale = source / size
    places = (torch.arange(size, dtype=torch.float64) + 0.5) * scale
    t = (torch.arange(source) + 0.5 - places[:, None]).abs() / max(scale, 1.0)
    near, far = (1.5 * t - 2.5) * t**2 + 1, ((2.5 - 0.5 * t) * t - 4) * t + 2
    weights = torch.where(t < 1, near, torch.where(t < 2, far, 0))
    return (weights / weights.sum(1, keepdim=True)).float().to(device)


def _along(x: Tensor, size: int, *, dim: int) -> Tensor:
    """The resize in one direction: 2 is down, 3 is across."""
    source = x.shape[dim]
    if source == size:
        return x.float()
    if source < size:
        matrix = _matrix(source, size, x.device)
        return matrix @ x.float() if dim == 2 else x.float() @ matrix.T
    before, after, share = (part.to(x.device) for part in tf1_weights(source, size))
    share = share[:, None] if dim == 2 else share
    return torch.lerp(x.index_select(dim, before).float(), x.index_select(dim, after).float(), share)


Statistics = tuple[tuple[float, float, float], tuple[float, float, float]]  # Mean and deviation of [0, 1] colours.
IMAGENET: Statistics = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
CLIP: Statistics = ((0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711))


def standardised(x: Float[Tensor, "n 3 h w"], statistics: Statistics) -> Float[Tensor, "n 3 h w"]:
    """Pixels in [0, 255] as ``(x / 255 - mean) / deviation``."""
    mean, deviation = (torch.tensor(part, device=x.device)[:, None, None] * 255 for part in statistics)
    return (x - mean) / deviation
