"""A dilated convolution is d^2 ordinary convolutions of every d-th pixel, interleaved. So it is no downsampling.

Each of the d^2 pictures is coarser, and together they have as many pixels as before: nothing is thrown away.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal, relative_error
from ganvas.claims.operators.dilated import dilated_conv


def cases() -> Iterator[Case]:
    """Dilated as torch has it, against the interleaved ordinary ones, on sides that d divides and that it does not."""
    for dilation in (1, 2, 3, 4):
        for side in (12, 13):
            yield Case(name=f"dilation {dilation} of {side} pixels", error=_error(dilation, dilation, side))


def twin() -> Iterator[Case]:
    """Interleaved by another dilation."""
    yield Case(name="3 for 2", error=_error(2, 3, 12))


def _error(dilation: int, interleaved: int, side: int) -> float:
    x, weight = normal(side, 1, 2, side, side), normal(dilation, 3, 2, 3, 3)
    native = dilated_conv(x, weight, dilation=dilation, padding=dilation)
    return relative_error(
        dilated_conv(x, weight, dilation=interleaved, padding=interleaved, method="space_to_batch"), native
    )


CLAIM = Identity(
    statement="A dilated convolution is d^2 interleaved ordinary ones, and keeps every pixel.",
    sources=(
        Source(
            who="Yu & Koltun 2016, Multi-Scale Context Aggregation by Dilated Convolutions (no loss of resolution)",
            stance="agrees",
            link="https://arxiv.org/abs/1511.07122",
        ),
        Source(who="the view that dilation is a kind of downsampling", stance="denies"),
    ),
    scope="kernels of 3, dilation 1 to 4, sides of 12 and 13",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
