"""Three layers of 3 x 3 with dilation 1, 2, 4 see 3, 7, 15 pixels, and without dilation 3, 5, 7.

In general doubled rates see ``2^(n + 1) - 1`` after n layers, and plain ones ``2 n + 1``, at the same cost.
"""

from collections.abc import Iterator, Sequence

from ganvas.anatomy.fields.gridding import gridding
from ganvas.claims.judging.claim import Case, Identity, Source


def cases() -> Iterator[Case]:
    """Sides of fields that were counted on the layers, against the formulas."""
    for layers in range(1, 9):
        yield _case("doubled", [2**n for n in range(layers)], 2 ** (layers + 1) - 1)
        yield _case("plain", [1] * layers, 2 * layers + 1)


def twin() -> Iterator[Case]:
    """The exponent is one too small."""
    yield _case("doubled", [1, 2, 4], 2**3 - 1)


def _case(name: str, rates: Sequence[int], expected: int) -> Case:
    return Case(name=f"{name}, {len(rates)} layers", error=abs(gridding(rates).field - expected))


CLAIM = Identity(
    statement="With doubled dilation rates the field grows exponentially with the layers, without dilation linearly.",
    sources=(
        Source(
            who="Yu & Koltun 2016, Multi-Scale Context Aggregation by Dilated Convolutions, section 2",
            stance="agrees",
            link="https://arxiv.org/abs/1511.07122",
        ),
    ),
    scope="kernels of 3, one to eight layers",
    unit="pixels",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
