"""PixelCNN: masked convolutions give every pixel a distribution of colours, given those above it and to its left.

Van den Oord, Kalchbrenner, Kavukcuoglu: Pixel Recurrent Neural Networks (ICML 2016), https://arxiv.org/abs/1601.06759,
section 3.5 and table 1. Training looks at all pixels at once, and the likelihood of a picture is exact. Of a pixel's
colours, green is given red, and blue is given both: maps are dealt to the three in equal parts.

It is blind to some pixels that it ought to see. Nothing to the right is seen without a step up, and a kernel of 3x3
goes one column to the right for each row up, however deep the stack is: of the row just above, the first kernel sees
three columns to the right, and of each row further up one more (van den Oord et al. 2016b, figure 1,
https://arxiv.org/abs/1606.05328).
:mod:`ganvas.models.autoregressive.gated_pixelcnn` has two stacks and no blind spot.

Departs from the paper:
- Adam in the place of RMSprop, and what is measured and draws is a running average of the weights.
- The layer that gives the colours starts small, and so does the last of each block; the paper does not say how weights
  start.
- ``mixtures`` above 0 gives colours by a mixture of logistics in the place of the softmax (Salimans et al. 2017).
"""

from dataclasses import dataclass

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Labels
from ganvas.losses.games.pixel_game import SMALL_STD, Numbers, PixelDrawing, PixelGame, groups_of, outputs_of
from ganvas.nn.layers.causal_conv import LeftConv2d, Maps, OutMaps, RowsConv2d

FIRST_REACH, REACH = 3, 1  # Kernels of 7 x 7 and of 3 x 3.


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are the paper's, for CIFAR-10."""

    height: int = 32
    width: int = 32
    channels: int = 3
    blocks: int = 15  # Residual blocks.
    features: int = 128  # h: maps inside a block; there are twice as many between blocks.
    top_features: int = 1024  # Of the two layers before the colours.
    mixtures: int = 0  # Logistic components of a pixel; 0 for a softmax over 256 colours.
    batch_size: int = 16
    lr: float = 1e-3
    beta1: float = 0.9
    beta2: float = 0.999
    eps: float = 1e-8
    average_decay: float = 0.999  # Of the weights, per step.

    def __post_init__(self) -> None:
        at_least(self, 1, "height", "width", "blocks", "features", "top_features", "batch_size")
        at_least(self, 0, "mixtures")
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


TINY = Config(height=8, width=8, blocks=1, features=4, top_features=6, batch_size=8)


class MaskedConv2d(nn.Module):
    """The masked kernel of a side of ``2 reach + 1``: rows above, and the own row so far."""

    def __init__(self, in_channels: int, out_channels: int, reach: int, *, own: bool, groups: int) -> None:
        super().__init__()
        self.above = RowsConv2d(in_channels, out_channels, reach)
        self.left = LeftConv2d(in_channels, out_channels, reach, own=own, groups=groups, bias=False)

    def forward(self, x: Maps) -> OutMaps:
        return self.above(x) + self.left(x)


class MaskedBlock(nn.Module):
    """``x + 1x1(relu(3x3(relu(1x1(relu(x))))))`` (figure 5, left), all masked."""

    def __init__(self, features: int, groups: int) -> None:
        super().__init__()
        self.into = LeftConv2d(2 * features, features, 0, groups=groups)
        self.masked = MaskedConv2d(features, features, REACH, own=True, groups=groups)
        self.out = LeftConv2d(features, 2 * features, 0, groups=groups, std=SMALL_STD)

    def forward(self, x: Maps) -> Maps:
        return x + self.out(F.relu(self.masked(F.relu(self.into(F.relu(x))))))


class Network(nn.Module):
    """From pictures to the numbers of every pixel's distribution (table 1)."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        wide, groups = 2 * config.features, groups_of(mixtures=config.mixtures, channels=config.channels)
        outputs = outputs_of(mixtures=config.mixtures, channels=config.channels)
        self.first = MaskedConv2d(config.channels, wide, FIRST_REACH, own=False, groups=groups)
        self.blocks = nn.ModuleList(MaskedBlock(config.features, groups) for _ in range(config.blocks))
        widths = [(wide, config.top_features), (config.top_features, config.top_features)]
        self.top = nn.ModuleList(LeftConv2d(before, after, 0, groups=groups) for before, after in widths)
        self.last = LeftConv2d(config.top_features, outputs, 0, groups=groups, std=SMALL_STD)

    def forward(self, images: Images) -> Numbers:
        x = self.first(images)
        for block in self.blocks:
            x = block(x)
        return self.numbers(x)

    def numbers(self, x: Maps) -> Numbers:
        """What stands above the blocks."""
        for layer in self.top:
            x = layer(F.relu(x))
        return self.last(F.relu(x))


class MaskedDrawing(PixelDrawing):
    """What every masked layer was shown, and what it makes of the rows above the one that is being drawn."""

    def __init__(self, network: Network, size: tuple[int, int]) -> None:
        self.network = network
        self.blocks = [block for block in network.blocks if isinstance(block, MaskedBlock)]
        self.layers = [network.first, *(block.masked for block in self.blocks)]
        self.shown_above = [layer.above.shown(size) for layer in self.layers]
        self.shown_left = [layer.left.shown(size) for layer in self.layers]
        self.above: list[OutMaps] = []

    def start_row(self, images: Images, y: int) -> None:
        """What each layer makes of the rows above; the first learns the newest of them from the pictures."""
        if y:
            self.shown_above[0].put(images[:, :, y - 1 : y], y - 1)
        self.above = []
        for layer, shown in zip(self.layers, self.shown_above, strict=True):
            if shown.values is None:
                shown.put(images.new_zeros(len(images), layer.above.weight.shape[1], 1, images.shape[3]), 0)
            self.above.append(layer.above.row(shown, y))

    def numbers(self, images: Images, y: int, x: int) -> Float[Tensor, "n numbers 1 1"]:
        """The network on one pixel, of which each masked layer sees what it was shown before."""
        self.shown_left[0].put(images[:, :, y : y + 1, : x + 1], y)  # What was drawn since is shown as it is now.
        now = self._masked(0, y, x)
        for number, block in enumerate(self.blocks, start=1):
            inside = F.relu(block.into(F.relu(now)))
            self.shown_left[number].put(inside, y, x)
            self.shown_above[number].put(inside, y, x)
            now = now + block.out(F.relu(self._masked(number, y, x)))
        return self.network.numbers(now)

    def _masked(self, number: int, y: int, x: int) -> OutMaps:
        return self.above[number][..., x : x + 1] + self.layers[number].left.pixel(self.shown_left[number], y, x)


class Model(PixelGame[Config]):
    """The network and its likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = Network(config)

    def numbers(self, images: Images, labels: Labels | None) -> Numbers:
        """What the network says of every pixel of whole pictures."""
        return self.network(images)

    def drawing(self, n: int, labels: Labels | None) -> PixelDrawing:
        """A start for pictures of the model's size."""
        assert isinstance(self.network, Network)
        return MaskedDrawing(self.network, self.config.picture.size)
