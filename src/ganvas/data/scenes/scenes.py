"""Scenes: procedural pictures of landscapes with exact masks, labels and factors. The built-in data set.

It needs no download, has any size, and knows the truth that photographs hide: which pixel shows what, and every number
that made the picture. A picture is a pure function of (seed, index): the same bytes alone or in a batch, in any order
and on any machine.

What a mask says: the topmost thing that covers at least half of the pixel, by the same coverage that blends the colours
(antialiasing). Shadows, stars, foam and reflections are light on something and own no pixel.
"""

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from jaxtyping import Int64, UInt8

from ganvas.core.errors import UserError, did_you_mean
from ganvas.data.scenes.backdrop import paint_backdrop
from ganvas.data.scenes.canvas import Canvas
from ganvas.data.scenes.factors import KINDS, LANDSCAPES, OBJECTS, TIMES, Factors, draw
from ganvas.data.scenes.paints import Palette
from ganvas.data.scenes.things import paint_things

CLASS_NAMES: Final[tuple[str, ...]] = LANDSCAPES
MASK_NAMES: Final[tuple[str, ...]] = (
    "sky",
    "sun",
    "moon",
    "cloud",
    "mountain",
    "grass",
    "sand",
    "snow",
    "water",
    "tree",
    "house",
    "bush",
    "rock",
    "cactus",
    "boat",
)
SMALLEST_SIDE = 4
CHUNK_PIXELS = 1 << 19  # Painted at once: large enough to drown numpy's overhead, small enough for the cache.

Pictures = UInt8[np.ndarray, "n h w 3"]
Masks = UInt8[np.ndarray, "n h w"]
Labels = Int64[np.ndarray, " n"]


@dataclass(frozen=True)
class Scene:
    """One picture and the truth about it."""

    image: UInt8[np.ndarray, "h w 3"]
    mask: UInt8[np.ndarray, "h w"]  # Positions in MASK_NAMES.
    label: int  # Position in CLASS_NAMES.
    factors: dict[str, float]  # Every number that made it; :func:`render` makes it again.


class Scenes:
    """``count`` scenes of one size and seed.

    Args:
        height: Rows of a picture, at least 4.
        width: Columns of a picture, at least 4.
        count: How many pictures there are; picture k is the same whatever the count.
        seed: Another seed gives other pictures.
        time: "day", "dusk" or "night" for all; None draws it. The other factors stay, so that picture k by day and
            picture k by night are one place.

    >>> scenes = Scenes(32, 48, seed=1)
    >>> scene = scenes.picture(7)
    >>> scene.image.shape, scene.mask.shape, CLASS_NAMES[scene.label]
    ((32, 48, 3), (32, 48), 'meadow')
    """

    def __init__(
        self, height: int = 32, width: int = 32, *, count: int = 20000, seed: int = 0, time: str | None = None
    ) -> None:
        _require_size(height, width)
        if time is not None and time not in TIMES:
            raise UserError(f"time={time} is not a choice.{did_you_mean(time, TIMES)} Choices: {', '.join(TIMES)}.")
        if count < 1:
            raise UserError(f"count={count} scenes cannot be made. Ask for at least one.")
        self.height, self.width, self.count, self.seed, self.time = height, width, count, seed, time

    def __len__(self) -> int:
        return self.count

    def __getitem__(self, index: int) -> Scene:
        return self.picture(index)

    def picture(self, index: int) -> Scene:
        """One scene.

        Raises:
            IndexError: there is no such picture (so that a ``for`` loop ends).
        """
        if not 0 <= index < self.count:
            raise IndexError(f"There is no picture {index}: the {self.count} scenes are numbered from 0.")
        factors = self.factors(np.array([index]))
        images, masks = _paint(factors, self.height, self.width)
        plain = {name: float(values[0]) for name, values in factors.items()}
        return Scene(images[0], masks[0], int(plain["landscape"]), plain)

    def pictures(self, start: int, stop: int) -> tuple[Pictures, Masks, Labels]:
        """Images, masks and labels of the pictures ``start`` to ``stop - 1``."""
        if not 0 <= start <= stop <= self.count:
            raise UserError(
                f"Pictures {start} to {stop} are not among the {self.count} scenes. "
                f"Ask for 0 <= start <= stop <= {self.count}, or make Scenes with a larger count."
            )
        return self.select(np.arange(start, stop))

    def select(self, indices: Int64[np.ndarray, " n"]) -> tuple[Pictures, Masks, Labels]:
        """Images, masks and labels of any pictures, in the order asked for."""
        if len(indices) and not (indices.min() >= 0 and indices.max() < self.count):
            raise UserError(
                f"Pictures {indices.min()} to {indices.max()} are not all among the {self.count} scenes. "
                f"They are numbered from 0 to {self.count - 1}."
            )
        images = np.empty((len(indices), self.height, self.width, 3), np.uint8)
        masks = np.empty((len(indices), self.height, self.width), np.uint8)
        labels = np.empty(len(indices), np.int64)
        for part in _chunks(len(indices), self.height * self.width):
            factors = self.factors(indices[part])
            images[part], masks[part] = _paint(factors, self.height, self.width)
            labels[part] = factors["landscape"].astype(np.int64)
        return images, masks, labels

    def factors(self, indices: Int64[np.ndarray, " n"]) -> dict[str, np.ndarray]:
        """The factors of any pictures, one column each, without painting them."""
        factors = draw(self.seed, indices)
        if self.time is None:
            return factors
        return factors | {"time": np.full(len(indices), TIMES.index(self.time), np.float32)}


