"""Losses of single values and pixels: the mean error, and maps of it; of label maps cross-entropy over pixels, and the
weights that U-Net gives to gaps between things.

Long et al. 2015, https://arxiv.org/abs/1411.4038, add up the loss of all pixels; Ronneberger et al. 2015,
https://arxiv.org/abs/1505.04597, weigh every pixel (eq. 1 and 2).
"""

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.shapes import Images, PerSample

SHOWN = 0.25  # Of all colours: by how much pictures differ where a map of errors is white.
TINY = 1e-30  # Keeps a picture of which nothing is told from being divided by nothing.
FAR = 1e9  # Squared pixels; where there is no second thing, its distance is beyond every weight.


def mean_error(x: Float[Tensor, "n *shape"], y: Float[Tensor, "n *shape"]) -> PerSample:
    """``|x - y|_1`` over the number of values of each sample."""
    return (x - y).abs().flatten(1).mean(1)


def error_map(x: Images, y: Images) -> Images:
    """Where pictures in [-1, 1] differ, as grey pictures: black where not at all, white by ``SHOWN`` or more."""
    channels = min(x.shape[1], 3)
    apart = ((x - y)[:, :channels].abs() / 2).mean(1, keepdim=True)
    shown = (2 * apart / SHOWN - 1).clamp(-1, 1).expand(-1, channels, -1, -1)
    return torch.cat([shown, torch.ones_like(x[:, channels:])], 1)


def pixel_cross_entropy(
    logits: Float[Tensor, "n k h w"],
    classes: Int[Tensor, "n h w"],
    weights: Float[Tensor, "n h w"] | None = None,
    *,
    summed: bool = False,
) -> PerSample:
    """``- sum w log p[class]`` over the pixels whose class is told, by their number unless ``summed``.

    Pixels of a class below 0 say nothing and are not counted; a picture of such pixels alone has a loss of 0.
    """
    told = classes >= 0
    wide = logits.to(torch.promote_types(logits.dtype, torch.float32))
    each = F.cross_entropy(wide, classes.clamp_min(0), reduction="none") * told
    total = (each if weights is None else each * weights).flatten(1).sum(1)
    return total if summed else total / told.flatten(1).sum(1).clamp_min(1)


@torch.no_grad()
def balanced_weights(classes: Int[Tensor, "n h w"], *, kinds: int, exponent: float) -> Float[Tensor, "n h w"]:
    """``s^-e`` over its mean, where s is the share of a pixel's class in the picture: 1 on average in every picture.

    With an exponent of 1 every class of a picture weighs as much as any other, with 0 every pixel; pixels of a class
    below 0 are not counted and weigh nothing.
    """
    told = classes >= 0
    flat, counted = classes.clamp_min(0).flatten(1), told.flatten(1).float()
    counts = torch.zeros(len(classes), kinds, device=classes.device).scatter_add_(1, flat, counted)
    raw = counts.clamp_min(1) ** -exponent
    mean = (counts * raw).sum(1, keepdim=True) / counts.sum(1, keepdim=True).clamp_min(1)
    return (raw / mean.clamp_min(TINY)).gather(1, flat).view(classes.shape) * told


@torch.no_grad()
def gap_weights(classes: Int[Tensor, "n h w"], *, gap_weight: float, sigma: float) -> Float[Tensor, "n h w"]:
    """``1 + w0 exp(-(d1 + d2)^2 / (2 sigma^2))`` of pixels of class 0, else 1 (Ronneberger et al. 2015, eq. 2).

    ``d1`` and ``d2`` are the distances to the nearest and the second nearest thing, in pixels; a thing is a set of
    pixels of one class above 0 that hang together by their sides. Without a second thing nothing is added.

    How long it takes depends on the things, so it waits for the device: it is no part of a step.

    Args:
        gap_weight: w0, 10 in the paper.
        sigma: 5 pixels in the paper.
    """
    weights = torch.ones(classes.shape, device=classes.device)
    for picture, weight in zip(classes, weights, strict=True):
        things = parts(picture)
        near = torch.full((2, *picture.shape), FAR, device=picture.device)
        for number in range(1, int(things.max()) + 1):
            near = torch.cat([near, squared_distance(things == number)[None]]).topk(2, dim=0, largest=False).values
        first, second = near.sqrt()
        weight += gap_weight * torch.exp(-((first + second) ** 2) / (2 * sigma**2)) * (picture == 0)
    return weights


def parts(classes: Int[Tensor, "h w"]) -> Int[Tensor, "h w"]:
    """The number, from 1, of the connected part that each pixel of a class above 0 belongs to; 0 elsewhere.

    Pixels of one class that touch by a side belong together.
    """
    height, width = classes.shape
    own = torch.arange(1, height * width + 1, device=classes.device).view(height, width) * (classes > 0)
    same_down, same_right = classes[1:] == classes[:-1], classes[:, 1:] == classes[:, :-1]
    while True:  # The largest number of a part spreads through it.
        grown = own.clone()
        grown[1:] = torch.maximum(grown[1:], own[:-1] * same_down)
        grown[:-1] = torch.maximum(grown[:-1], own[1:] * same_down)
        grown[:, 1:] = torch.maximum(grown[:, 1:], own[:, :-1] * same_right)
        grown[:, :-1] = torch.maximum(grown[:, :-1], own[:, 1:] * same_right)
        if torch.equal(grown, own):
            break
        own = grown
    numbers = own.unique()
    return torch.searchsorted(numbers, own) + int(numbers[0] > 0)


def squared_distance(inside: Bool[Tensor, "h w"]) -> Float[Tensor, "h w"]:
    """The squared distance of every pixel to the nearest one inside: along columns, then along rows, exactly."""
    height, width = inside.shape
    rows = torch.arange(height, device=inside.device)
    apart = (rows[:, None] - rows).square().float()
    columns = torch.stack([torch.where(inside[:, x], apart, FAR).amin(1) for x in range(width)], 1)
    places = torch.arange(width, device=inside.device)
    across = (places[:, None] - places).square().float()
    return torch.stack([(row + across).amin(1) for row in columns])
