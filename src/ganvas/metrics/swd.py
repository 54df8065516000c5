"""Sliced Wasserstein distance between Laplacian patches: how unlike two sets of pictures are, scale by scale.

Karras et al. 2018, Progressive Growing of GANs, section 5 and appendix. https://arxiv.org/abs/1710.10196

Every picture becomes a Laplacian pyramid; from each level come 128 patches of 7 x 7 pixels at random places. The
patches of a set are normalised channel by channel by that set's own mean and deviation, and compared along 4 x 128
random directions by W1, the mean distance between sorted projections, times 1000. Low at a level: the two sets have
the same variety and appearance at that scale ("swd.32" sees detail of 32-pixel pictures, "swd.16" the overall
layout). It needs no network, so it holds for any kind of picture.

The value is biased upwards: two draws of one distribution do not score 0 but a floor that shrinks as 1/sqrt(n). Read
a value beside its floor, and compare only values of the same n.

Standard error: infinitesimal jackknife over pictures (all patches and levels of a picture move together, its effect on
the normalisation included) and, in quadrature, the spread over directions; see
:mod:`ganvas.metrics.maths.distances.sliced_wasserstein`. It is of the value at this n, floor included, and errs to the
large side near the floor.

Departs from the paper: the place of a patch is a function of (seed, index of the picture), so that batches and ranks
change nothing, and it is the same for the i-th picture of either set, so that a set compared with itself gives exactly
0; every size from 7 pixels up, square or not, grey or with alpha, is taken; a channel without any variation is left at
scale 1 where it would be divided by 0.

Memory: 4 * 49 * channels * patches bytes per picture and level (75 kB in colour: 1.2 GB a level for 16,384 pictures),
in temporary files from 1 GiB per set on, and 256 MiB of work.
"""

import functools
from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import tracked
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.core.shapes import Images
from ganvas.metrics.accumulators.metric_contract import Stats, require_pair
from ganvas.metrics.maths.distances import sliced_wasserstein
from ganvas.metrics.maths.distances.sliced_wasserstein import Cloud, Influence
from ganvas.nn.laplacian_pyramid import laplacian_pyramid

NAME = "swd"
TITLE = "Sliced Wasserstein distance"
BETTER = "lower"
SEES = "pixels"
MINIMUM = 16

SIDE = 7  # Of a patch, pixels.
COARSEST = 16  # The shorter side of the last level is not below this.
BLOCK = 256  # Pictures whose patches are placed by one random stream.
CHUNK = 32  # Pictures cut at a time, so that their patches stay in the processor's cache.
CENTRE = 128.0  # Subtracted before anything else, for precision; the normalisation takes out any constant.
FLAT = 1e-4  # Grey levels. A deviation below this is rounding.
ERROR_METHOD = "infinitesimal jackknife over pictures, and spread over directions"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value. The defaults are the paper's; fewer are faster and noisier."""

    patches: int = 128  # Per picture and level.
    directions: int = 512  # Per level.

    def __post_init__(self) -> None:
        if self.patches < 1 or self.directions < 1:
            raise UserError(f"patches={self.patches} and directions={self.directions} must be at least 1.")


TINY = Config(patches=16, directions=12)


def levels(height: int, width: int) -> list[int]:
    """Names of the pyramid's levels: the shorter side of each, halved while both are even and it stays at least 16.

    >>> levels(128, 128), levels(48, 64), levels(100, 100), levels(33, 40), levels(8, 8)
    ([128, 64, 32, 16], [48, 24], [100, 50, 25], [33], [8])
    """
    names = [min(height, width)]
    while height % 2 == 0 and width % 2 == 0 and names[-1] // 2 >= COARSEST:
        height, width = height // 2, width // 2
        names.append(min(height, width))
    return names


