"""A model's fillings of pictures of any size, in bounded memory.

A model that looks no farther than some way fills a large picture in tiles, exactly
(:mod:`ganvas.tasks.pictures.tiling`); tiles without a hole are not gone through. One that looks everywhere sees a
window around the hole, which is another result than that of the whole picture, and is said; what does not fit into
memory is refused.
"""

import math
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float, UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_bytes
from ganvas.core.progress import say
from ganvas.core.shapes import Images, OtherImages
from ganvas.data.holes.strokes import Drawn
from ganvas.losses.capabilities import Fills, Shifts
from ganvas.tasks.pictures.tiling import GIGABYTE, Reach, TilePlan, bytes_per_pixel, plan_tiles, reach_of, read_tile

Pixels = UInt8[np.ndarray, "h w c"]
WHOLE_PIXELS = 1 << 20  # Of a picture that a model sees whole without a look at its memory.
CONTEXT = 256  # Pixels around the hole that a model which looks everywhere sees of a larger one.
PROBE = 128  # Pixels of the side of a picture that its memory is found on.


@dataclass(kw_only=True)
class HoleFiller:
    """Fills holes in pictures, one after the other.

    Args:
        model: In evaluation mode.
        channels: Of a picture: grey or RGB.
        context: Pixels around the hole that the model sees; 0 is the whole picture, None as much as is right for it.
        memory_gb: What one tile or window may take, in gigabytes.
        device: Where the model is.
    """

    model: Fills
    channels: int
    context: int | None
    memory_gb: float
    device: torch.device
    _reach: Reach | None = None

    @torch.no_grad()
    def __call__(self, pixels: Pixels, drawn: Drawn, *, seed: int) -> Pixels:
        """The picture (h, w, c), upright, with its hole filled in; every other pixel as it was.

        Raises:
            UserError: what the model has to see at once does not fit into memory.
        """
        rows, columns = window(drawn.hole, self._context(drawn.hole.shape))
        part, hole = _planes(pixels, drawn)[rows, columns], drawn.hole[rows, columns]
        plan = self._plan(hole.shape, pixels.shape[:2])
        noise = torch.randn(1, 1, plan.height, plan.width, generator=torch.Generator().manual_seed(seed))
        whole = pixels.copy()
        made = whole[rows, columns]
        for tile in plan:
            core = (slice(tile.core_top, tile.core_bottom), slice(tile.core_left, tile.core_right))
            inside = hole[core]
            if inside.any():
                images, mask, guide = self._given(read_tile(part, tile, self.device))
                own = noise[..., tile.top : tile.bottom, tile.left : tile.right].to(self.device)
                values = tile.inside(self.model.fill(images, mask, guide=guide, noise=own))
                kept = to_bytes(values)[0].permute(1, 2, 0).cpu().numpy()
                made[core][inside] = kept[: inside.shape[0], : inside.shape[1]][inside]
        return whole

    @property
    def reach(self) -> Reach:
        """How far the model looks, and the memory that it takes; found once."""
        if self._reach is None:
            stride = self.model.stride
            if isinstance(self.model, Shifts):
                self._reach = reach_of(
                    self._beside_nan, channels=self.channels, stride=self.model.tile_stride, device=self.device
                )
            else:
                side = math.ceil(PROBE / stride) * stride
                taken = bytes_per_pixel(self._beside_nan, channels=self.channels, side=side, device=self.device)
                self._reach = Reach(stride=stride, halo=None, bytes_per_pixel=taken)
        return self._reach

    def _context(self, size: tuple[int, ...]) -> int:
        """0 where the whole picture is gone through."""
        if self.context is not None:
            return self.context
        return 0 if math.prod(size) <= WHOLE_PIXELS or self.reach.halo is not None else CONTEXT

    def _plan(self, seen: tuple[int, ...], size: tuple[int, ...]) -> TilePlan:
        """How what is seen is cut, where it is more than a megapixel; says so."""
        height, width = seen
        stride = self.model.stride
        if math.prod(seen) <= WHOLE_PIXELS and math.prod(size) <= WHOLE_PIXELS:
            tall, wide = (math.ceil(side / stride) * stride for side in seen)
            return TilePlan(height=tall, width=wide, halo=0, core=(tall, wide))
        taken = height * width * self.reach.bytes_per_pixel
        if self.reach.halo is None and taken > self.memory_gb * GIGABYTE:
            raise UserError(
                f"The model would have to see {height}x{width} (height x width) of this picture at once, which takes "
                f"about {taken / GIGABYTE:.1f} GB. It looks at all of it, so that tiles would change what it makes. "
                f"Give --memory {math.ceil(taken / GIGABYTE)} where there is so much, a smaller --context, or masks of "
                "parts of the hole one after the other."
            )
        plan = plan_tiles((height, width), self.reach, memory_bytes=self.memory_gb * GIGABYTE)
        say(
            f"Of a picture of {size[0]}x{size[1]} (height x width) "
            + (f"the model sees {height}x{width} around the hole" if seen != size else "the model sees all")
            + (f", in {len(plan)} tiles with {plan.halo} pixels around each" if len(plan) > 1 else "")
            + f": about {plan.bytes / GIGABYTE:.1f} GB at once."
        )
        return plan

    def _given(self, planes: Float[Tensor, "n planes h w"]) -> tuple[Images, Tensor, OtherImages | None]:
        """Picture, mask and guide of a tile."""
        images, marks, colour = planes.split([self.channels, 3, self.channels], 1)
        hole, sketch, coloured = (marks > 0).float().split(1, 1)
        guide: list[Tensor] = []
        if "sketch" in self.model.guides:
            guide.append(sketch)
        if "colour" in self.model.guides:
            guide += [colour * coloured, coloured]
        return images, 1 - hole, torch.cat(guide, 1) if guide else None

    def _beside_nan(self, images: Images) -> Images:
        """Fillings of holes that are wherever pictures are numbers: what has looked at known pixels, which are not, is
        not a number either."""
        return self.model.fill(images, images[:, :1].isnan().float())


def window(hole: Bool[np.ndarray, "h w"], context: int) -> tuple[slice, slice]:
    """The rows and columns that the model sees: the hole's own and ``context`` more on each side; 0 is everything."""
    if not context:
        return slice(0, hole.shape[0]), slice(0, hole.shape[1])
    found = []
    for axis, size in ((1, hole.shape[0]), (0, hole.shape[1])):
        places = np.flatnonzero(hole.any(axis))
        found.append(slice(max(int(places[0]) - context, 0), min(int(places[-1]) + 1 + context, size)))
    return found[0], found[1]


def _planes(pixels: Pixels, drawn: Drawn) -> UInt8[np.ndarray, "h w planes"]:
    """The picture, where it is to be filled in, drawn upon and coloured (255, else 0), and the colours."""
    colour = drawn.colour
    if pixels.shape[2] == 1:
        colour = colour.mean(2, keepdims=True).round().astype(np.uint8)
    marks = [(plane[..., None] * 255).astype(np.uint8) for plane in (drawn.hole, drawn.sketch, drawn.coloured)]
    return np.concatenate([pixels, *marks, colour], 2)
