"""Contextual attention: a hole is filled with patches of what is around it, each weighed by how well it matches.

Yu et al. 2018, Generative Image Inpainting with Contextual Attention, section 4.1, https://arxiv.org/abs/1801.07892, as
in the code of Free-Form Image Inpainting (https://arxiv.org/abs/1806.03589): features are matched at half their size
by 3 x 3 patches, and pasted as patches of 4 x 4 at whole size.

The published form holds the scores of all places for all places at once, several times over. Here they are held for
``CHUNK`` numbers at a time, and in training once more on the way back: memory grows with the picture, not with its
square. The values are the same.
"""

from dataclasses import dataclass
from functools import lru_cache

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ganvas.nn.layers.operand_checks import need_pictures

CHUNK = 1 << 20  # Scores that are held at a time, about.
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # Of a pasted patch of 4 x 4 pixels, in cells of 2 x 2.
STEPS = (-1, 1)
FLOOR = 1e-4  # Of a patch's length, by which it is divided.


class ContextualAttention(nn.Module):
    """Every place's patch as a mean of known patches, by the softmax of their cosine-like scores; nothing to learn.

    Patches that touch the hole have the score 0 before the softmax and the weight 0 after it, as published: they take
    part in the sum of the softmax, so that weights of known ones add up to less than 1.

    Args:
        scale: Of scores before the softmax; the higher, the fewer patches take part.
        fuse: Whether neighbouring places are made to prefer neighbouring patches: scores are summed along the diagonal
            of three, in the order of rows and then of columns. The order runs on from one row's end to the next row's
            start, as published.
    """

    def __init__(self, *, scale: float = 10.0, fuse: bool = True) -> None:
        super().__init__()
        self.scale, self.fuse = scale, fuse

    def forward(self, x: Float[Tensor, "n c h w"], mask: Float[Tensor, "n 1 h w"]) -> Float[Tensor, "n c h w"]:
        """Features of the same shape; ``mask`` is 1 where they are known. Sides are even."""
        need_pictures(x)
        h, w = x.shape[2] // 2, x.shape[3] // 2
        patches = F.unfold(x[:, :, ::2, ::2], 3, padding=1)
        touched = F.unfold(1 - mask[:, :, ::2, ::2], 3, padding=1).sum(1)
        known = (touched == 0).to(x.dtype)[:, None]
        # A score is divided by the length of the known patch, not of the one that looks for it.
        unit = 1 / torch.linalg.vector_norm(patches, dim=1, keepdim=True).clamp_min(FLOOR)
        cells = F.pixel_unshuffle(F.pad(x, (1, 1, 1, 1)), 2)
        rows = max(1, CHUNK // (x.shape[0] * h * w * w))
        pasted = torch.zeros_like(cells)
        for first in range(0, h, rows):
            last = min(first + rows, h)
            given = (patches, unit, known, cells, (h, w), first, last)
            for (y, dx), made in zip(CORNERS, self._pasted(*given), strict=True):
                pasted[:, :, first + y : last + y, dx : dx + w] += made.unflatten(2, (last - first, w))
        return F.pixel_shuffle(pasted, 2)[:, :, 1:-1, 1:-1] / 4

    def _pasted(
        self,
        patches: Tensor,
        unit: Tensor,
        known: Tensor,
        cells: Tensor,
        size: tuple[int, int],
        first: int,
        last: int,
    ) -> list[Float[Tensor, "n c4 places"]]:
        """What the rows ``first`` to ``last`` of places paste into each corner of their patches, in cells of 2 x 2."""
        given = (patches, unit, known, cells, size, first, last)
        if torch.is_grad_enabled() and last - first < size[0]:
            made = checkpoint(self._attended, *given, use_reentrant=False)
            assert isinstance(made, list)
            return made
        return self._attended(*given)

    def _attended(
        self,
        patches: Tensor,
        unit: Tensor,
        known: Tensor,
        cells: Tensor,
        size: tuple[int, int],
        first: int,
        last: int,
    ) -> list[Float[Tensor, "n c4 places"]]:
        h, w = size
        if self.fuse:
            scores = _fused(patches, unit, size, _neighbours(size, first, last, patches.device))
        else:
            scores = (patches[:, :, first * w : last * w].transpose(1, 2) @ patches) * unit
        weights = torch.softmax(scores * (known * self.scale), 2) * known
        return [cells[:, :, y : y + h, x : x + w].flatten(2) @ weights.transpose(1, 2) for y, x in CORNERS]


@dataclass(frozen=True)
class _Neighbours:
    """Which scores some places need: of themselves, of their neighbours down the columns, and of those' along rows.

    Indices into the list before: ``wanted`` into all places, ``own`` and ``beside`` into ``wanted``, ``centre`` and
    ``around`` into those whose scores have been summed along rows. With each neighbour 1 where there is one, else 0.
    """

    wanted: Tensor
    own: Tensor
    beside: dict[int, tuple[Tensor, Tensor]]
    centre: Tensor
    around: dict[int, tuple[Tensor, Tensor]]


@lru_cache(maxsize=256)
def _neighbours(size: tuple[int, int], first: int, last: int, device: torch.device) -> _Neighbours:
    """Of the places in the rows ``first`` to ``last``; worked out on the CPU, once for each size."""
    h, w = size
    place = torch.arange(first * w, last * w)
    columns = place % w * h + place // w
    around = {step: _next_to(columns, step, h * w) for step in STEPS}
    in_rows = {step: near % h * w + near // h for step, (near, _) in around.items()}
    summed = torch.cat([place, *in_rows.values()]).unique()
    beside = {step: _next_to(summed, step, h * w) for step in STEPS}
    wanted = torch.cat([summed, *(near for near, _ in beside.values())]).unique()

    def found(values: Tensor, among: Tensor) -> Tensor:
        return torch.searchsorted(among, values).to(device)

    return _Neighbours(
        wanted=wanted.to(device),
        own=found(summed, wanted),
        beside={step: (found(near, wanted), there.to(device)) for step, (near, there) in beside.items()},
        centre=found(place, summed),
        around={step: (found(in_rows[step], summed), around[step][1].to(device)) for step in STEPS},
    )


def _fused(
    patches: Float[Tensor, "n c9 places"], unit: Float[Tensor, "n 1 places"], size: tuple[int, int], places: _Neighbours
) -> Float[Tensor, "n some places"]:
    """Scores of some places, summed along the diagonal in the order of rows and then in that of columns."""
    scores = (patches[:, :, places.wanted].transpose(1, 2) @ patches) * unit
    summed = scores[:, places.own]
    for step, (near, there) in places.beside.items():
        _add_shifted(summed, scores[:, near], there, step)
    total = summed[:, places.centre].unflatten(2, size)
    for step, (near, there) in places.around.items():
        _add_shifted_in_columns(total, summed[:, near].unflatten(2, size), there, step)
    return total.flatten(2)


def _next_to(place: Tensor, step: int, count: int) -> tuple[Tensor, Tensor]:
    """The place ``step`` further, and whether there is one."""
    near = place + step
    return near.clamp(0, count - 1), ((near >= 0) & (near < count))[:, None]


def _add_shifted(total: Tensor, scores: Tensor, there: Tensor, step: int) -> None:
    """Adds what stood ``step`` places further along the last axis, where there is such a place."""
    scores = scores * there
    if step > 0:
        total[..., :-1] += scores[..., 1:]
    else:
        total[..., 1:] += scores[..., :-1]


def _add_shifted_in_columns(total: Float[Tensor, "n p h w"], scores: Tensor, there: Tensor, step: int) -> None:
    """The same with places counted down the columns: from the foot of one to the head of the next."""
    scores = scores * there[..., None]
    if step > 0:
        total[:, :, :-1] += scores[:, :, 1:]
        total[:, :, -1, :-1] += scores[:, :, 0, 1:]
    else:
        total[:, :, 1:] += scores[:, :, :-1]
        total[:, :, 0, 1:] += scores[:, :, -1, :-1]
