"""MS-SSIM diversity: how alike pairs of generated pictures are, beside how alike pairs of real ones are.

Odena et al. 2017, Conditional Image Synthesis with Auxiliary Classifier GANs, section 4.2, on the multi-scale
structural similarity of Wang et al. 2003. https://arxiv.org/abs/1610.09585

The mean similarity of the pictures 2i and 2i + 1 of a set, in [0, 1]: 1 when all are the same picture. A model that
varies as its data does scores what the data scores; higher means that it repeats itself. It says nothing of quality:
noise scores near 0. The order of the pictures must be random: neighbours in a folder sorted by class are alike.

Standard error: the deviation over pairs, which share no picture, by the square root of their number.

The details are those of Karras et al. 2018, whose table quotes this number: 10,000 pairs; one similarity per picture
and level, the mean over pixels and channels, before the product over levels; borders without padding; negative
similarities count as 0; where a level is smaller than the 11 x 11 window, the window and its deviation shrink with it,
so that pictures of 32 pixels work. Other packages multiply per channel first, and refuse small pictures: their values
do not compare.

Memory: a float per pair, and every picture whose partner has not come yet.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor

from ganvas.core.results import Result
from ganvas.core.shapes import PerSample
from ganvas.metrics.accumulators.metric_contract import Stats, require_pair
from ganvas.metrics.accumulators.row_table import RowTable
from ganvas.metrics.maths.pairs.ssim_map import CHUNK_PIXELS, SIGMA, WINDOW, Pictures, similarity

NAME = "ms_ssim"
TITLE = "MS-SSIM diversity"
BETTER = "neither"
SEES = "pixels"
MINIMUM = 4

WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)  # Wang et al. 2003, section 3.2, finest level first.
ERROR_METHOD = "deviation over pairs of pictures"


@dataclass(frozen=True, kw_only=True)
class Config:
    """Nothing changes the value but the pictures."""


TINY = Config()


class Accumulator(Stats):
    """The similarity of every whole pair so far, and the pictures still without a partner."""

    Config = Config

    def _add(self, rows: Tensor, index: Tensor) -> None:
        self._append("waiting", rows)
        self._append("waiting_index", index)
        self._settle()

    def _settle(self) -> None:
        """Compares the pairs that are whole."""
        if "waiting" not in self.tables:  # Read back where nobody waited.
            return
        waiting, index = self.tables.pop("waiting").all(), self.tables.pop("waiting_index").all()
        order = index.argsort()
        waiting, index = waiting[order], index[order]
        first = torch.nonzero((index[:-1] % 2 == 0) & (index[1:] == index[:-1] + 1)).flatten()
        for few in first.split(max(1, CHUNK_PIXELS // waiting[0].numel())) if len(first) else []:
            self._append("similarity", ms_ssim(waiting[few].float(), waiting[few + 1].float()).double())
        alone = torch.ones(len(index), dtype=torch.bool)
        alone[first] = alone[first + 1] = False
        self.tables |= {"waiting": RowTable(), "waiting_index": RowTable()}
        self._append("waiting", waiting[alone])
        self._append("waiting_index", index[alone])


def compare(real: Accumulator, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The generated pictures' similarity ("ms_ssim") and the reals' ("ms_ssim.real"), which it should equal."""
    require_pair(real, fake, minimum=MINIMUM, title=TITLE)
    return [_result(fake, "ms_ssim"), _result(real, "ms_ssim.real")]


def ms_ssim(x: Pictures, y: Pictures, *, data_range: float = 255.0) -> PerSample:
    """``prod_j contrast_j^w_j * ssim_last^w_last`` over five levels, each the mean of 2 x 2 pixels of the one before.

    Wang et al. 2003, eq. 7; in the precision of ``x``.
    """
    product = torch.ones(len(x), dtype=x.dtype, device=x.device)
    for level, weight in enumerate(WEIGHTS):
        both, contrast = similarity(x, y, data_range)
        last = level == len(WEIGHTS) - 1
        product = product * (both if last else contrast).clamp_min(0) ** weight
        if not last:
            x, y = _halve(x), _halve(y)
    return product


def _halve(x: Pictures) -> Float[Tensor, "n c half_h half_w"]:
    """Means of 2 x 2 pixels; an odd last row or column is repeated."""
    odd_h, odd_w = x.shape[2] % 2, x.shape[3] % 2
    return F.avg_pool2d(F.pad(x, (0, odd_w, 0, odd_h), mode="replicate") if odd_h or odd_w else x, 2)


def _result(side: Accumulator, metric: str) -> Result:
    similarity = side.tables["similarity"].all()
    channels, height, width = side.shape or (0, 0, 0)
    return Result(
        metric=metric,
        value=float(similarity.mean()),
        standard_error=float(similarity.std()) / len(similarity) ** 0.5 if len(similarity) > 1 else None,
        error_method=ERROR_METHOD,
        n=side.n,
        seed=side.seed,
        better=BETTER,
        protocol=f"ms_ssim:n{side.n}:{height}x{width}x{channels}:uint8:window{WINDOW}:sigma{SIGMA}:channels-first-mean",
    )
