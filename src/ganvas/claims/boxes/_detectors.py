"""Detectors of one rectangle in a picture, of all seeds at once: by centres and scales, or by anchors.

Both have the same network and the losses of CSP and of RetinaNet (`models/detect/csp`). Anchors whose sizes were laid
out for smaller boxes are not fitted anew; as in RetinaNet every box has the anchor that overlaps it most.
Claims are made of it, each of one detector on two sizes of boxes.
"""

from collections.abc import Sequence
from functools import partial
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.claims.batched.maps import OF_ROWS, Convolutions, Maps, activated, apart, side_by_side
from ganvas.claims.batched.scene_maps import MapNetwork
from ganvas.claims.batched.stacks import Generators, descend, generators_of, normal, uniform
from ganvas.claims.judging.claim import Direction, Experiment, Source
from ganvas.core.boxes.box_kinds import OBJECT
from ganvas.losses.boxes.anchors import anchor_targets, focal_loss, laid_anchors, move_loss, moved_anchors
from ganvas.losses.boxes.centres import boxes_of_centres, centre_loss, centre_targets, offset_loss, size_loss
from ganvas.nn.boxes.overlap import overlaps

SIDE, STRIDE, WIDTH, RATES = 32, 2, 8, (1, 2, 2)
STEPS, BATCH, LR, TESTED = 250, 16, 1e-2, 256
SIZE, TIMES_LARGER, NOISE, OVERLAP = 6.0, 2.0, 0.3, 0.5
LOWEST, HEIGHTS = 3.75, 3  # Of the anchors, each 1.6 times the one before: the middle one has the size of the boxes.
LARGE, SMALL = "boxes of twice the size", "boxes of the size that it was set for"
RARE = -4.0  # The logit of an object at the start.
CELLS = (SIDE // STRIDE, SIDE // STRIDE)

Head = Literal["centres", "anchors"]
Corners = Float[Tensor, "seeds n 4"]


def as_many_are_found(statement: str, head: Head, *, says: Direction, sources: tuple[Source, ...]) -> Experiment:
    """The claim that a detector finds as many (fewer) of larger boxes, learnt with the settings of smaller ones."""

    def run(arm: str, seeds: Sequence[int], *, steps: int = STEPS) -> list[float]:
        return _recall(head, seeds, TIMES_LARGER * SIZE if arm == LARGE else SIZE, steps)

    return Experiment(
        statement=statement,
        sources=sources,
        scope=f"a rectangle on noise in {SIDE} x {SIDE} pixels, {SIZE:g} wide or {TIMES_LARGER * SIZE:g}; "
        f"{1 + len(RATES)} convolutions of {WIDTH} maps, {OF_ROWS}; Adam at {LR:g} that falls to none, "
        f"batch {BATCH}, {STEPS} steps",
        arms=(LARGE, SMALL),
        estimand="recall: share of boxes that the surest box of a picture overlaps by a half",
        says=says,
        unit="of all boxes",
        smallest_effect=0.05,
        seeds=8,
        run=run,
        rehearsal=partial(run, steps=2),
    )


def _recall(head: Head, seeds: Sequence[int], size: float, steps: int) -> list[float]:
    """Share of other boxes that the surest box of a picture overlaps by a half or more."""
    generators = generators_of(seeds)
    layers = Convolutions(generators)
    network = _network(layers, 5 if head == "centres" else 5 * HEIGHTS)
    losses, surest = (_centre_losses, _surest_centre) if head == "centres" else (_anchor_losses, _surest_anchor)
    descent = torch.optim.Adam(layers.stack, lr=LR)
    for step in range(steps):
        descent.param_groups[0]["lr"] = LR * (1 - step / steps)
        pictures, boxes = _drawn(generators, BATCH, size)
        found = apart(network(side_by_side(pictures)), len(seeds))
        descend(torch.stack(list(map(losses, found, boxes))).sum(), descent, layers.stack)
    with torch.no_grad():
        pictures, boxes = _drawn(generators, TESTED, size)
        found = apart(network(side_by_side(pictures)), len(seeds))
        said = torch.stack(list(map(surest, found)))
    return (overlaps(said[:, :, None], boxes[:, :, None])[..., 0, 0] >= OVERLAP).double().mean(1).tolist()


def _drawn(generators: Generators, n: int, size: float) -> tuple[Float[Tensor, "seeds n 1 h w"], Corners]:
    """A bright rectangle on noise: sides log-normal with deviations of a factor of 1.28, anywhere inside."""
    area, shape = normal(generators, n, 2).unbind(-1)
    sides = size * torch.stack([0.22 * area - 0.1 * shape, 0.22 * area + 0.1 * shape], -1).exp().clamp_max(SIDE / size)
    first = uniform(generators, n, 2) * (SIDE - sides)
    boxes = torch.cat([first, first + sides], -1)
    places = torch.arange(SIDE)
    in_x, in_y = (
        ((places + 1 - boxes[..., axis, None]).clamp(0, 1) * (boxes[..., axis + 2, None] - places).clamp(0, 1))
        for axis in (0, 1)
    )
    inside = in_y[..., :, None] * in_x[..., None, :]
    return inside[:, :, None] + NOISE * normal(generators, n, 1, SIDE, SIDE), boxes


def _network(layers: Convolutions, out: int) -> MapNetwork:
    first, *others = [layers(WIDTH if place else 1, WIDTH) for place in range(1 + len(RATES))]
    last = layers(WIDTH, out, 1)
    with torch.no_grad():  # It begins by saying that there is nothing, as Lin et al. 2017 have it.
        last.weight.mul_(0.1)
        last.bias.view(-1, 5)[:, 0] = RARE

    def found(x: Maps) -> Maps:
        x = activated(first(x, stride=STRIDE))
        for convolution, rate in zip(others, RATES, strict=True):
            x = activated(convolution(x, rate=rate))
        return last(x)

    return found


def _centre_losses(found: Float[Tensor, "n 5 h w"], boxes: Float[Tensor, "n 4"]) -> Tensor:
    """Of one seed, in its own count: centre, size and offset."""
    targets = centre_targets(boxes[:, None], _objects(boxes), CELLS, stride=STRIDE, widths=True)
    each = centre_loss(found[:, 0], targets) + size_loss(found[:, 1:3], targets) + offset_loss(found[:, 3:], targets)
    return each.mean()


def _surest_centre(found: Float[Tensor, "n 5 h w"]) -> Float[Tensor, "n 4"]:
    return _at_largest(found[:, 0], boxes_of_centres(found[:, 1:3], found[:, 3:], stride=STRIDE))


def _anchor_losses(found: Float[Tensor, "n c h w"], boxes: Float[Tensor, "n 4"]) -> Tensor:
    """Of one seed, in its own count: which anchors fit, and how they move."""
    targets, (logits, moves) = anchor_targets(_anchors(), boxes[:, None], _objects(boxes)), _by_anchor(found)
    return (focal_loss(logits, targets) + move_loss(moves, targets)).mean()


def _surest_anchor(found: Float[Tensor, "n c h w"]) -> Float[Tensor, "n 4"]:
    logits, moves = _by_anchor(found)
    return _at_largest(logits, moved_anchors(_anchors(), moves))


def _anchors() -> Float[Tensor, "a 4"]:
    device = torch.device("cpu")
    return laid_anchors(CELLS, stride=STRIDE, least_height=LOWEST, heights=HEIGHTS, aspect=1.0, device=device)


def _by_anchor(found: Float[Tensor, "n c h w"]) -> tuple[Float[Tensor, "n a"], Float[Tensor, "n a 4"]]:
    """In the order of anchors: cell by cell, from the lowest to the tallest."""
    each = found.permute(0, 2, 3, 1).reshape(len(found), -1, 5)
    return each[..., 0], each[..., 1:]


def _at_largest(scores: Tensor, boxes: Tensor) -> Float[Tensor, "n 4"]:
    place = scores.flatten(1).argmax(1)
    return boxes.reshape(len(scores), -1, 4)[torch.arange(len(scores)), place]


def _objects(boxes: Float[Tensor, "n 4"]) -> Tensor:
    return torch.full((len(boxes), 1), OBJECT)
