"""Making a picture smaller or larger inside a network has nothing to learn."""

from collections.abc import Iterator

from torch import nn

from ganvas.claims.judging.claim import Case, Identity, Source

CHANNELS = 4
LAYERS = {
    "pooling by maxima": nn.MaxPool2d(2),
    "pooling by averages": nn.AvgPool2d(2),
    "nearest neighbours": nn.Upsample(scale_factor=2),
    "strided convolution": nn.Conv2d(CHANNELS, CHANNELS, 2, stride=2),
    "transposed convolution": nn.ConvTranspose2d(CHANNELS, CHANNELS, 2, stride=2),
}


def cases() -> Iterator[Case]:
    """The number of parameters of layers that halve or double a picture."""
    for name, layer in LAYERS.items():
        yield Case(name=name, error=sum(p.numel() for p in layer.parameters()), inside="convolution" not in name)


def twin() -> Iterator[Case]:
    """A layer with weights."""
    yield Case(name="convolution", error=nn.Conv2d(CHANNELS, CHANNELS, 1).weight.numel())


CLAIM = Identity(
    statement="Making a picture smaller or larger inside a network has nothing to learn.",
    sources=(
        Source(who="a common remark on pooling and enlarging", stance="agrees"),
        Source(
            who="Springenberg et al. 2015, Striving for Simplicity: The All Convolutional Net",
            stance="denies",
            link="https://arxiv.org/abs/1412.6806",
        ),
    ),
    scope=f"five layers that halve or double, {CHANNELS} channels",
    unit="parameters",
    holds_when="it is done by a fixed rule",
    cases=cases,
    twin=twin,
    smallest_effect=0.0,
)
