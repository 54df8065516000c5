"""Sizes of pictures that are reached by doubling a small first one."""

import math
from collections.abc import Iterator

from ganvas.core.errors import UserError

SMALLEST = 4  # Shorter side of the smallest first resolution.
BASES = (4, 5, 6, 7, 9, 11, 13, 15)  # Shorter sides of first resolutions: an even one from 8 on is halved once more.


def doublings(resolution: int) -> int:
    """How often the first resolution is doubled on the way to a nominal one.

    >>> doublings(4), doublings(32)
    (0, 3)

    Raises:
        UserError: ``resolution`` is not 4 * 2^k.
    """
    times = math.log2(resolution / SMALLEST) if resolution > 0 else -1.0
    if times < 0 or times != int(times):
        below = SMALLEST << max(int(times), 0)
        raise UserError(
            f"resolution={resolution} cannot be reached from {SMALLEST} by doubling. "
            f"The nearest sizes that can are {below} and {below * 2}."
        )
    return int(times)


def doubled_size(
    height: int, width: int, resolution: int | None = None, *, at_most: int | None = None
) -> tuple[tuple[int, int], int]:
    """The first resolution's (height, width) and the nominal resolution 4 * 2^k that lead to a picture.

    The result is the largest picture of nearly the same shape that is not larger than the one given; k doublings of
    the base. Where ``resolution`` is given it is kept, and only the base is chosen: the one whose shape is
    nearest, and of those the smallest. ``at_most`` bounds the shorter side, in pixels.

    >>> doubled_size(32, 32), doubled_size(64, 96), doubled_size(28, 28), doubled_size(48, 64)
    (((4, 4), 32), ((4, 6), 64), ((7, 7), 16), ((6, 8), 32))
    >>> doubled_size(72, 72), doubled_size(28, 28, at_most=32), doubled_size(72, 72, at_most=32)
    (((9, 9), 32), ((7, 7), 16), ((4, 4), 32))
    >>> doubled_size(128, 128, resolution=64), doubled_size(100, 150), doubled_size(64, 48, resolution=32)
    (((4, 4), 64), ((6, 9), 64), ((8, 6), 32))
    """
    if resolution is not None:
        aspect = max(height, width) / min(height, width)
        side = min(range(SMALLEST, 2 * SMALLEST), key=lambda side: (abs(round(side * aspect) / side - aspect), side))
        other = round(side * aspect)
        return ((side, other) if height <= width else (other, side)), resolution
    if at_most is not None and min(height, width) > at_most:
        height, width = (max(round(side * at_most / min(height, width)), 1) for side in (height, width))
    if min(height, width) < SMALLEST:
        return (min(height, SMALLEST), min(width, SMALLEST)), SMALLEST
    base, doublings = max(_ways(height, width), key=lambda way: (_area(way), way[1]))
    return base, SMALLEST << doublings


def _ways(height: int, width: int) -> Iterator[tuple[tuple[int, int], int]]:
    short, long = min(height, width), max(height, width)
    for side in BASES:
        doublings = int(math.log2(short / side)) if short >= side else -1
        if doublings >= (0 if side < 2 * SMALLEST else 2):  # A small picture has more stages from a small base.
            other = min(round(side * long / short), long >> doublings)
            yield ((side, other) if height <= width else (other, side)), doublings


def _area(way: tuple[tuple[int, int], int]) -> int:
    (height, width), doublings = way
    return (height << doublings) * (width << doublings)
