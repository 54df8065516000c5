"""The contract of a labeller: what is where in a picture, one label for every pixel.

Bau et al. 2019, GAN Dissection, section 3.1 (https://arxiv.org/abs/1811.10597) asks a network of 336 classes, which has
to be downloaded. Here a labeller is anything that has these three: a network trained in a minute on pictures whose
masks are known, or a rule about colours.

Labels part the picture: a pixel has exactly one. So the shares of a picture's labels add up to 1, and what one label
loses others gain.
"""

from typing import Protocol, runtime_checkable

from jaxtyping import Float, Integer
from torch import Tensor

from ganvas.core.errors import UserError, did_you_mean
from ganvas.core.shapes import Images

LabelMaps = Integer[Tensor, "n h w"]  # Whole numbers of any precision.
Beliefs = Float[Tensor, "n k h w"]


@runtime_checkable
class Labeller(Protocol):
    """Says what is where."""

    @property
    def identity(self) -> str:
        """Which labeller it is, for protocols: its name and a hash of what it was trained on."""
        ...

    @property
    def labels(self) -> tuple[str, ...]:
        """The names of what it tells apart."""
        ...

    def segment(self, images: Images) -> LabelMaps:
        """The number of each pixel's label, of pictures in [-1, 1]."""
        ...


@runtime_checkable
class Differentiable(Protocol):
    """A labeller whose answer has a gradient."""

    def score(self, images: Images) -> Beliefs:
        """The share of belief that each pixel has each label: above 0, and 1 in sum over labels."""
        ...


def require_label(label: str, labeller: Labeller) -> None:
    """That a labeller knows a label.

    Raises:
        UserError: it does not.
    """
    if label not in labeller.labels:
        raise UserError(
            f"The labeller {labeller.identity} knows no '{label}'.{did_you_mean(label, labeller.labels)} "
            f"Labels: {', '.join(labeller.labels)}."
        )
