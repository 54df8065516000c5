"""Comparison of picture i of one set with picture i of another: machinery of SSIM, PSNR and LPIPS.

For reconstructions, translations and fillings-in, whose every picture has a target. A metric of this kind says
``PAIRED = True``: ``ganvas measure`` then draws the same places on both sides, refuses sides without places (a run,
a file of statistics), and takes no floor, because a second draw of reals has no partners.
"""

from collections.abc import Callable, Iterator
from typing import Literal

import torch
from jaxtyping import UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.progress import progress
from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.metrics.accumulators.feature_rows import FeatureRows
from ganvas.metrics.accumulators.metric_contract import require_pair
from ganvas.metrics.maths.pairs.ssim_map import CHUNK_PIXELS

ERROR_METHOD = "deviation over pairs of pictures"

Bytes = UInt8[Tensor, "n c h w"]


class Pictures(FeatureRows):
    """Every picture of one set, to meet its partner when two sets are compared."""


def over_pairs(
    real: Pictures, fake: Pictures, of: Callable[[Bytes, Bytes], PerSample], *, name: str, title: str, quiet: bool
) -> PerSample:
    """``of(real, fake)`` of every pair, float64, by their places.

    Raises:
        UserError: the sides differ in number, size or places.
    """
    require_pair(real, fake, minimum=2, title=title)
    places = [side.tables["index"].all().long().sort().values for side in (real, fake)]
    if not torch.equal(*places):
        odd = int((places[0] != places[1]).nonzero()[0])
        raise UserError(
            f"{title} compares pictures of one place in their sets, and the sets hold unlike places: number {odd + 1} "
            f"is at {int(places[0][odd])} of one and at {int(places[1][odd])} of the other. Give both the same `index`."
        )
    with progress(name, real.n, unit="pairs", quiet=quiet) as report:
        found, done = [], 0
        for x, y in _together(real, fake):
            found.append(of(x, y).double())
            done += len(x)
            report(done)
    return torch.cat(found)


def mean_result(
    values: PerSample,
    fake: Pictures,
    *,
    metric: str,
    protocol: str,
    better: Literal["lower", "higher"] = "higher",
) -> Result:
    """The mean over pairs; its error is their deviation by the root of their number."""
    return Result(
        metric=metric,
        value=float(values.mean()),
        standard_error=float(values.std()) / len(values) ** 0.5,
        error_method=ERROR_METHOD,
        n=fake.n,
        seed=fake.seed,
        better=better,
        protocol=protocol,
    )


def protocol(fake: Pictures, name: str) -> str:
    """``psnr:n50:32x32x3:uint8``."""
    channels, height, width = fake.shape or (0, 0, 0)
    return f"{name}:n{fake.n}:{height}x{width}x{channels}:uint8"


def _together(real: Pictures, fake: Pictures) -> Iterator[tuple[Bytes, Bytes]]:
    channels, height, width = real.shape or (1, 1, 1)
    size = max(1, CHUNK_PIXELS // (channels * height * width))
    return zip(real.blocks(size), fake.blocks(size), strict=True)
