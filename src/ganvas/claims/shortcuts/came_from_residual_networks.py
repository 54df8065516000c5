"""Shortcuts between layers came with residual networks.

The month is that of the preprint, which stands in its number.
"""

from collections.abc import Iterator, Mapping

from ganvas.claims.judging.claim import Case, Identity, Source

RESIDUAL = "1512.03385"
OTHERS = {
    "fully convolutional networks": "1411.4038",
    "highway networks": "1505.00387",
    "U-Net": "1505.04597",
    "densely connected networks": "1608.06993",
}


def cases() -> Iterator[Case]:
    """Months by which other networks with shortcuts came earlier."""
    return _cases(OTHERS)


def twin() -> Iterator[Case]:
    """A network of the year before as the one that they came with."""
    return _cases({"fully convolutional networks": OTHERS["fully convolutional networks"]})


def _cases(networks: Mapping[str, str]) -> Iterator[Case]:
    for name, number in networks.items():
        yield Case(name=name, error=max(_month(RESIDUAL) - _month(number), 0))


def _month(number: str) -> int:
    """Months since 2000 of a preprint's number, which begins with year and month."""
    return 12 * int(number[:2]) + int(number[2:4])


CLAIM = Identity(
    statement="Shortcuts between layers came with residual networks.",
    sources=(
        Source(who="a common account of the U-Net's shortcuts", stance="agrees"),
        Source(
            who="Srivastava, Greff & Schmidhuber 2015, Highway Networks",
            stance="denies",
            link="https://arxiv.org/abs/1505.00387",
        ),
    ),
    scope="preprints of four networks with shortcuts",
    unit="months before",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
