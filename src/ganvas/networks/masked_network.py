"""A fully connected network with masks: what it says of a number, it says without that number and without later ones.

Germain, Gregor, Murray, Larochelle: MADE: Masked Autoencoder for Distribution Estimation (ICML 2015),
https://arxiv.org/abs/1502.03509. Numbers of a sample have places in an order, and every hidden unit a degree: it is
connected to units before it of at most its degree, and an output to hidden units of less than its number's place
(eq. 12 and 13). Masks are functions of their number, made once.
"""

import math
from itertools import pairwise

import torch
import torch.nn.functional as F
from jaxtyping import Float, Int
from torch import Tensor, nn

from ganvas.core.seeds import stream
from ganvas.nn.layers.initialise import filled, normal_, unset

Flat = Float[Tensor, "n d"]
Numbers = Float[Tensor, "n d k"]  # That describe the distribution of each number of a sample.


class MaskedLinear(nn.Module):
    """``x (w m)^T + b`` with a mask of zeros and ones."""

    def __init__(self, inputs: int, outputs: int, *, bias: bool = True) -> None:
        super().__init__()
        self.weight = unset(outputs, inputs)
        self.bias = unset(outputs) if bias else None

    def reset(self, generator: torch.Generator) -> None:
        """Normal weights of variance 1 / fan-in; small biases, so that no unit that sees nothing starts at its kink."""
        fan_in = self.weight.shape[1]
        normal_(self.weight, generator, std=math.sqrt(1 / fan_in))
        if self.bias is not None:
            normal_(self.bias, generator, std=math.sqrt(1 / (3 * fan_in)))

    def forward(self, x: Float[Tensor, "n f"], mask: Float[Tensor, "f2 f"]) -> Float[Tensor, "n f2"]:
        bias = None if self.bias is None else filled(self.bias).to(x.dtype)
        return F.linear(x, (filled(self.weight) * mask).to(x.dtype), bias)

    def some(self, x: Float[Tensor, "n f"], mask: Tensor, units: Tensor) -> Float[Tensor, "n u"]:
        """Some of the outputs alone."""
        bias = None if self.bias is None else filled(self.bias)[units]
        return F.linear(x, filled(self.weight)[units] * mask[units], bias)


class MaskedNetwork(nn.Module):
    """From flattened samples to the numbers of every distribution, by the masks of a set.

    Args:
        numbers: Of a sample, d.
        outputs: Numbers that describe the distribution of one number of a sample, k.
        width: Of every hidden layer.
        depth: Hidden layers.
        masks: Sets of masks.
        shuffle: Each set has an order of its own, by chance; otherwise all have that of the numbers.
        backwards: The order begins at the last number.
        even: Degrees take turns; otherwise they are drawn.
        direct: Outputs are also connected to the numbers before them.
    """

    places: Tensor  # Of the numbers of a sample in each set's order, from 1, (masks, d).
    degrees: Tensor  # Of the hidden units of each set and layer, (masks, depth, width).

    def __init__(
        self,
        numbers: int,
        outputs: int,
        *,
        width: int,
        depth: int,
        masks: int = 1,
        shuffle: bool = False,
        backwards: bool = False,
        even: bool = False,
        direct: bool = False,
    ) -> None:
        super().__init__()
        self.outputs = outputs
        sizes = [numbers, *[width] * depth]
        self.layers = nn.ModuleList(MaskedLinear(before, after) for before, after in pairwise(sizes))
        self.last = MaskedLinear(width, numbers * outputs)
        self.direct = MaskedLinear(numbers, numbers * outputs, bias=False) if direct else None
        places, degrees = [], []
        with torch.device("cpu"):
            for number in range(masks):
                rng = stream(0, "masks", number)
                order = torch.randperm(numbers, generator=rng) if shuffle else torch.arange(numbers)
                places.append(1 + (order.flip(0) if backwards else order))
                most = max(numbers - 1, 1)
                drawn = torch.randint(1, most + 1, (depth, width), generator=rng)
                degrees.append((1 + torch.arange(width) % most).expand(depth, -1) if even else drawn)
        self.register_buffer("places", torch.stack(places), persistent=False)
        self.register_buffer("degrees", torch.stack(degrees), persistent=False)

    def forward(self, x: Flat, number: Int[Tensor, " 1"]) -> Numbers:
        """What the network says of samples, by the set of masks of that number, a tensor of one."""
        *hidden, last, direct = self.masks(number)
        y = x
        for layer, mask in zip(self.layers, hidden, strict=True):
            y = F.relu(layer(y, mask))
        found = self.last(y, last)
        if self.direct is not None:
            found = found + self.direct(x, direct)
        return found.unflatten(1, (x.shape[1], self.outputs))

    def masks(self, number: Int[Tensor, " 1"]) -> list[Tensor]:
        """Of the hidden layers, of the last one, and of the direct connections: 1 where two units are connected."""
        places, degrees = self.places[number][0], self.degrees[number][0]
        before = [places, *degrees]
        hidden = [(after[:, None] >= low).float() for low, after in pairwise(before)]  # Eq. 12.
        wanted = places.repeat_interleave(self.outputs)[:, None]
        return [*hidden, (wanted > before[-1]).float(), (wanted > places).float()]  # Eq. 13.
