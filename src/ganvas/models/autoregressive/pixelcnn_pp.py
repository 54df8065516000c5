"""PixelCNN++: a picture is drawn pixel by pixel, and its exact likelihood is known.

Salimans, Karpathy, Chen, Kingma: PixelCNN++: Improving the PixelCNN with Discretized Logistic Mixture Likelihood and
Other Modifications (ICLR 2017), https://arxiv.org/abs/1701.05517. ``p(x)`` is the product of every pixel's probability
given those above it and to its left. Two streams of convolutions keep the order: one sees the rows above, the other
those and the pixels to the left; both are halved, and doubled back with short cuts (section 2.3, 2.4). A pixel's
colours are a mixture of logistics (:mod:`ganvas.losses.likelihoods.logistic_mixture`).

Facts that the paper leaves open follow its authors' code: weight normalisation started from data, gated residual
blocks of concatenated ELUs, a channel of ones that tells the network where the picture ends.

Departs from the paper and its code:
- The learning rate is constant; the code lowers it by 5e-6 of itself at every step.
- The start from data is measured without dropout, on about 500 pictures.
- Adam's eps stands outside of the root, as in its paper; the code has it inside, where its gradients are sums over
  pictures and dimensions and so large that neither matters.
- A colour's probability is computed without the code's approximation for narrow bins.
- Samples are rounded to whole colours while they are drawn, as the distribution is one of whole colours.

Pictures are drawn with what every layer has computed before (Ramachandran et al. 2017, https://arxiv.org/abs/1704.06001).
"""

from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from ganvas.core.checks import above, at_least, fractions
from ganvas.core.errors import UserError
from ganvas.core.sample_sizes.picture_size import WholeSize
from ganvas.core.shapes import Images, Labels
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.games.pixel_game import Numbers, PixelDrawing, PixelGame
from ganvas.losses.likelihoods.logistic_mixture import numbers_of
from ganvas.nn.layers.across_ranks import all_ranks_sum
from ganvas.nn.layers.causal_conv import Shown
from ganvas.nn.layers.initialise import filled, normal_, unset
from ganvas.nn.layers.stream_dropout import Drop, dropping, kept

START_STD = 0.05  # Of the directions of weights, before data sets their lengths.
BRANCH_START = 0.1  # Deviation of what a residual branch gives at the start.

Maps = Float[Tensor, "n c h w"]


@dataclass(frozen=True, kw_only=True)
class Config:
    """Every setting of the network and its training; the defaults are the paper's, for CIFAR-10."""

    height: int = 32  # A multiple of 2^(levels - 1).
    width: int = 32
    channels: int = 3
    levels: int = 3  # Resolutions: the picture's, a half, a quarter.
    blocks: int = 5  # Gated residual blocks per resolution, on the way down; as many and one more on the way up.
    features: int = 160
    mixtures: int = 10  # Logistic components of a pixel.
    dropout: float = 0.5
    batch_size: int = 128
    lr: float = 1e-3
    beta1: float = 0.95
    beta2: float = 0.9995
    eps: float = 1e-8
    average_decay: float = 0.9995  # Of the weights, per step; the average is what samples and is measured.

    def __post_init__(self) -> None:
        at_least(self, 1, "levels", "blocks", "features", "mixtures", "batch_size")
        above(self, 0, "lr", "eps")
        fractions(self, "dropout", "beta1", "beta2", "average_decay")
        if self.channels not in (1, 3, 4):
            raise UserError(f"channels={self.channels} must be 1 (grey), 3 (RGB) or 4 (RGBA).")
        assert self.picture

    @property
    def picture(self) -> WholeSize:
        """The size of the pictures."""
        return WholeSize(height=self.height, width=self.width, channels=self.channels, multiple=2 ** (self.levels - 1))


TINY = Config(height=8, width=8, levels=2, blocks=1, features=4, mixtures=2, batch_size=8)


