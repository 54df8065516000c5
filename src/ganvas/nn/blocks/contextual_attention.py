"""Contextual attention: a hole is filled with patches of what is around it, each weighed by how well it matches.

Yu et al. 2018, Generative Image Inpainting with Contextual Attention, section 4.1, https://arxiv.org/abs/1801.07892, as
in the code of Free-Form Image Inpainting (https://arxiv.org/abs/1806.03589): features are matched at half their size
by 3 x 3 patches, and pasted as patches of 4 x 4 at whole size.

The published form holds the scores of all places for all places at once, several times over. Here they are held for
``CHUNK`` numbers at a time, and in training once more on the way back: memory grows with the picture, not with its
square. The values are the same.
"""

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

from ganvas.nn.layers.operand_checks import need_pictures

CHUNK = 1 << 20  # Scores that are held at a time, about.
CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))  # Of a pasted patch of 4 x 4 pixels, in cells of 2 x 2.
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
            scores = _fused(patches, unit, size, torch.arange(first * w, last * w, device=patches.device))
        else:
            scores = (patches[:, :, first * w : last * w].transpose(1, 2) @ patches) * unit
        weights = torch.softmax(scores * (known * self.scale), 2) * known
        return [cells[:, :, y : y + h, x : x + w].flatten(2) @ weights.transpose(1, 2) for y, x in CORNERS]


def _fused(
    patches: Float[Tensor, "n c9 places"], unit: Float[Tensor, "n 1 places"], size: tuple[int, int], place: Tensor
) -> Float[Tensor, "n some places"]:
    """Scores of some places, summed along the diagonal in the order of rows and then in that of columns."""
    h, w = size
    columns = place % w * h + place // w
    around = {step: _beside(columns, step, h * w) for step in (-1, 1)}
    in_rows = {step: near % h * w + near // h for step, (near, _) in around.items()}
    by_rows = torch.cat([place, *in_rows.values()]).unique()
    along = {step: _beside(by_rows, step, h * w) for step in (-1, 1)}
    wanted = torch.cat([by_rows, *(near for near, _ in along.values())]).unique()
    scores = (patches[:, :, wanted].transpose(1, 2) @ patches) * unit
    summed = scores[:, torch.searchsorted(wanted, by_rows)]
    for step, (near, there) in along.items():
        _add_shifted(summed, scores[:, torch.searchsorted(wanted, near)], there, step)
    total = summed[:, torch.searchsorted(by_rows, place)].unflatten(2, (h, w))
    for step, (_, there) in around.items():
        near = summed[:, torch.searchsorted(by_rows, in_rows[step])].unflatten(2, (h, w))
        _add_shifted_in_columns(total, near, there, step)
    return total.flatten(2)


def _beside(place: Tensor, step: int, count: int) -> tuple[Tensor, Tensor]:
    """The place ``step`` further, and 1 where there is one, else 0."""
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
