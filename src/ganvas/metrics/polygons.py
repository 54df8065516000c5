"""Precision and recall on triangles, whose manifold is known: no feature network, and no guess at what is real.

Lucic et al. 2018, Are GANs Created Equal? A Large-Scale Study, section 5. https://arxiv.org/abs/1711.10337

For models trained on the built-in ``triangles`` or ``triangles:created-equal``, the paper's own. Every picture's
distance to the nearest triangle is found, by descent on its corners. Precision ("polygons.precision") is the share of
generated pictures nearer than ``delta``, in units of
one white pixel: a picture that is out by one grey level in a hundred pixels is out by 0.04. Recall ("polygons.recall")
is found from pictures: the share of real triangles with a precise generated picture in the ball that reaches to their
fifth nearest other real (coverage, as in "density_coverage"); for two sets of triangles it is 0.97. The value
"polygons" is F1, their harmonic mean.

The paper's recall, the share of test pictures that the generator itself can be brought near to, needs the generator:
:func:`inversion` finds those distances.

Standard error: both sets are split into random halves, in which balls are found anew; see
:mod:`ganvas.metrics.maths.neighbours.knn_error`. It is of the value at this n.

Departs from the paper: recall (above). The search starts from the corners that a picture seems to have and from the
nearest of 2,048 drawn triangles, and is by Levenberg and Marquardt's method; what it finds is an upper bound of the
distance. Pictures in colour are looked at in grey, their alpha is not. A square picture that is light on the whole is
compared with the triangles of the paper, which are black on white; a white one on black covers half of it at most.

Memory: 4 bytes per pixel of every picture, and 100 MB of work.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from jaxtyping import Bool, Float, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.data.created_equal import SMALLEST_SIDE
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.neighbours import knn_balls, knn_error, nearest_neighbours
from ganvas.metrics.maths.triangles import created_equal_fit, triangle_fit

NAME = "polygons"
TITLE = "Precision and recall on triangles"
BETTER = "higher"
SEES = "pixels"
EQUAL = False
MINIMUM = 6
K = 5
COST = "a search per picture: a minute for 5,000 of 28 pixels"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    delta: float = 0.75  # Distance from the manifold at which a picture is no triangle any more.
    steps: int = 25  # Of each search.
    bank: int = 2048  # Triangles from which searches start.

    def __post_init__(self) -> None:
        if not self.delta > 0 or self.steps < 1 or self.bank < 1:
            raise UserError(f"delta={self.delta}, steps={self.steps} and bank={self.bank} must be above 0.")


TINY = Config(steps=4, bank=64)


class Accumulator(FeatureRows):
    """Every picture in grey, and its distance to the nearest triangle."""

    Config = Config
    shares = ""

    def _add(self, rows: Tensor, index: Int[Tensor, " n"]) -> None:
        grey = in_grey(rows)
        self._append("rows", grey.flatten(1))
        self._append("distance", to_manifold(grey, self.config, seed=self.seed))

    def distances(self) -> PerSample:
        """By the pictures' places in the set."""
        return self.tables["distance"].all()[self.tables["index"].all().long().argsort(stable=True)]


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """F1 ("polygons") and its parts."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=EQUAL)
    precise = fake.distances() <= real.config.delta
    census = _census(real.features(), fake.features()[precise])
    values = _values(precise, census.whole.occupied if census else 0.0)
    errors = _errors(census, precise, real.n, seed=real.seed)
    channels, height, width = real.shape or (0, 0, 0)
    protocol = knn_balls.protocol(
        real, fake, NAME, f"{height}x{width}x{channels}:uint8:delta{real.config.delta:g}:k{K}"
        f":steps{real.config.steps}:bank{real.config.bank}",
    )  # fmt: skip
    return [
        Result(
            metric=metric,
            value=value,
            standard_error=error,
            error_method=knn_error.BY_HALVES,
            n=fake.n,
            seed=real.seed,
            better=BETTER,
            protocol=protocol,
        )
        for metric, value, error in zip((NAME, f"{NAME}.precision", f"{NAME}.recall"), values, errors, strict=True)
    ]


def to_manifold(grey: Float[Tensor, "n h w"], config: Config, *, seed: int) -> PerSample:
    """The distance of each picture to the nearest triangle of its kind, by its ground."""
    found = torch.empty(len(grey), dtype=torch.float64)
    side, width = grey.shape[1:]
    on_white = (grey.mean((1, 2)) > 0.5) & (side == width >= SMALLEST_SIDE)
    if not on_white.all():
        bank = triangle_fit.bank(side, width, count=config.bank, seed=seed)
        found[~on_white] = triangle_fit.distance(grey[~on_white], bank, steps=config.steps)
    if on_white.any():
        how = {"bank": config.bank, "steps": config.steps, "seed": seed}
        found[on_white] = created_equal_fit.distance(grey[on_white], **how)
    return found


def in_grey(pictures: Tensor) -> Float[Tensor, "n h w"]:
    """In [0, 1], the mean over colours."""
    colours = pictures.shape[1] - (pictures.shape[1] in (2, 4))
    return pictures[:, :colours].float().mean(1) / 255


def inversion(
    decode: Callable[[Float[Tensor, "n z"]], Float[Tensor, "n h w"]],
    pictures: Float[Tensor, "n h w"],
    starts: Float[Tensor, "starts n z"],
    *,
    steps: int = 300,
    rate: float = 0.05,
) -> PerSample:
    """How near a generator can be brought to each picture: ``min_z || x - G(z) ||``, by Adam from several starts.

    Recall in the sense of the paper is the share of these at or below ``delta``. ``decode`` gives grey in [0, 1].
    """
    nearest = torch.full((len(pictures),), torch.inf)
    for start in starts:
        latents = start.clone().requires_grad_()
        optimizer = torch.optim.Adam([latents], lr=rate)
        for _ in range(steps + 1):
            squared = (decode(latents) - pictures).square().flatten(1).sum(1)
            nearest = torch.minimum(nearest, squared.detach().sqrt().to(nearest))
            (latents.grad,) = torch.autograd.grad(squared.sum(), latents)
            optimizer.step()
    return nearest


def _values(precise: Bool[Tensor, " m"], recall: float) -> list[float]:
    shares = torch.tensor([float(precise.double().mean()), recall], dtype=torch.float64)
    return knn_error.with_f1(*shares).tolist()


def _census(reals: Float[Tensor, "n d"], precise: Float[Tensor, "m d"]) -> knn_balls.Census | None:
    """Balls around reals over the precise of the generated pictures; None where there are none of these."""
    if not len(precise):
        return None
    x, y = nearest_neighbours.together(reals, precise)
    around = nearest_neighbours.balls(x, k=K, wide=knn_balls.reach(K))
    census = knn_balls.Census(around, y.n)
    for pairs in nearest_neighbours.within(x, y, around):
        census.add(pairs.rows, pairs.columns, pairs.squared)
    return census


def _errors(
    census: knn_balls.Census | None, precise: Bool[Tensor, " m"], reals: int, *, seed: int
) -> Sequence[float | None]:
    if reals // 2 <= K or len(precise) < 2:
        return [None] * 3

    def values(left_real: Tensor, left_fake: Tensor) -> list[Sequence[float]]:
        tallies = census.halves(left_real, left_fake[precise]) if census else (None, None)
        halves = zip((left_fake, ~left_fake), tallies, strict=True)
        return [_values(precise[half], tally.occupied if tally else 0.0) for half, tally in halves]

    return knn_error.spread(values, reals, len(precise), seed=seed)
