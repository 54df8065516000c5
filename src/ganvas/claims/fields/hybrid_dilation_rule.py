"""A stack of dilated convolutions sees every pixel if the largest gap M_2 is at most the kernel.

The rule of hybrid dilated convolution, against the exact set of pixels that are read. (2, 2, 2) passes and sees every
second pixel. With a rate of 1 among the rates the rule is sufficient; it is not necessary.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations_with_replacement

from ganvas.anatomy.fields.gridding import gridding
from ganvas.claims.judging.claim import Case, Identity, Source

HIGHEST = 9


def cases() -> Iterator[Case]:
    """Every ascending triple of rates that the rule passes, for kernels of 3 and 5."""
    for kernel in (3, 5):
        for rates in combinations_with_replacement(range(1, HIGHEST + 1), 3):
            if gridding(rates, kernel=kernel).rule_passes:
                yield _case(rates, kernel)


def twin() -> Iterator[Case]:
    """The rule is asked about another stack, whose last rate is lower."""
    yield _case((1, 2, 9), 3)


def _case(rates: Sequence[int], kernel: int) -> Case:
    found = gridding(rates, kernel=kernel)
    return Case(name=f"rates {tuple(rates)}, kernel {kernel}", error=1 - found.density, inside=1 in rates)


CLAIM = Identity(
    statement="Dilation rates with M_2 at most the kernel leave no holes.",
    sources=(
        Source(
            who="Wang et al. 2018, Understanding Convolution for Semantic Segmentation, section 3.2",
            stance="agrees",
            link="https://arxiv.org/abs/1702.08502",
        ),
    ),
    scope=f"three layers, rates 1 to {HIGHEST} in ascending order, kernels of 3 and 5",
    holds_when="one of the rates is 1",
    unit="share of the field's pixels that are not read",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
