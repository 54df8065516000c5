"""Laws of holes: at which places pictures are to be filled in during training, as a function of a random stream.

- ``free-form``: brush strokes and a rectangle, after Yu et al. 2019 (https://arxiv.org/abs/1806.03589), mirrored each
  way half of the time.
- ``deepfill``: the same as the authors' code draws it. Both angles of its strokes point to the right, and the mirroring
  that would make up for it is computed and thrown away: the left third of a picture is masked half as often as the
  others.
- ``strokes``: the strokes of ``free-form`` alone.
- ``rectangles``: one rectangle of a quarter to a half of each side.

Widths and lengths of strokes are those of the code for 256 x 256 pixels, in proportion to the shorter side.

Departs from the code in all laws: strokes are exact capsules (:mod:`ganvas.data.holes.capsules`), and their vertices
are rounded to a 64th of a pixel, where the code takes whole pixels and the lines of a drawing library.
"""

import math
from collections.abc import Callable, Mapping
from typing import get_args

import numpy as np
from jaxtyping import Bool

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.hole_law import HoleLaw
from ganvas.data.holes.capsules import Cover, cover_rectangle, cover_stroke

SIDE = 256  # Pixels that the code's widths are for.
STROKES = (1, 3)  # Least and most strokes of a hole.
VERTICES = (4, 11)  # Steps of a stroke from vertex to vertex.
WIDTHS = (12.0, 40.0)  # Of a brush, in pixels of SIDE.
MEAN_ANGLE, ANGLE_RANGE = 2 * math.pi / 5, 2 * math.pi / 15
BOX, BOX_DELTA = 128, 32  # Side of the rectangle in pixels of SIDE, and how much of it may be taken off.
GRAIN = 64  # Vertices lie on a lattice of so many points to a pixel: a sine's last digit moves no pixel then.


def hole(law: HoleLaw, height: int, width: int, seed: int, position: int) -> Cover:
    """The hole of the picture at ``position`` in the order of a run: true where it is to be filled in."""
    rng = np.random.default_rng(derive_seed(seed, "hole", position))
    return LAWS[law](height, width, rng)


def known_law(name: str) -> HoleLaw:
    """The law of this name.

    Raises:
        UserError: there is none.
    """
    for law in get_args(HoleLaw):
        if law == name:
            return law
    known = get_args(HoleLaw)
    raise UserError(f"holes={name} is not a law of holes.{did_you_mean(name, known)} Laws: {', '.join(known)}.")


def _free_form(height: int, width: int, rng: np.random.Generator) -> Cover:
    cover = _strokes(height, width, rng)
    return cover | _published_rectangle(height, width, rng)


def _strokes(height: int, width: int, rng: np.random.Generator) -> Cover:
    cover = _brushed(height, width, rng)
    flips = rng.random(2) < 0.5
    cover = cover[:, ::-1] if flips[0] else cover
    return np.ascontiguousarray(cover[::-1] if flips[1] else cover)


def _published(height: int, width: int, rng: np.random.Generator) -> Cover:
    return _brushed(height, width, rng) | _published_rectangle(height, width, rng)


def _brushed(height: int, width: int, rng: np.random.Generator) -> Cover:
    cover = np.zeros((height, width), bool)
    scale = min(height, width) / SIDE
    for _ in range(rng.integers(STROKES[0], STROKES[1] + 1)):
        points = _wandering(height, width, rng)
        cover_stroke(cover, points, scale * rng.uniform(*WIDTHS))
    return cover


def _wandering(height: int, width: int, rng: np.random.Generator) -> list[tuple[float, float]]:
    """Vertices of one stroke: up and down in turn, always to the right, in steps of an eighth of the diagonal."""
    count = int(rng.integers(VERTICES[0], VERTICES[1] + 1))
    low, high = MEAN_ANGLE - rng.uniform(0, ANGLE_RANGE), MEAN_ANGLE + rng.uniform(0, ANGLE_RANGE)
    mean = math.hypot(height, width) / 8
    x, y = rng.uniform(0, width), rng.uniform(0, height)
    points = [(_on_lattice(x), _on_lattice(y))]
    for step in range(count):
        angle = rng.uniform(low, high) * (-1 if step % 2 == 0 else 1)
        length = float(np.clip(rng.normal(mean, mean / 2), 0, 2 * mean))
        x = float(np.clip(x + length * math.cos(angle), 0, width))
        y = float(np.clip(y + length * math.sin(angle), 0, height))
        points.append((_on_lattice(x), _on_lattice(y)))
    return points


def _published_rectangle(height: int, width: int, rng: np.random.Generator) -> Cover:
    """Of half a side less 0 to an eighth each way, at any place where half a side fits."""
    cover = np.zeros((height, width), bool)
    (tall, top), (wide, left) = (_extent(side, rng) for side in (height, width))
    cover_rectangle(cover, left, top, wide, tall)
    return cover


def _extent(side: int, rng: np.random.Generator) -> tuple[int, int]:
    """Length and start along one side."""
    whole = side * BOX // SIDE
    off = int(rng.integers(side * BOX_DELTA // SIDE // 2 + 1))
    start = int(rng.integers(max(side - whole, 1))) + off
    return max(whole - 2 * off, 1), start


def _rectangle(height: int, width: int, rng: np.random.Generator) -> Cover:
    cover = np.zeros((height, width), bool)
    tall, wide = (max(1, round(side * rng.uniform(0.25, 0.5))) for side in (height, width))
    top, left = int(rng.integers(height - tall + 1)), int(rng.integers(width - wide + 1))
    cover_rectangle(cover, left, top, wide, tall)
    return cover


def _on_lattice(value: float) -> float:
    return round(value * GRAIN) / GRAIN


LAWS: Mapping[HoleLaw, Callable[[int, int, np.random.Generator], Bool[np.ndarray, "h w"]]] = {
    "free-form": _free_form,
    "deepfill": _published,
    "strokes": _strokes,
    "rectangles": _rectangle,
}