class CausalConv2d(nn.Module):
    """A weight-normalised convolution that sees the rows down to its own, and columns as ``sees`` says.

    ``w = g v / |v|`` per output (Salimans & Kingma 2016, eq. 2). :meth:`forward` while calibrating sets g and b so that
    outputs have mean 0 and deviation ``start`` over the batch (section 3).

    Args:
        kernel: Height and width; the last row is the pixel's own.
        sees: "around" pads both sides of a row, "left" its left side alone.
        stride: 2 halves both sides.
        start: Deviation of an output when data has set it.
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel: tuple[int, int],
        *,
        sees: Literal["around", "left"],
        stride: int = 1,
        start: float = 1.0,
    ) -> None:
        super().__init__()
        height, width = kernel
        side = ((width - 1) // 2, (width - 1) // 2) if sees == "around" else (width - 1, 0)
        self.padding, self.stride, self.start, self.calibrating = (*side, height - 1, 0), stride, start, False
        self.direction = unset(out_channels, in_channels, height, width)
        self.length, self.bias = unset(out_channels), unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        """A random direction of length 1, bias 0: what it stays where no data comes."""
        _reset(self.direction, self.length, self.bias, generator)

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h2 w2"]:
        direction = F.normalize(filled(self.direction).flatten(1), dim=1).view_as(self.direction)
        y = F.conv2d(F.pad(x, self.padding), direction.to(x.dtype), stride=self.stride)
        return _scaled(self, y)


class CausalDoubling(nn.Module):
    """The transposed convolution that doubles both sides and lets no pixel see a later one."""

    def __init__(self, in_channels: int, out_channels: int, *, sees: Literal["around", "left"]) -> None:
        super().__init__()
        self.width = 3 if sees == "around" else 2
        self.start, self.calibrating = 1.0, False
        self.direction = unset(in_channels, out_channels, 2, self.width)
        self.length, self.bias = unset(out_channels), unset(out_channels)

    def reset(self, generator: torch.Generator) -> None:
        """A random direction of length 1, bias 0."""
        _reset(self.direction, self.length, self.bias, generator)

    def forward(self, x: Maps) -> Float[Tensor, "n c2 h2 w2"]:
        flat = filled(self.direction).transpose(0, 1).flatten(1)
        direction = F.normalize(flat, dim=1).view(-1, len(self.direction), 2, self.width).transpose(0, 1)
        y = F.conv_transpose2d(x, direction.to(x.dtype), stride=2, output_padding=1)
        height, width = 2 * x.shape[-2], 2 * x.shape[-1]
        left = (self.width - 1) // 2
        return _scaled(self, y[..., :height, left : left + width])


def _reset(direction: nn.Parameter, length: nn.Parameter, bias: nn.Parameter, generator: torch.Generator) -> None:
    normal_(direction, generator, std=START_STD)
    nn.init.ones_(length)
    nn.init.zeros_(bias)


def _scaled(layer: CausalConv2d | CausalDoubling, y: Maps) -> Maps:
    """Outputs of unit directions times the length, plus the bias; both set from these outputs while calibrating."""
    if layer.calibrating:
        _set_from(layer, y)
    length, bias = filled(layer.length), filled(layer.bias)
    return y * length.to(y.dtype).view(1, -1, 1, 1) + bias.to(y.dtype).view(1, -1, 1, 1)


def _set_from(layer: CausalConv2d | CausalDoubling, y: Maps) -> None:
    """``g = start / sd``, ``b = -mean g`` over the batch of all ranks (Salimans & Kingma 2016, eq. 5 and 6)."""
    count = all_ranks_sum(y.new_tensor(float(y.numel() // y.shape[1])))
    mean = all_ranks_sum(y.sum((0, 2, 3))) / count
    variance = all_ranks_sum((y - mean.view(1, -1, 1, 1)).square().sum((0, 2, 3))) / count
    length = layer.start / (variance + 1e-8).sqrt()
    layer.length.copy_(length)
    layer.bias.copy_(-mean * length)


class GatedBlock(nn.Module):
    """``x + a sigma(b)`` with a and b from two convolutions of concatenated ELUs; what other streams say is added.

    Args:
        beside: Channels of what is looked at beside x, 0 for nothing.
    """

    def __init__(self, features: int, *, sees: Literal["around", "left"], beside: int) -> None:
        super().__init__()
        kernel = (2, 3) if sees == "around" else (2, 2)
        self.first = CausalConv2d(2 * features, features, kernel, sees=sees)
        self.beside = CausalConv2d(2 * beside, features, (1, 1), sees="left") if beside else None
        self.second = CausalConv2d(2 * features, 2 * features, kernel, sees=sees, start=BRANCH_START)

    def forward(self, x: Maps, drop: Drop, beside: Tensor | None = None) -> Maps:
        y = self.first(concat_elu(x))
        if self.beside is not None:
            assert beside is not None
            y = y + self.beside(concat_elu(beside))
        a, b = self.second(drop(concat_elu(y))).chunk(2, 1)
        return x + a * b.sigmoid()


def concat_elu(x: Maps) -> Float[Tensor, "n c2 h w"]:
    """``(elu(x), elu(-x))`` along the channels."""
    return F.elu(torch.cat([x, -x], 1))


class Network(nn.Module):
    """From a picture to the numbers of every pixel's mixture, each a function of the pixels before it alone."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        features, inputs = config.features, config.channels + 1
        self.levels, self.blocks = config.levels, config.blocks
        self.above = CausalConv2d(inputs, features, (2, 3), sees="around")
        self.row_above = CausalConv2d(inputs, features, (1, 3), sees="around")
        self.left = CausalConv2d(inputs, features, (2, 1), sees="left")
        self.down_above, self.down_left = nn.ModuleList(), nn.ModuleList()
        self.up_above, self.up_left = nn.ModuleList(), nn.ModuleList()
        for level in range(config.levels):
            for _ in range(config.blocks):
                self.down_above.append(GatedBlock(features, sees="around", beside=0))
                self.down_left.append(GatedBlock(features, sees="left", beside=features))
            for _ in range(config.blocks + (level > 0)):
                self.up_above.append(GatedBlock(features, sees="around", beside=features))
                self.up_left.append(GatedBlock(features, sees="left", beside=2 * features))
        between = range(config.levels - 1)
        self.halve_above = nn.ModuleList(
            CausalConv2d(features, features, (2, 3), sees="around", stride=2) for _ in between
        )
        self.halve_left = nn.ModuleList(
            CausalConv2d(features, features, (2, 2), sees="left", stride=2) for _ in between
        )
        self.double_above = nn.ModuleList(CausalDoubling(features, features, sees="around") for _ in between)
        self.double_left = nn.ModuleList(CausalDoubling(features, features, sees="left") for _ in between)
        self.last = CausalConv2d(features, numbers_of(config.mixtures, config.channels), (1, 1), sees="left")

    def forward(self, images: Images, drop: Drop = kept) -> Float[Tensor, "n numbers h w"]:
        x = _with_ones(images)
        above = [shifted_down(self.above(x))]
        left = [shifted_down(self.row_above(x)) + shifted_right(self.left(x))]
        for level in range(self.levels):
            for block in range(level * self.blocks, (level + 1) * self.blocks):
                above.append(self.down_above[block](above[-1], drop))
                left.append(self.down_left[block](left[-1], drop, above[-1]))
            if level < self.levels - 1:
                above.append(self.halve_above[level](above[-1]))
                left.append(self.halve_left[level](left[-1]))
        return self.last(F.elu(self._up(above, left, drop)))

    def _up(self, above: list[Tensor], left: list[Tensor], drop: Drop) -> Tensor:
        """The way back to the picture's size; each block takes the newest of what the way down has left."""
        u, ul = above.pop(), left.pop()
        block = 0
        for level in range(self.levels):
            for _ in range(self.blocks + (level > 0)):
                u = self.up_above[block](u, drop, above.pop())
                ul = self.up_left[block](ul, drop, torch.cat([u, left.pop()], 1))
                block += 1
            if level < self.levels - 1:
                u, ul = self.double_above[level](u), self.double_left[level](ul)
        assert not above
        return ul


