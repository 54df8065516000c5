"""Gated PixelCNN: two stacks of convolutions see every earlier pixel, and gates decide what passes.

Van den Oord, Kalchbrenner, Vinyals, Espeholt, Graves, Kavukcuoglu: Conditional Image Generation with PixelCNN Decoders
(NeurIPS 2016), https://arxiv.org/abs/1606.05328. PixelCNN is blind to some earlier pixels (its figure 1). Here a
vertical stack sees all rows above, and a horizontal one the pixels to the left and, through a 1x1 convolution, the
vertical stack, which never sees the horizontal one (figure 2). Maps pass through ``tanh(a) sigmoid(b)`` (eq. 2), where
a class adds a number of its own to every map of both (eq. 4). Training looks at all pixels at once, and the likelihood
is exact.

Facts that the paper leaves open: the first layer of either stack has no residual connection, and the colours are given
by two 1x1 convolutions above the last horizontal maps, as in PixelCNN.

Departs from the paper:
- Adam in the place of RMSprop, and what is measured and draws is a running average of the weights.
- The layer that gives the colours starts small; the paper does not say how weights start.
- ``mixtures`` above 0 gives colours by a mixture of logistics in the place of the softmax (Salimans et al. 2017).
- With classes, the likelihood of a picture without one is the mean over all classes, equally likely.
"""

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Labels
from ganvas.losses.games.pixel_game import SMALL_STD, Numbers, PixelDrawing, PixelGame, groups_of, outputs_of
from ganvas.nn.layers.causal_conv import LeftConv2d, Maps, OutMaps, RowsConv2d
from ganvas.nn.layers.plain_layers import Conv2d, Linear

FIRST_REACH = 3  # Kernels of 7 x 7.

Gated = Float[Tensor, "n c3 h2 w2"]  # Half as many maps as go into a gate.
Told = Float[Tensor, "n c2 1 1"] | float  # What a class adds to every map, or 0.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are of the size of PixelCNN's for CIFAR-10."""

    height: int = 32
    width: int = 32
    channels: int = 3
    num_classes: int = 0
    blocks: int = 15  # Layers of both stacks after the first.
    features: int = 128  # Maps of each stack.
    reach: int = 1  # Of a kernel of a side of 2 reach + 1.
    top_features: int = 1024  # Of the layer before the colours.
    mixtures: int = 0  # Logistic components of a pixel; 0 for a softmax over 256 colours.
    batch_size: int = 16
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    average_decay: float = 0.999  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "height", "width", "blocks", "features", "reach", "top_features", "batch_size")
        at_least(self, 0, "mixtures", "num_classes")
        above(self, 0, "lr", "eps")
        fractions(self, "beta1", "beta2", "average_decay")
        if self.channels not in (1, 3, 4):
            raise UserError(f"channels={self.channels} must be 1 (grey), 3 (RGB) or 4 (RGBA).")
        if not self.mixtures:
            at_least(self, self.channels, "features", "top_features")
        assert self.picture

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels)


TINY = Config(height=8, width=8, blocks=1, features=4, top_features=6, mixtures=2, batch_size=8)


class GatedLayer(nn.Module):
    """One layer of both stacks (figure 2).

    Args:
        first: It is shown the picture itself, of which the vertical stack sees rows above alone.
    """

    def __init__(self, inputs: int, config: Config, *, reach: int, first: bool, groups: int) -> None:
        super().__init__()
        features = config.features
        self.first = first
        self.vertical = RowsConv2d(inputs, 2 * features, reach, own=not first)
        self.across = Conv2d(2 * features, 2 * features, 1, bias=False)
        self.left = LeftConv2d(inputs, 2 * features, reach, own=not first, groups=groups, halves=2)
        self.out = LeftConv2d(features, features, 0, groups=groups)
        self.classes = Linear(config.num_classes, 4 * features, bias=False) if config.num_classes else None

    def forward(self, above: Maps, left: Maps, labels: Labels | None) -> tuple[OutMaps, OutMaps]:
        """The next maps of the vertical and of the horizontal stack."""
        v = self.vertical(above)
        return self.next_above(v, labels), self.next_left(self.across(v), self.left(left), left, labels)

    def next_above(self, v: OutMaps, labels: Labels | None) -> Gated:
        """Of the vertical convolution of its maps."""
        return gate(v + self.told(labels, v)[0])

    def next_left(self, across: OutMaps, h: OutMaps, before: Maps, labels: Labels | None) -> Gated:
        """Of what the vertical stack says, the horizontal convolution, and the horizontal maps before."""
        found = self.out(gate(h + across + self.told(labels, h)[1]))
        return found if self.first else before + found

    def told(self, labels: Labels | None, like: Tensor) -> tuple[Told, Told]:
        """What a class adds in both stacks."""
        if self.classes is None:
            return 0.0, 0.0
        assert labels is not None, "a network with classes is told them"
        said = self.classes(F.one_hot(labels, self.classes.weight.shape[1]).to(like.dtype))[:, :, None, None]
        v, h = said.chunk(2, 1)
        return v, h


