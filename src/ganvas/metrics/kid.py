"""Kernel Inception distance: an unbiased measure of how unlike two sets of features are, good for few pictures.

Bińkowski et al. 2018, Demystifying MMD GANs, section 4. https://arxiv.org/abs/1801.01401

The squared maximum mean discrepancy of the features by the kernel (x.y / d + 1)^3: 0 in the mean where the two sets
come from one distribution, at any number of pictures, so that single values lie below 0 then.

Sets of up to 5,000 pictures are compared over all pairs. Larger ones are cut into random blocks, of 25 million pairs in
all and of at least 1,000 pictures each, over which the values average: the error that pictures bring is the same, the
one that pairs bring grows as 1/sqrt(block). ``all_pairs=True`` takes all pairs of any number.

Standard error: that of the U-statistic, every part of its variance estimated without bias
(:mod:`ganvas.metrics.maths.distances.mmd`). For two draws of one kind of CIFAR-10's features it is a quarter to a third
too wide; where sets differ, right to 7 %. The deviation over overlapping subsets, which other packages print, is not
one.

Departs from the paper: no subsets of 1,000 with repetition. ``subsets=100`` brings them back, to compare with other
packages: the value is then theirs, and the standard error has the spread over the drawn subsets in it too.

Kernels are taken from the middle of the rows (:mod:`ganvas.metrics.maths.distances.polynomial`), in float32 where some
rows show that it gives the value of float64 to 1e-6.

Memory: 8.2 kB per picture (in temporary files from 1 GiB per set on), and two blocks of rows or, over all pairs, tiles
of 512 and two numbers per picture: a million pictures of 2,048 floats take 8.2 GB on the disk and 0.2 GB of work.
"""

import math
from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import tracked
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.distances import mmd, moments
from ganvas.metrics.maths.distances.mmd import Parts
from ganvas.metrics.maths.distances.polynomial import Polynomial, Tile

NAME = "kid"
TITLE = "Kernel Inception distance"
BETTER = "lower"
SEES = "features"
NETWORK = "inception"
EQUAL = False
UNBIASED = True
MINIMUM = 4

DEGREE = 3
PAIRS, FEWEST = 25_000_000, 1000  # Pairs in all blocks, and pictures in each.
PROBES, PROBE = 4, 128  # Parts of either side on which float32 is held against float64, and rows of each.
AGREES = 1e-6  # Root of the mean square over the parts, of their value: what rounding makes of it shrinks as 1/rows.


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    all_pairs: bool = False  # At any number of pictures.
    block: int = 0  # Pictures within which all pairs are compared; 0: as many as make PAIRS pairs, at least FEWEST.
    subsets: int = 0  # Random subsets of either side, as other packages draw them; 0: none.
    subset_size: int = 1000

    def __post_init__(self) -> None:
        if (self.block and self.block < MINIMUM) or self.block < 0:
            raise UserError(
                f"block={self.block} cannot be: at least {MINIMUM} pictures, or 0 to leave it to their number."
            )
        if self.subsets < 0 or self.subset_size < MINIMUM:
            raise UserError(
                f"subsets={self.subsets} of {self.subset_size} pictures cannot be: 0 or more of at least {MINIMUM}."
            )


TINY = Config(block=16)


class Accumulator(FeatureRows):
    """Every row of features of one set."""

    Config = Config


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The squared discrepancy ("kid")."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE, equal=False)
    how = _way_of_products(real, fake)
    by = _by_subsets if fake.config.subsets else _by_blocks
    value, variance, method = by(real, fake, how, quiet=quiet)
    if not (math.isfinite(value) and math.isfinite(variance)):
        raise UserError("Features hold nan, infinity or numbers too large for a cubic kernel: nothing can be compared.")
    result = Result(
        metric=NAME,
        value=value,
        standard_error=variance**0.5,
        error_method=method,
        n=fake.n,
        seed=fake.seed,
        better=BETTER,
        protocol=f"{moments.protocol(fake, NAME, real)}:poly{DEGREE}:{_way(fake.config, real.n, fake.n)}",
    )
    return [result]


def polynomial_mmd(
    x: Float[Tensor, "n d"],
    y: Float[Tensor, "m d"],
    *,
    degree: int = DEGREE,
    gamma: float | None = None,
    coef0: float = 1.0,
) -> float:
    """Unbiased squared discrepancy by (gamma x.y + coef0)^degree over all pairs, float64; gamma is 1/d by default.

    >>> polynomial_mmd(torch.zeros(2, 1), torch.ones(2, 1))
    7.0
    """
    x, y = x.double(), y.double()
    kernel = Polynomial(_middle(x, y), degree=degree, gamma=gamma, coef0=coef0)
    return mmd.discrepancy(mmd.rowset(x, kernel.tile), mmd.rowset(y, kernel.tile), kernel).unbiased


@dataclass(frozen=True, kw_only=True)
class Products:
    """How rows become kernels: from which middle, and in which precision."""

    kernel: Polynomial
    exact: bool  # In float64.

    def tile(self, rows: Tensor) -> Tile:
        """Of rows that are a copy already, and are needed no more."""
        rows = rows.double() if self.exact or rows.dtype == torch.float64 else rows.float()
        return self.kernel.tile(rows, in_place=True)


