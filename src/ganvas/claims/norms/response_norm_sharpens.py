"""Local response normalisation makes the largest response of a pixel relatively larger.

A window over all channels divides them all by one number and leaves every ratio as it was. A window over some divides
the largest by its own neighbourhood, which it dominates, so that it mostly comes out relatively smaller.
"""

from collections.abc import Iterator

from ganvas.claims.judging.claim import Case, Identity, Source
from ganvas.claims.judging.relative import normal
from ganvas.nn.norms.lrn import local_response_norm

CHANNELS, PIXELS = 16, 400


def cases() -> Iterator[Case]:
    """Of random responses, the share whose largest does not gain on the second largest."""
    for size in (3, 5, 9, 2 * CHANNELS + 1):
        whole = size > 2 * CHANNELS
        yield Case(name="window over all channels" if whole else f"window of {size}", error=_not_sharper(size))


def twin() -> Iterator[Case]:
    """Next to no normalisation: nothing changes."""
    yield Case(name="alpha of 0", error=_not_sharper(5, alpha=0.0))


def _not_sharper(size: int, *, alpha: float = 1.0) -> float:
    x = normal(size, PIXELS, CHANNELS, 1, 1).abs()
    y = local_response_norm(x, size, alpha=alpha * size, beta=0.75, k=1.0)
    order = x.flatten(1).argsort(1, descending=True)[:, :2]
    first, second = (values.flatten(1).gather(1, order).unbind(1) for values in (x, y))
    before, after = first[0] / first[1], second[0] / second[1]
    return float((after <= before * (1 + 1e-9)).double().mean())


CLAIM = Identity(
    statement="Local response normalisation makes the largest response relatively larger.",
    sources=(
        Source(
            who="Krizhevsky, Sutskever & Hinton 2012, section 3.3 (competition for big activities)",
            stance="agrees",
            link="https://proceedings.neurips.cc/paper/2012/hash/c399862d3b9d6b76c8436e924a68c45b-Abstract.html",
        ),
    ),
    scope=f"absolute normal responses of {CHANNELS} channels, windows of 3 to all, beta 0.75",
    unit="share of pixels where it does not",
    cases=cases,
    twin=twin,
    smallest_effect=0.05,
)