class Accumulator(Stats):
    """The patches of one set: a table per level, (pictures, patches, 49 c) float32, and each picture's moments."""

    Config = Config

    def _add(self, rows: Tensor, index: Tensor) -> None:
        height, width = rows.shape[2:]
        if min(height, width) < SIDE:
            raise UserError(f"Pictures of {height}x{width} pixels are too small for {TITLE}: {SIDE} pixels at least.")
        for few in torch.arange(len(rows)).split(CHUNK):
            self._add_few(rows[few], index[few])

    def _add_few(self, rows: Tensor, index: Tensor) -> None:
        names = levels(*rows.shape[2:])
        pyramid = laplacian_pyramid(rows.float() - CENTRE, len(names))
        for name, level in zip(names, pyramid, strict=True):
            taken = cut(level, self._places(index, name, level.shape[2], level.shape[3]))
            moments = torch.stack([taken.mean(1), taken.square().mean(1)], 1)
            self._append(f"patches.{name}", taken)
            self._append(f"moments.{name}", moments.double().unflatten(2, (-1, SIDE * SIDE)).mean(3))

    def _places(self, index: Tensor, level: int, height: int, width: int) -> Int[Tensor, "n p 2"]:
        blocks = {
            int(block): _block_of_places(self.seed, level, int(block), self.config.patches, height, width)
            for block in (index // BLOCK).unique()
        }
        return torch.stack([blocks[i // BLOCK][i % BLOCK] for i in index.tolist()])


def cut(level: Images, places: Int[Tensor, "n p 2"]) -> Float[Tensor, "n p d"]:
    """Patches of 7 x 7 with their upper left corner at ``places`` (y, x), each as a row of c * 49 values."""
    n, channels, height, width = level.shape
    pixels = level.reshape(-1)
    runs = pixels.as_strided((len(pixels) - SIDE + 1, SIDE), (1, 1))  # Every 7 pixels in a row, copied as one.
    plane, row = torch.meshgrid(torch.arange(channels), torch.arange(SIDE), indexing="ij")
    within = (plane * height + row).flatten() * width
    corner = torch.arange(n)[:, None] * (channels * height * width) + places[..., 0] * width + places[..., 1]
    return runs.index_select(0, (corner[..., None] + within).flatten()).view(n, places.shape[1], -1)


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The distance at every level ("swd.32", finest first), and their mean ("swd"), all times 1000."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    _, height, width = real.shape or (0, 0, 0)
    names = levels(height, width)
    found = [_level(real, fake, name) for name in tracked(names, NAME, total=len(names), unit="levels", quiet=quiet)]
    mean = float(np.mean([level.value for level in found]))
    return [
        _result(real, "swd", mean, _error(found)),
        *(_result(real, f"swd.{name}", level.value, _error([level])) for name, level in zip(names, found, strict=True)),
    ]


@dataclass(frozen=True, kw_only=True)
class _Level:
    """What one level says: its distance, who moved it, and how unlike the directions are."""

    value: float
    influences: tuple[np.ndarray, np.ndarray]  # Of generated and (to be subtracted) of real pictures, each (2, n).
    explained: int
    directions: np.ndarray  # Distance along each.


def _level(real: Accumulator, fake: Accumulator, name: int) -> _Level:
    fakes, reals = _cloud(fake, name), _cloud(real, name)
    dimensions = len(reals.mean)
    directions = sliced_wasserstein.unit_directions(
        real.config.directions, dimensions, NAME, "directions", name, seed=real.seed
    )
    slices = sliced_wasserstein.wasserstein(fakes, reals, directions)
    return _Level(
        value=1000 * float(slices.distances.mean()),
        influences=(1000 * _influence(fake, name, slices.fake), 1000 * _influence(real, name, slices.real)),
        explained=slices.explained,
        directions=1000 * slices.distances,
    )


def _cloud(side: Accumulator, name: int) -> Cloud:
    """The patches of a level with their normalisation: per set and channel, over patches and pixels."""
    mean, deviation = _normalisation(side, name)
    return Cloud(
        slabs=side.tables[f"patches.{name}"].slabs,
        mean=mean.repeat_interleave(SIDE * SIDE),
        scale=deviation.repeat_interleave(SIDE * SIDE),
        pictures=side.n,
        patches=side.config.patches,
    )


def _normalisation(side: Accumulator, name: int) -> tuple[Float[Tensor, " c"], Float[Tensor, " c"]]:
    mean, square = side.tables[f"moments.{name}"].all().mean(0)
    deviation = (square - mean.square()).clamp_min(0).sqrt()
    return mean, torch.where(deviation < FLAT, torch.ones_like(deviation), deviation)


def _influence(side: Accumulator, name: int, influence: Influence) -> np.ndarray:
    """Per picture: the potential, and what its share in the set's mean and deviation does to all projections.

    With ``p = u . (x - m) / s`` a picture moves ``m`` by its own normalised mean and ``s`` by half its own normalised
    variance less one, in units of ``s``.
    """
    mean, scale = (part.numpy() for part in _normalisation(side, name))
    own_mean, own_square = side.tables[f"moments.{name}"].all().numpy().transpose(1, 0, 2)
    shift = (own_mean - mean) / scale
    growth = (own_square - 2 * mean * own_mean + mean**2) / scale**2 - 1
    slope, stretch = (part.reshape(2, -1, SIDE * SIDE).sum(2) for part in (influence.slope, influence.stretch))
    return influence.potential - slope @ shift.T - stretch @ growth.T / 2


def _error(found: list[_Level]) -> float:
    """Of the mean over ``found`` levels: directions are independent between levels, pictures are not."""
    total = len(found[0].directions)
    pictures = sum(
        sliced_wasserstein.variance(
            np.mean([level.influences[side] for level in found], axis=0),
            explained=found[0].explained,
            directions=total,
        )
        for side in (0, 1)
    )
    spread = sum(float(level.directions.var(ddof=1)) / total for level in found) if total > 1 else 0.0
    return float(np.sqrt(pictures + spread / len(found) ** 2))


def _result(real: Accumulator, metric: str, value: float, error: float) -> Result:
    channels, height, width = real.shape or (0, 0, 0)
    protocol = (
        f"swd:n{real.n}:{height}x{width}x{channels}:uint8:levels{','.join(map(str, levels(height, width)))}"
        f":patches{real.config.patches}x{SIDE}x{SIDE}:directions{real.config.directions}"
    )
    return Result(
        metric=metric,
        value=value,
        standard_error=error,
        error_method=ERROR_METHOD,
        n=real.n,
        seed=real.seed,
        better=BETTER,
        protocol=protocol,
    )


@functools.lru_cache(maxsize=64)
def _block_of_places(
    seed: int, level: int, block: int, patches: int, height: int, width: int
) -> Int[Tensor, "block p 2"]:
    """Upper left corners (y, x), uniform over all places where a patch fits, for 256 pictures in a row."""
    random = stream(seed, NAME, "places", level, block)
    sides = torch.tensor([height - SIDE + 1, width - SIDE + 1])
    return (torch.rand(BLOCK, patches, 2, generator=random, dtype=torch.float64) * sides).long()