def _by_blocks(real: Accumulator, fake: Accumulator, how: Products, *, quiet: bool) -> tuple[float, float, str]:
    count = _blocks(fake.config, real.n, fake.n)
    if count == 1:
        x, y = (mmd.kept(side, how.tile) for side in (fake, real))
        found = [mmd.discrepancy(x, y, how.kernel)]
        n, m = fake.n, real.n
    else:
        cuts = [_order(side, "blocks").tensor_split(count) for side in (fake, real)]
        pairs = tracked(list(zip(*cuts, strict=True)), NAME, total=count, unit="blocks", quiet=quiet)
        found = [_of_places(fake, x, real, y, how) for x, y in pairs]
        n, m = fake.n // count, real.n // count
    mean = mmd.mean(found)
    return mean.unbiased, mean.variance(n, m) / count, "variance of the U-statistic"


def _by_subsets(real: Accumulator, fake: Accumulator, how: Products, *, quiet: bool) -> tuple[float, float, str]:
    """The mean over subsets, each drawn without repetition; the variance of all pairs, and that of the draws."""
    count, size = fake.config.subsets, fake.config.subset_size
    if size > min(real.n, fake.n):
        raise UserError(
            f"{TITLE} is to be taken over subsets of {size} pictures, and a side has {min(real.n, fake.n)}. "
            "Set a smaller `subset_size`."
        )
    found = [
        _of_places(fake, _order(fake, f"fake.{i}")[:size], real, _order(real, f"real.{i}")[:size], how)
        for i in tracked(range(count), NAME, total=count, unit="subsets", quiet=quiet)
    ]
    drawn = torch.tensor([one.unbiased for one in found]).double()
    whole = mmd.mean(found)
    of_draws = float(drawn.var()) / count if count > 1 else whole.variance(size, size)
    return whole.unbiased, whole.variance(fake.n, real.n) + of_draws, "variance of the U-statistic, and of the subsets"


def _blocks(config: Config, n: int, m: int) -> int:
    """How many blocks either set is cut into.

    >>> [_blocks(Config(), n, n) for n in (100, 5000, 10_000, 50_000)]
    [1, 1, 4, 50]
    """
    if config.all_pairs:
        return 1
    block = config.block or max(FEWEST, PAIRS // max(n, m))
    return max(1, min(-(-max(n, m) // block), min(n, m) // MINIMUM))


def _way(config: Config, n: int, m: int) -> str:
    """What the protocol says of the pairs that are compared: nothing that had no effect."""
    if config.subsets:
        return f"subsets{config.subsets}x{config.subset_size}"
    count = _blocks(config, n, m)
    return f"blocks{count}" if count > 1 else "all-pairs"


def _of_places(fake: Accumulator, x: Tensor, real: Accumulator, y: Tensor, how: Products) -> Parts:
    left, right = (side.tables["rows"].take(places.sort().values) for side, places in ((fake, x), (real, y)))
    return mmd.discrepancy(mmd.rowset(left, how.tile), mmd.rowset(right, how.tile), how.kernel)


def _middle(x: Float[Tensor, "n d"], y: Float[Tensor, "m d"]) -> Float[Tensor, " d"]:
    """Between two sets, in their own precision."""
    return (x.mean(0, dtype=torch.float64) / 2 + y.mean(0, dtype=torch.float64) / 2).to(
        torch.promote_types(x.dtype, y.dtype)
    )


def _order(side: Accumulator, purpose: str) -> Tensor:
    """Rows in a random order of their places in the set, whatever the order in which they came."""
    places = side.tables["index"].all().long().argsort(stable=True)
    return places[torch.randperm(side.n, generator=stream(side.seed, NAME, purpose))]


def _way_of_products(real: Accumulator, fake: Accumulator) -> Products:
    """From the middle of some rows; in float64 unless float32 gives nearly the same values on parts of them."""
    x, y = (side.tables["rows"].take(_order(side, "probe")[: PROBES * PROBE]) for side in (fake, real))
    kernel = Polynomial(_middle(x, y), degree=DEGREE)
    single, double = (Products(kernel=kernel, exact=exact) for exact in (False, True))
    if min(real.n, fake.n) <= PROBES * PROBE or torch.float64 in (x.dtype, y.dtype):
        return double
    pairs = list(zip(x.split(PROBE), y.split(PROBE), strict=True))
    found, expected = (
        [mmd.discrepancy(mmd.rowset(a.clone(), how.tile), mmd.rowset(b.clone(), how.tile), kernel) for a, b in pairs]
        for how in (single, double)
    )
    off = math.hypot(*(a.unbiased - b.unbiased for a, b in zip(found, expected, strict=True))) / len(found) ** 0.5
    squares = sum(one.second_x + one.second_y + one.cross for one in found)  # What overflows first.
    agrees = off <= AGREES * abs(mmd.mean(expected).unbiased)
    return single if math.isfinite(squares) and agrees else double
