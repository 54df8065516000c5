"""Guides of training: what a person might have drawn of a picture, as a function of the picture and of its position."""

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.core.shapes import Images, OtherImages
from ganvas.data.holes.hole_laws import hole
from ganvas.nn.guides.canny import sketch
from ganvas.nn.guides.flat_colours import bilateral

WHOLE = 0.5  # How often colours are laid on everywhere, and not by some strokes alone.


def guide(images: Images, guides: Sequence[str], positions: Tensor, *, seed: int) -> OtherImages | None:
    """Channels as in :class:`ganvas.losses.capabilities.Fills`: Canny's edges, and bilateral colours where strokes are.

    Args:
        positions: Of the pictures in the order of the run.
    """
    planes = []
    if "sketch" in guides:
        planes.append(sketch(images))
    if "colour" in guides:
        present = _strokes(positions, (images.shape[2], images.shape[3]), seed=seed).to(images.device)
        planes += [bilateral(images) * present, present]
    return torch.cat(planes, 1) if planes else None


def _strokes(positions: Tensor, size: tuple[int, int], *, seed: int) -> Tensor:
    """1 where a colour is laid on: by strokes, or everywhere half of the time."""
    covers = []
    for position in positions.tolist():
        whole = float(torch.rand((), generator=stream(seed, "colours", position))) < WHOLE
        covers.append(np.ones(size, bool) if whole else hole("strokes", *size, seed + 1, position))
    return torch.from_numpy(np.stack(covers))[:, None].float()
