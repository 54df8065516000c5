"""Fields of one cell of a layer on a sample: which pixels move it, or which pixels it moves, and how strongly.

Of a network that looks at pictures it is the effective receptive field (Luo et al. 2016, section 2,
https://arxiv.org/abs/1701.04128) at that picture: the absolute gradient of the cell's units with respect to every
pixel. Of a network that draws it is the same the other way round: by how much every pixel moves with the cell's units,
the Jacobian times a direction of units, which is found by differentiating a gradient once more.

Units are added with random signs, anew for each direction, so that they do not cancel in one way; a pixel without any
change in all of them cannot be reached from the cell, or only through what is silent on this sample.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images
from ganvas.dissect.places import Place
from ganvas.dissect.subject import Subject

DIRECTIONS = 8

Strength = Float[np.ndarray, "h w"]


@dataclass(frozen=True, kw_only=True, eq=False)
class UnitField:
    """What one cell has to do with the pixels of a picture."""

    picture: Float[Tensor, "c h w"]
    strength: Strength  # Of every pixel; they sum to 1, or are all 0 where nothing moves.

    @property
    def reach(self) -> tuple[int, int, int, int] | None:
        """First and last row, first and last column of the pixels with any strength."""
        rows, columns = (np.flatnonzero(self.strength.any(axis)) for axis in (1, 0))
        return (int(rows[0]), int(rows[-1]), int(columns[0]), int(columns[-1])) if len(rows) else None

    @property
    def deviation(self) -> tuple[float, float]:
        """Standard deviation of the place along rows and columns, in pixels."""
        return _deviation(self.strength.sum(1)), _deviation(self.strength.sum(0))


def unit_field(subject: Subject, place: Place, cell: tuple[int, int], sample: int, *, seed: int = 0) -> UnitField:
    """The field of a cell (row, column) of a layer on the sample of that number.

    Raises:
        UserError: the layer has no such cell.
    """
    if not all(0 <= at < size for at, size in zip(cell, place.size, strict=True)):
        raise UserError(f"Layer {place.name} has no cell {list(cell)}: it is {place.size[0]} by {place.size[1]}.")
    inputs = subject.series("fields", sample, sample + 1)
    moved = _moving if subject.kind == "looks" else _moved
    with torch.enable_grad():
        picture, strength = moved(subject, place, cell, inputs, seed)
    total = float(strength.sum())
    return UnitField(picture=picture[0], strength=(strength / total if total else strength).numpy())


def _moving(
    subject: Subject, place: Place, cell: tuple[int, int], inputs: tuple[Tensor, ...], seed: int
) -> tuple[Images, Tensor]:
    """The pixels that move the cell."""
    seen = inputs[0].clone().requires_grad_()
    _, maps = subject.run((seen, *inputs[1:]), keep=[place])
    units = maps[place.name][0, :, cell[0], cell[1]]
    found = [torch.autograd.grad((units * way).sum(), seen, retain_graph=True)[0] for way in _ways(place, seed)]
    return inputs[0], _mean(found)


def _moved(
    subject: Subject, place: Place, cell: tuple[int, int], inputs: tuple[Tensor, ...], seed: int
) -> tuple[Images, Tensor]:
    """The pixels that the cell moves."""
    given = (inputs[0].clone().requires_grad_(), *inputs[1:])  # So that what comes before the layer has a gradient too.
    picture, maps = subject.run(given, keep=[place])
    weights = torch.zeros_like(picture).requires_grad_()
    (back,) = torch.autograd.grad(picture, maps[place.name], weights, create_graph=True)
    units = back[0, :, cell[0], cell[1]]
    found = [torch.autograd.grad((units * way).sum(), weights, retain_graph=True)[0] for way in _ways(place, seed)]
    return picture.detach(), _mean(found)


def _ways(place: Place, seed: int) -> list[Tensor]:
    random = stream(seed, "unit field")
    return [torch.randint(0, 2, (place.units,), generator=random).float() * 2 - 1 for _ in range(DIRECTIONS)]


def _mean(found: list[Tensor]) -> Tensor:
    """Absolute values over channels and directions, (h, w)."""
    return torch.stack([one[0].abs().sum(0) for one in found]).mean(0).double()


def _deviation(weights: Float[np.ndarray, " n"]) -> float:
    at = np.arange(len(weights))
    total = weights.sum()
    if not total:
        return 0.0
    mean = (weights * at).sum() / total
    return math.sqrt(float((weights * (at - mean) ** 2).sum() / total))