def gate(x: OutMaps) -> Gated:
    """``tanh(a) sigmoid(b)`` of the two halves of the maps (eq. 2)."""
    a, b = x.chunk(2, 1)
    return a.tanh() * b.sigmoid()


class Network(nn.Module):
    """From pictures, and classes where there are any, to the numbers of every pixel's distribution."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        groups = groups_of(mixtures=config.mixtures, channels=config.channels)
        outputs = outputs_of(mixtures=config.mixtures, channels=config.channels)
        first = GatedLayer(config.channels, config, reach=FIRST_REACH, first=True, groups=groups)
        others = [
            GatedLayer(config.features, config, reach=config.reach, first=False, groups=groups)
            for _ in range(config.blocks)
        ]
        self.layers = nn.ModuleList([first, *others])
        self.top = LeftConv2d(config.features, config.top_features, 0, groups=groups)
        self.last = LeftConv2d(config.top_features, outputs, 0, groups=groups, std=SMALL_STD)

    def forward(self, images: Images, labels: Labels | None = None) -> Numbers:
        above = left = images
        for layer in self.layers:
            above, left = layer(above, left, labels)
        return self.numbers(left)

    def numbers(self, left: Maps) -> Numbers:
        """What stands above the horizontal stack."""
        return self.last(F.relu(self.top(F.relu(left))))


class StacksDrawing(PixelDrawing):
    """What every layer was shown; the vertical stack is computed once a row, the horizontal one once a pixel."""

    def __init__(self, network: Network, size: tuple[int, int], labels: Labels | None) -> None:
        self.layers = [layer for layer in network.layers if isinstance(layer, GatedLayer)]
        self.network, self.labels = network, labels
        self.above = [layer.vertical.shown(size) for layer in self.layers]
        self.left = [layer.left.shown(size) for layer in self.layers]
        self.across: list[OutMaps] = []

    def start_row(self, images: Images, y: int) -> None:
        """The whole vertical stack at row ``y``, of which the first layer sees rows above alone."""
        row, self.across = images[:, :, max(y - 1, 0) : max(y, 1)], []
        self.above[0].put(row if y else torch.zeros_like(row), max(y - 1, 0))
        for number, layer in enumerate(self.layers):
            if number:
                self.above[number].put(row, y)
            v = layer.vertical.row(self.above[number], y)
            self.across.append(layer.across(v))
            row = layer.next_above(v, self.labels)

    def numbers(self, images: Images, y: int, x: int) -> Float[Tensor, "n numbers 1 1"]:
        """The horizontal stack at one pixel."""
        now = images[:, :, y : y + 1, x : x + 1]
        self.left[0].put(images[:, :, y : y + 1, : x + 1], y)  # What was drawn since is shown as it is now.
        for number, layer in enumerate(self.layers):
            if number:
                self.left[number].put(now, y, x)
            h = layer.left.pixel(self.left[number], y, x)
            now = layer.next_left(self.across[number][..., x : x + 1], h, now, self.labels)
        return self.network.numbers(now)


class Model(PixelGame[Config]):
    """The network and its likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = Network(config)

    def numbers(self, images: Images, labels: Labels | None) -> Numbers:
        """What the network says of every pixel of whole pictures."""
        return self.network(images, labels)

    def drawing(self, n: int, labels: Labels | None) -> PixelDrawing:
        """A start for pictures of the model's size."""
        assert isinstance(self.network, Network)
        return StacksDrawing(self.network, self.config.picture.size, labels)
