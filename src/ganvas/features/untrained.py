"""A convolutional network of random weights: sees coarse colour and texture, needs no download, and means little.

It is there so that everything that compares features can be tried, tested and timed without a network connection, and
as a floor: a metric that tells two sets apart by random features sees more than chance. Random convolutional features
do order simple corruptions (Naeem et al. 2020, https://arxiv.org/abs/2002.09797, measure with a random VGG-16), but
no published number was made with these.

Pictures are resized to 32 x 32 by bicubic interpolation with antialiasing. Three strided 3 x 3 convolutions with He
weights follow, with ReLU; ``features`` are the means over the last map, ``logits`` a random linear map of them, and
``spatial`` seven channels of the second map.
"""

import itertools
from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.core.seeds import stream
from ganvas.features.network import Network, Precision, dtype_of
from ganvas.features.resize import BICUBIC, bicubic
from ganvas.features.weights import Weights

NAME = "untrained"
TAPS = {"features": 256, "logits": 10, "spatial": 448}
WEIGHTS = None
SIZE = 32
CHANNELS = (3, 32, 64, 256)


class Untrained(Network):
    """The network of one seed."""

    taps = TAPS

    def __init__(self, *, seed: int = 0, device: torch.device | str = "cpu", precision: Precision = "float32") -> None:
        self.device, self._dtype = torch.device(device), dtype_of(precision)
        shapes = [(*pair[::-1], 3, 3) for pair in itertools.pairwise(CHANNELS)]
        self._kernels = [self._draw(seed, f"kernel {level}", shape) for level, shape in enumerate(shapes)]
        self._head = self._draw(seed, "head", (TAPS["logits"], TAPS["features"]))
        self.identity = f"untrained@seed{seed}:{BICUBIC}-{SIZE}:uint8{':bf16' if precision == 'bfloat16' else ''}"

    def _draw(self, seed: int, purpose: str, shape: tuple[int, ...]) -> Tensor:
        """Normal weights of variance 2 / fan-in."""
        fan_in = torch.Size(shape[1:]).numel()
        drawn = torch.randn(shape, generator=stream(seed, "untrained features", purpose)) * (2 / fan_in) ** 0.5
        return drawn.to(self.device, self._dtype)

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        x = (bicubic(pictures, SIZE) / 127.5 - 1).to(self._dtype)
        maps = []
        for kernel in self._kernels:
            x = F.relu(F.conv2d(x, kernel, stride=2, padding=1))
            maps.append(x)
        features = x.float().mean((2, 3))
        return {"features": features, "logits": features @ self._head.float().T, "spatial": maps[1][:, :7].flatten(1)}


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Untrained:
    """The network of seed 0."""
    return Untrained(device=device, precision=precision)