def shifted_down(x: Maps) -> Maps:
    """Every row holds what the row above it held."""
    return F.pad(x, (0, 0, 1, 0))[..., :-1, :]


def shifted_right(x: Maps) -> Maps:
    """Every column holds what the column to its left held."""
    return F.pad(x, (1, 0, 0, 0))[..., :-1]


class Cached:
    """A convolution with its weights as they are, and what it was shown so far.

    Args:
        size: Height and width of its input.
    """

    def __init__(self, layer: CausalConv2d, size: tuple[int, int]) -> None:
        unit = F.normalize(filled(layer.direction).flatten(1), dim=1).view_as(layer.direction)
        self.weight, self.bias = unit * filled(layer.length).view(-1, 1, 1, 1), filled(layer.bias)
        left, right, above, _ = layer.padding
        self.stride, self.left, self.right, self.above = layer.stride, left, right, above
        self.shown = Shown(size, above=above, left=left, right=right)

    def put(self, x: Maps, y: int, column: int | None) -> None:
        """A row of its input, or a pixel of it."""
        self.shown.put(x, y, column or 0)

    def at(self, x: Maps, y: int, column: int | None) -> Float[Tensor, "n c2 h2 w2"]:
        """What it makes of a row, or of a pixel, and of what was shown before."""
        self.put(x, y, column)
        if column is None:
            return F.conv2d(self.shown.rows(y - self.above, y), self.weight, self.bias, stride=(1, self.stride))
        seen = self.shown.patch(y - self.above, y, column - self.left, column + self.right)
        return F.conv2d(seen, self.weight, self.bias)