def render(factors: Mapping[str, float], height: int, width: int) -> Scene:
    """The scene of given factors: change one number of a scene and see what becomes of it.

    >>> scene = Scenes().picture(3)
    >>> night = render(scene.factors | {"time": 2}, 32, 32)
    """
    _require_size(height, width)
    _require_factors(factors)
    columns = {name: np.array([value], dtype=np.float32) for name, value in factors.items()}
    images, masks = _paint(columns, height, width)
    return Scene(images[0], masks[0], int(columns["landscape"][0]), dict(factors))


def paint(factors: Factors, height: int, width: int) -> tuple[Pictures, Masks]:
    """Images and masks of columns of factors, as :meth:`Scenes.factors` gives them: change a column and see.

    >>> scenes = Scenes(16, 16)
    >>> factors = scenes.factors(np.arange(4))
    >>> nights, masks = paint(factors | {"time": np.full(4, 2, np.float32)}, 16, 16)
    """
    _require_size(height, width)
    count = len(factors["landscape"])
    images, masks = np.empty((count, height, width, 3), np.uint8), np.empty((count, height, width), np.uint8)
    for part in _chunks(count, height * width):
        own = {name: values[part] for name, values in factors.items()}
        images[part], masks[part] = _paint(own, height, width)
    return images, masks


def _paint(factors: Factors, height: int, width: int) -> tuple[Pictures, Masks]:
    canvas = Canvas(len(factors["landscape"]), height, width)
    palette = Palette(factors)
    numbers = {name: number for number, name in enumerate(MASK_NAMES)}
    paint_backdrop(canvas, factors, palette, numbers)
    paint_things(canvas, factors, palette, numbers)
    return canvas.to_bytes(), canvas.mask


def _chunks(n: int, pixels: int) -> Iterator[slice]:
    """Parts of n pictures that are painted together."""
    step = max(CHUNK_PIXELS // pixels, 1)
    for start in range(0, n, step):
        yield slice(start, min(start + step, n))


def _require_size(height: int, width: int) -> None:
    if min(height, width) < SMALLEST_SIDE:
        raise UserError(
            f"Scenes of {height}x{width} pixels would show nothing. Each side needs at least {SMALLEST_SIDE} pixels."
        )


def _require_factors(factors: Mapping[str, float]) -> None:
    known = draw(0, np.array([0]))
    unknown, missing = sorted(set(factors) - set(known)), sorted(set(known) - set(factors))
    if unknown:
        raise UserError(f"There is no factor '{unknown[0]}'.{did_you_mean(unknown[0], known)}")
    if missing:
        raise UserError(f"The factor '{missing[0]}' is missing. Start from the factors of a scene and change some.")
    choices = {"landscape": LANDSCAPES, "time": TIMES} | {f"object{k}_kind": KINDS for k in range(OBJECTS)}
    for name, value in factors.items():
        if name in choices and value not in range(len(choices[name])):
            listed = ", ".join(f"{number} {choice}" for number, choice in enumerate(choices[name]))
            raise UserError(f"{name}={value} is not a choice. Choices: {listed}.")
        if not math.isfinite(value):
            raise UserError(f"{name}={value} is not a finite number.")
        if value <= 0 and name.endswith(("_size", "_width", "ridge0_height", "ridge1_height", "ridge2_height")):
            raise UserError(f"{name}={value} is not a size. It must be above 0.")
    if not 0 < factors["horizon"] < 1:
        raise UserError(f"horizon={factors['horizon']} is outside the picture. It must lie between 0 and 1.")
