"""Inception Score: how sure a classifier is of each generated picture, and how many classes it finds in all of them.

Salimans et al. 2016, Improved Techniques for Training GANs, section 4. https://arxiv.org/abs/1606.03498

exp of the mean divergence of p(class | picture) from its mean over pictures, by the 1008 outputs of Inception-v3
(2015-12-05) without their bias: from 1 (all pictures alike to it, or none clear) to the number of classes (sure of
every picture, and all classes equally often). As in every paper, pictures are cut into 10 parts and the value is the
mean over the parts, which depends on their size: compare only at the same n (50,000 in the papers). The reals' own
score is "inception_score.real". It never looks at the reals otherwise: whether pictures are like them, it cannot see.

Standard error: infinitesimal jackknife over a hundred groups of pictures, ten in each part, of the logarithm. The
deviation over the parts, which papers print, is about sqrt(10) times as large, and of one part.

Departs from the paper: a picture's part is drawn from its place in the set, so that a set sorted by class is no
different from any other, and nothing but sums is kept. Parts differ in size by no more than one picture.

Memory: 0.8 MB at 1008 classes, whatever the number of pictures.
"""

import functools
from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.results import Result
from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.metric_contract import Stats, require_pair
from ganvas.metrics.maths.distances import moments

NAME = "inception_score"
TITLE = "Inception Score"
BETTER = "higher"
SEES = "logits"
NETWORK = "inception"
EQUAL = False
ALONE = True
MINIMUM = 20  # Two in each of ten parts: a part of one picture scores 1, whatever it shows.

GROUPS = 10  # Of each part, between which the error is found.
CHUNK = 128  # Rows at a time, so that they stay in the processor's cache.
ROUND = 4096  # Rounds of dealing pictures out to the parts that one random stream orders.
ERROR_METHOD = "infinitesimal jackknife over groups of pictures"


@dataclass(frozen=True, kw_only=True)
class Config:
    """What changes the value."""

    splits: int = 10

    def __post_init__(self) -> None:
        if self.splits < 1:
            raise UserError(f"splits={self.splits} must be at least 1.")


TINY = Config(splits=2)


class Accumulator(Stats):
    """Per group of pictures: their number, the sum of p and the sum of p log p."""

    Config = Config

    def _add(self, rows: Float[Tensor, "n c"], index: Int[Tensor, " n"]) -> None:
        sums = torch.zeros(self.config.splits * GROUPS, 2 + rows.shape[1], dtype=torch.float64)
        groups = _groups(index, self.config.splits, seed=self.seed)
        for some, group in zip(rows.split(CHUNK), groups.split(CHUNK), strict=True):
            p, own = _probabilities(some)
            sums[:, 0] += group.bincount(minlength=len(sums))
            sums[:, 1].scatter_add_(0, group, own)
            sums[:, 2:].scatter_add_(0, group[:, None].expand_as(p), p)  # index_add_ goes row by row: twice as long.
        if not sums.isfinite().all():
            raise UserError("A classifier's outputs hold nan or infinity: there is no Inception Score of them.")
        self._sum("groups", sums)


def compare(real: Accumulator | None, fake: Accumulator, *, quiet: bool = True) -> list[Result]:
    """The score of the generated pictures ("inception_score") and of the reals ("inception_score.real")."""
    splits = fake.config.splits
    _require_filled(min(fake.n, real.n if real else fake.n), splits)
    require_pair(real or fake, fake, minimum=2 * splits, title=TITLE, equal=False)
    if real is None:
        return [_result(fake, NAME)]
    return [_result(fake, NAME), _result(real, f"{NAME}.real")]


def inception_score(logits: Float[Tensor, "n c"], *, splits: int = 10) -> Float[Tensor, " splits"]:
    """The score of each of ``splits`` parts of rows in a row, as the paper cuts them: from i n // splits on."""
    n = len(logits)
    _require_filled(n, splits)
    p, own = _probabilities(logits)
    cuts = [slice(i * n // splits, (i + 1) * n // splits) for i in range(splits)]
    return torch.stack([(own[cut].mean() - _own_log(p[cut].mean(0))).exp() for cut in cuts])


def _result(side: Accumulator, metric: str) -> Result:
    splits = side.config.splits
    sums = side.sums["groups"].unflatten(0, (splits, GROUPS))
    counts, own, p = sums[..., 0], sums[..., 1], sums[..., 2:]
    in_part = counts.sum(1)
    counts, own, p = (part[in_part > 0] for part in (counts, own, p))  # All parts, unless places are left out.
    in_part = counts.sum(1)
    mean = p.sum(1) / in_part[:, None]
    log_score = own.sum(1) / in_part - _own_log(mean)
    score = log_score.exp()
    log_mean = torch.where(mean > 0, mean, 1).log()  # A class that no picture has any of has p = 0 in every group.
    moved = own - torch.einsum("sgc,sc->sg", p, log_mean) - counts * log_score[:, None]
    share = score[:, None] * moved / in_part[:, None] / len(score)
    filled = int((counts > 0).sum())
    return Result(
        metric=metric,
        value=float(score.mean()),
        standard_error=float(share.square().sum() * filled / (filled - 1)) ** 0.5 if filled > 1 else None,
        error_method=ERROR_METHOD,
        n=side.n,
        seed=side.seed,
        better=BETTER,
        protocol=f"{moments.protocol(side, NAME)}:splits{splits}",
    )


def _probabilities(logits: Float[Tensor, "n c"]) -> tuple[Float[Tensor, "n c"], Float[Tensor, " n"]]:
    """``p`` and ``sum p log p`` of each row, float64, with one exponential and no logarithm of what has underflowed.

    With x the outputs less the largest, ``log p = x - log sum exp x``, and the sum is ``1 / max p``.
    """
    shifted = logits.double()
    shifted = shifted - shifted.amax(1, keepdim=True)
    p = shifted.softmax(1)
    return p, torch.linalg.vecdot(p, shifted) + p.amax(1).log()


def _own_log(p: Float[Tensor, "*b c"]) -> Float[Tensor, "*b"]:
    """``sum p log p``, with 0 log 0 = 0."""
    return torch.special.xlogy(p, p).sum(-1)


def _require_filled(n: int, splits: int) -> None:
    if n < 2 * splits:
        raise UserError(f"{TITLE} over {splits} parts needs at least {2 * splits} pictures and was given {n}.")


def _groups(index: Int[Tensor, " n"], splits: int, *, seed: int) -> Int[Tensor, " n"]:
    """Which of the ``splits * GROUPS`` groups a picture of each place belongs to.

    Places are dealt out in rounds of one picture to every part, in a random order each round; within a part, rounds
    take turns. So parts are of one size for any n, and the place alone says where a picture goes.
    """
    rounds = index // splits
    part = torch.empty_like(index)
    for number in (rounds // ROUND).unique().tolist():
        here = rounds // ROUND == number
        part[here] = _orders(seed, splits, number)[rounds[here] % ROUND, index[here] % splits]
    return part * GROUPS + rounds % GROUPS


@functools.lru_cache(maxsize=16)
def _orders(seed: int, splits: int, number: int) -> Int[Tensor, "rounds splits"]:
    return torch.rand(ROUND, splits, generator=stream(seed, NAME, "parts", number)).argsort(1)