class CachedDoubling:
    """One row, or one pixel, of what :class:`CausalDoubling` makes."""

    def __init__(self, layer: CausalDoubling) -> None:
        unit = F.normalize(filled(layer.direction).transpose(0, 1).flatten(1), dim=1)
        unit = unit.view(-1, len(layer.direction), 2, layer.width).transpose(0, 1)
        self.weight, self.bias = unit * filled(layer.length).view(1, -1, 1, 1), filled(layer.bias)

    def row(self, x: Maps, y: int) -> Float[Tensor, "n c2 1 w2"]:
        """Row ``y``, of the row that it is doubled from."""
        weight = self.weight[:, :, y % 2 : y % 2 + 1]
        doubled = F.conv_transpose2d(x, weight, self.bias, stride=(1, 2), output_padding=(0, 1))
        left = (weight.shape[3] - 1) // 2
        return doubled[..., left : left + 2 * x.shape[3]]

    def pixel(self, x: Maps, y: int, column: int) -> Float[Tensor, "n c2 1 1"]:
        """Pixel (y, column), of the pixel that it is doubled from."""
        return F.conv2d(x, self.weight[:, :, y % 2, column % 2].T[:, :, None, None], self.bias)


class CachedBlock:
    """:class:`GatedBlock` on a row or on a pixel."""

    def __init__(self, block: GatedBlock, size: tuple[int, int]) -> None:
        self.first, self.second = Cached(block.first, size), Cached(block.second, size)
        self.beside = None if block.beside is None else Cached(block.beside, size)

    def at(self, x: Maps, y: int, column: int | None = None, beside: Tensor | None = None) -> Maps:
        """What it makes of a row, or of a pixel."""
        found = self.first.at(concat_elu(x), y, column)
        if self.beside is not None:
            assert beside is not None
            found = found + self.beside.at(concat_elu(beside), y, column)
        a, b = self.second.at(concat_elu(found), y, column).chunk(2, 1)
        return x + a * b.sigmoid()


class CachedLevel:
    """One resolution of the network: its blocks on both ways, and what they made of the newest row."""

    def __init__(self, network: Network, level: int, size: tuple[int, int]) -> None:
        def cached(blocks: nn.ModuleList, chosen: range) -> list[CachedBlock]:
            named = list(blocks)[chosen.start : chosen.stop]
            return [CachedBlock(block, size) for block in named if isinstance(block, GatedBlock)]

        down = range(level * network.blocks, (level + 1) * network.blocks)
        below = network.levels - 1 - level  # Resolutions below this one, which come first on the way up.
        start = below * (network.blocks + 1) - (below > 0)
        up = range(start, start + network.blocks + (below > 0))
        self.down_above, self.down_left = cached(network.down_above, down), cached(network.down_left, down)
        self.up_above, self.up_left = cached(network.up_above, up), cached(network.up_left, up)
        self.deepest = below == 0
        self.done_left = Shown(size)  # Of the stream to the left, what leaves the level on the way up.
        self.down_rows: list[Tensor] = []
        self.up_rows: list[Tensor] = []


