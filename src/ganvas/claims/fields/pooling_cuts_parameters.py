"""Pooling cuts the number of parameters a lot.

Of the convolutions behind it, no weight goes away; only what they multiply shrinks. Of a dense layer behind k halvings
4^-k of the weights are left.
"""

from collections.abc import Iterator

from torch import nn

from ganvas.claims.judging.claim import Case, Identity, Source

CHANNELS, SIDE = 4, 16


def cases() -> Iterator[Case]:
    """The share of weights that is left behind k poolings, against 4^-k."""
    for pools in (1, 2, 3):
        for kind in ("dense", "convolution"):
            left = _weights(kind, pools) / _weights(kind, 0)
            name = f"{kind} layer behind {pools} pooling{'s' if pools > 1 else ''}"
            yield Case(name=name, error=abs(left - 4.0**-pools), inside=kind == "dense")


def twin() -> Iterator[Case]:
    """Halved along one side alone."""
    yield Case(name="dense, halved once", error=abs(_weights("dense", 1) / _weights("dense", 0) - 0.5))


def _weights(kind: str, pools: int) -> int:
    side = SIDE // 2**pools
    layer = nn.Linear(CHANNELS * side**2, 10) if kind == "dense" else nn.Conv2d(CHANNELS, 10, 3)
    return layer.weight.numel()


CLAIM = Identity(
    statement="Each pooling of 2 by 2 leaves a quarter of the parameters of the layer behind it.",
    sources=(Source(who="a common reason for pooling", stance="agrees"),),
    scope=f"{CHANNELS} channels of {SIDE} x {SIDE} pixels, one to three poolings",
    holds_when="the layer behind it is dense",
    unit="share of parameters",
    cases=cases,
    twin=twin,
    smallest_effect=1e-12,
)
