"""Pictures of any size through a network, in tiles, exactly: as if the whole picture had gone through at once.

A tile is a core, which is kept, and a halo around it, which is as wide as the network looks and is thrown away. Cores
begin at multiples of the network's stride, and nothing is made up but at the picture's own borders. So every value is
the sum of the same numbers as in the whole picture, and equal to it to the last bit wherever the kernels add them in
one order. (Overlapping tiles that are blended hide seams and do not remove them.)

How far a network looks is found by trying: pixels of a strip become nan from some column on, and what is still a number
has not looked there. Norms that take statistics over the picture are told those of the whole picture
(:mod:`ganvas.tasks.pictures.whole_statistics`); a network that looks everywhere runs whole, or is refused.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import numpy as np
import torch
from jaxtyping import UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.pixels import to_float
from ganvas.core.shapes import Bytes, Images
from ganvas.nn.layers.mirrored_border import mirrored_border
from ganvas.tasks.pictures.live_bytes import peak_bytes

Function = Callable[[Images], Tensor]  # Pictures (1, c, h, w) to values (1, k, h, w).
Finish = Callable[[Tensor], Bytes]  # Values to the bytes that are kept.
Pixels = UInt8[np.ndarray, "_ _ _"]  # Height, width, channels.

GIGABYTE = 1e9  # Bytes.
FARTHEST = 1024  # Pixels that are tried; a network that looks farther is taken to look everywhere.
THIN = 16  # Pixels across a strip, at least.
SCRATCH = 2.0  # Times the tensors that live at once: what convolutions need besides.


@dataclass(frozen=True, kw_only=True)
class Reach:
    """How far a network looks from a border that lies at a multiple of its stride."""

    stride: int
    halo: int | None  # Pixels, a multiple of the stride; None where it looks everywhere.
    bytes_per_pixel: float  # Of memory, while it runs.
    least: int = 1  # Strides of a side; smaller pictures go on mirrored.


@dataclass(frozen=True, kw_only=True)
class Tile:
    """What is read, and what of it is kept; rows and columns of the padded picture."""

    top: int
    bottom: int
    left: int
    right: int
    core_top: int
    core_bottom: int
    core_left: int
    core_right: int

    def inside(self, values: Tensor) -> Tensor:
        """The core of what the tile became, at any resolution whose step divides the stride."""
        tall = (self.bottom - self.top) // values.shape[-2]
        wide = (self.right - self.left) // values.shape[-1]
        rows = slice((self.core_top - self.top) // tall, (self.core_bottom - self.top) // tall)
        return values[..., rows, (self.core_left - self.left) // wide : (self.core_right - self.left) // wide]


@dataclass(frozen=True, kw_only=True)
class TilePlan:
    """How a picture is cut."""

    height: int  # Of the picture, mirrored on to multiples of the stride.
    width: int
    halo: int
    core: tuple[int, int]
    bytes: float = field(default=0.0)  # Of memory that the largest tile takes, about.

    def __iter__(self) -> Iterator[Tile]:
        tall, wide = self.core
        for y in range(0, self.height, tall):
            for x in range(0, self.width, wide):
                bottom, right = min(y + tall, self.height), min(x + wide, self.width)
                yield Tile(
                    top=max(y - self.halo, 0),
                    bottom=min(bottom + self.halo, self.height),
                    left=max(x - self.halo, 0),
                    right=min(right + self.halo, self.width),
                    core_top=y,
                    core_bottom=bottom,
                    core_left=x,
                    core_right=right,
                )

    def __len__(self) -> int:
        return -(-self.height // self.core[0]) * -(-self.width // self.core[1])


@torch.no_grad()
def reach_of(function: Function, *, channels: int, stride: int, device: torch.device) -> Reach:
    """How far a function of pictures looks, and what memory it takes.

    Args:
        function: Without statistics over the picture, or with those given.
        channels: Of a picture.
        stride: By whose multiples a picture may be shifted so that what it becomes shifts with it.
        device: Where it runs.
    """
    thin = -(-THIN // stride) * stride
    side = 4 * thin
    while True:
        halo = max(
            _looks(function, (channels, *size), axis=axis, stride=stride, device=device)
            for axis, size in ((2, (side, thin)), (3, (thin, side)))
        )
        if halo < side // 2 or side >= 2 * FARTHEST:
            break
        side *= 2
    per_pixel = bytes_per_pixel(function, channels=channels, side=max(thin, min(side, 128)), device=device)
    found = None if halo >= side // 2 else math.ceil(halo / stride) * stride
    return Reach(stride=stride, halo=found, bytes_per_pixel=per_pixel)


def bytes_per_pixel(function: Function, *, channels: int, side: int, device: torch.device) -> float:
    """The memory that a function of pictures takes, found on a small one."""
    probe = torch.zeros(1, channels, side, side, device=device)
    return SCRATCH * peak_bytes(lambda: function(probe)) / side**2


def _looks(function: Function, shape: tuple[int, int, int], *, axis: int, stride: int, device: torch.device) -> int:
    """The farthest that any value on one side of the middle looks into the other side, in pixels, both ways."""
    length = shape[axis - 1]
    middle = length // 2 // stride * stride
    found = 0
    for hidden in (slice(middle, None), slice(None, middle)):
        probe = torch.zeros(1, *shape, device=device)
        probe.movedim(axis, 0)[hidden] = torch.nan
        odd = function(probe).isnan().movedim(axis, 0).flatten(1).any(1)
        seen = torch.nonzero(odd).flatten()
        if not len(seen):
            continue
        far = middle - int(seen[0]) if hidden.start == middle else int(seen[-1]) + 1 - middle
        found = max(found, far)
    return found


def plan_tiles(size: tuple[int, int], reach: Reach, *, memory_bytes: float) -> TilePlan:
    """The largest tiles that memory allows.

    Args:
        size: Height and width of the picture.
        memory_bytes: What a tile may take.

    Raises:
        UserError: the network looks everywhere and the picture is too large, or memory is too small for any tile.
    """
    height, width = (max(math.ceil(side / reach.stride), reach.least) * reach.stride for side in size)
    whole = height * width * reach.bytes_per_pixel
    if whole <= memory_bytes:
        return TilePlan(height=height, width=width, halo=0, core=(height, width), bytes=whole)
    if reach.halo is None:
        raise UserError(
            f"A picture of {size[0]}x{size[1]} (height x width) would take about {whole / 1e9:.1f} GB, and this model "
            "looks at the whole picture at once, so it cannot be cut into tiles without changing what it makes. Give "
            f"--memory {math.ceil(whole / 1e9)} where there is so much, or make the picture smaller."
        )
    side = math.isqrt(int(memory_bytes / reach.bytes_per_pixel))
    core = (side - 2 * reach.halo) // reach.stride * reach.stride
    if core < reach.stride:
        least = (2 * reach.halo + reach.stride) ** 2 * reach.bytes_per_pixel
        raise UserError(
            f"--memory {memory_bytes / 1e9:g} is too little: the smallest tile, which sees {reach.halo} pixels around "
            f"its core, takes about {least / 1e9:.2f} GB. Give at least {math.ceil(least / 1e8) / 10:g}."
        )
    longest = (min(core, height), min(core, width))
    tall, wide = (min(side + 2 * reach.halo, of) for side, of in zip(longest, (height, width), strict=True))
    return TilePlan(
        height=height, width=width, halo=reach.halo, core=longest, bytes=tall * wide * reach.bytes_per_pixel
    )


@torch.no_grad()
def run_tiled(
    function: Function,
    pixels: Pixels,
    plan: TilePlan,
    finish: Finish,
    *,
    device: torch.device,
    done: Callable[[int], None] = lambda tiles: None,
) -> Pixels:
    """What a picture becomes, tile by tile.

    Args:
        function: Of pictures in [-1, 1].
        pixels: The picture as bytes.
        plan: How it is cut.
        finish: Makes bytes of the values of a tile's core.
        device: Where the function runs.
        done: Told how many tiles are finished.
    """
    height, width = pixels.shape[:2]
    made: np.ndarray | None = None
    for number, tile in enumerate(plan):
        kept = finish(tile.inside(function(read_tile(pixels, tile, device))))[0].permute(1, 2, 0).cpu().numpy()
        if made is None:
            made = np.empty((plan.height, plan.width, kept.shape[2]), np.uint8)
        made[tile.core_top : tile.core_bottom, tile.core_left : tile.core_right] = kept
        done(number + 1)
    assert made is not None
    return made[:height, :width]


def read_tile(pixels: Pixels, tile: Tile, device: torch.device) -> Images:
    """A tile (1, c, h, w) in [-1, 1]; beyond the picture's last row and column it goes on mirrored."""
    height, width = pixels.shape[:2]
    part = pixels[tile.top : min(tile.bottom, height), tile.left : min(tile.right, width)]
    image = torch.from_numpy(np.array(part)).permute(2, 0, 1)[None].to(device)
    beyond = {"bottom": max(tile.bottom - height, 0), "right": max(tile.right - width, 0)}
    return to_float(mirrored_border(image, **beyond))