class StreamsDrawing(PixelDrawing):
    """What every layer was shown while pictures are drawn, so that each computes each of its pixels once.

    A resolution that is 2^k times smaller has a new row at every 2^k-th row of the picture, and in it a new pixel at
    every 2^k-th; between them what it said last stands.
    """

    def __init__(self, network: Network, size: tuple[int, int]) -> None:
        sizes = [(size[0] >> level, size[1] >> level) for level in range(network.levels)]
        self.levels = [CachedLevel(network, level, own) for level, own in enumerate(sizes)]
        self.above, self.row_above = Cached(network.above, size), Cached(network.row_above, size)
        self.left, self.last = Cached(network.left, size), Cached(network.last, size)
        self.halve_above = _halvings(network.halve_above, sizes)
        self.halve_left = _halvings(network.halve_left, sizes)
        self.double_above, self.double_left = _doublings(network.double_above), _doublings(network.double_left)
        self.starts: Tensor | None = None

    def start_row(self, images: Images, y: int) -> None:
        """The stream above, at row ``y`` of every resolution that has a new one."""
        row = _with_ones(images[:, :, max(y - 1, 0) : max(y, 1)])
        u, self.starts = self.above.at(row, max(y - 1, 0), None), self.row_above.at(row, max(y - 1, 0), None)
        if not y:  # Nothing is above the first row.
            u, self.starts = torch.zeros_like(u), torch.zeros_like(self.starts)
        new = []
        for number, level in enumerate(self.levels):
            at = y >> number
            level.down_rows = [u]
            for block in level.down_above:
                level.down_rows.append(u := block.at(u, at))
            new.append(level)
            if level.deepest:
                break
            if at % 2:
                self.halve_above[number].put(u, at, None)
                break
            u = self.halve_above[number].at(u, at, None)
        for number, level in reversed(list(enumerate(new))):
            self._row_up(level, number, y >> number)

    def _row_up(self, level: CachedLevel, number: int, at: int) -> None:
        beside = list(level.down_rows)
        u = beside.pop() if level.deepest else self.double_above[number].row(self.levels[number + 1].up_rows[-1], at)
        level.up_rows = []
        for block in level.up_above:
            level.up_rows.append(u := block.at(u, at, None, beside.pop()))

    def numbers(self, images: Images, y: int, x: int) -> Float[Tensor, "n numbers 1 1"]:
        """Of one pixel; all before it are there."""
        assert self.starts is not None
        v = self.starts[..., x : x + 1]
        if x:  # Nothing is to the left of the first column.
            v = v + self.left.at(_with_ones(images[:, :, y : y + 1, x - 1 : x]), y, x - 1)
        new = []
        for number, level in enumerate(self.levels):
            at, column = y >> number, x >> number
            made = [v]
            for block, row in zip(level.down_left, level.down_rows[1:], strict=True):
                made.append(v := block.at(v, at, column, row[..., column : column + 1]))
            new.append(made)
            if level.deepest:
                break
            if at % 2 or column % 2:
                self.halve_left[number].put(v, at, column)
                break
            v = self.halve_left[number].at(v, at, column)
        for number, made in reversed(list(enumerate(new))):
            v = self._pixel_up(number, made, y >> number, x >> number)
        return self.last.at(F.elu(v), y, x)

    def _pixel_up(self, number: int, beside: list[Tensor], at: int, column: int) -> Tensor:
        level = self.levels[number]
        if level.deepest:
            v = beside.pop()
        else:
            smaller = self.levels[number + 1].done_left.patch(at // 2, at // 2, column // 2, column // 2)
            v = self.double_left[number].pixel(smaller, at, column)
        for block, row in zip(level.up_left, level.up_rows, strict=True):
            v = block.at(v, at, column, torch.cat([row[..., column : column + 1], beside.pop()], 1))
        level.done_left.put(v, at, column)
        return v


def _halvings(layers: nn.ModuleList, sizes: list[tuple[int, int]]) -> list[Cached]:
    """By the number of the resolution that each starts from."""
    return [Cached(layer, own) for layer, own in zip(layers, sizes, strict=False) if isinstance(layer, CausalConv2d)]


def _doublings(layers: nn.ModuleList) -> list[CachedDoubling]:
    """By the number of the resolution that each leads to; the network's own begin with the smallest."""
    return [CachedDoubling(layer) for layer in reversed(list(layers)) if isinstance(layer, CausalDoubling)]


def _with_ones(images: Images) -> Float[Tensor, "n c2 h w"]:
    return torch.cat([images, torch.ones_like(images[:, :1])], 1)


class Model(PixelGame[Config]):
    """The network, its start from data, and its likelihood."""

    def __init__(self, config: Config) -> None:
        super().__init__()
        self.config = config
        self.network = Network(config)

    def calibrate(self, batch: Pictures) -> None:
        """Before the first step: lengths and biases of all weights are set from real pictures, layer by layer."""
        layers = [part for part in self.modules() if isinstance(part, CausalConv2d | CausalDoubling)]
        for layer in layers:
            layer.calibrating = True
        with torch.no_grad():
            self.numbers(batch.images, None)
        for layer in layers:
            layer.calibrating = False

    def numbers(self, images: Images, labels: Labels | None) -> Numbers:
        """What the network says of every pixel of whole pictures."""
        return self.network(images, kept)

    def learning_numbers(self, batch: Pictures, labels: Labels | None) -> Numbers:
        """With dropout from the step's own stream."""
        return self.network(batch.images, dropping(batch.rand, self.config.dropout))

    def drawing(self, n: int, labels: Labels | None) -> PixelDrawing:
        """A start for pictures of the model's size."""
        assert isinstance(self.network, Network)
        return StreamsDrawing(self.network, self.config.picture.size)
