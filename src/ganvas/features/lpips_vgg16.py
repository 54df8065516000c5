"""LPIPS: how far apart two pictures look to people, learned from their answers; a distance of pairs, not rows.

Zhang et al. 2018, The Unreasonable Effectiveness of Deep Features as a Perceptual Metric, section 3.
https://arxiv.org/abs/1801.03924

The trunk is VGG-16, after the last ReLU of each of its five stages. At every place the channels are brought to length
one; squared differences are weighed by 1,472 learned numbers, none of them negative, and averaged over places; the five
stages are added up. Pictures are not resized.

The 1,472 numbers are the file of this network; the trunk's are those of ``vgg16`` and are found as that network's.
``lpips`` and torchmetrics carry the same file in their packages.

Departs from the authors' code: a side must have 16 pixels, or the last stage has none (theirs fails in the pool).
"""

from collections.abc import Sequence

import torch
from jaxtyping import Float, UInt8
from torch import Tensor

from ganvas.core.errors import UserError
from ganvas.core.shapes import PerSample
from ganvas.features import vgg16
from ganvas.features.finding import WeightsMissing, find, variable_of
from ganvas.features.network import Network, Precision, dtype_of, exact_float32, identity_of, opaque_rgb
from ganvas.features.release import Release
from ganvas.features.tensors import require
from ganvas.features.vgg16 import CHANNELS, Trunk
from ganvas.features.weights import Weights, load

NAME = "lpips_vgg16"
TAPS = {}
WEIGHTS = Release(
    file="vgg.pth",
    sha256="a78928a0af1e5f0fcb1f3b9e8f8c3a2a5a3de244d830ad5c1feddc79b8432868",
    size_bytes=7_289,
    url="https://raw.githubusercontent.com/richzhang/PerceptualSimilarity/master/lpips/weights/v0.1/vgg.pth",
    licence="BSD-2-Clause",
    origin="Zhang et al., trained on people's judgements, version 0.1",
)
LEAST = 16  # Pixels of a side.
SHIFT, SCALE = (-0.030, -0.088, -0.188), (0.458, 0.448, 0.450)  # Of pictures in [-1, 1]; the authors' code.
FLOOR = 1e-10  # Added to lengths.
AT_ONCE = 1 << 18  # Pixels of one side that are looked at together.


class Lpips(Network):
    """The distance through a trunk, with its heads.

    Args:
        heads: One weight per channel of every stage.
        trunk: VGG-16's; only convolutions are used.
        channels: Of the trunk's convolutions by stage.
    """

    def __init__(
        self,
        heads: Weights,
        trunk: Weights,
        *,
        channels: Sequence[Sequence[int]] = CHANNELS,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        self.device, self._dtype = torch.device(device), dtype_of(precision)
        name = identity_of(NAME, sha256=heads.sha256, resize="own-size", precision=precision)
        self.identity = f"{name}:vgg16@{trunk.sha256[:8]}"
        self.taps = TAPS
        shapes = {f"lin{number}.model.1.weight": (1, stage[-1], 1, 1) for number, stage in enumerate(channels)}
        found = require(heads.tensors, shapes, "LPIPS")
        self._heads = [found[name].to(self.device, self._dtype) for name in shapes]
        self._trunk = Trunk(trunk, channels, device=self.device, dtype=self._dtype)

    @torch.no_grad()
    def distances(self, x: UInt8[Tensor, "n c h w"], y: UInt8[Tensor, "n c h w"]) -> PerSample:
        """Of each pair, float64 on the CPU; 0 for a picture and itself.

        Raises:
            UserError: these are no pictures, or they are too small.
        """
        for pictures in (x, y):
            self._require(pictures, ())
        if min(x.shape[2:]) < LEAST:
            raise UserError(
                f"LPIPS needs sides of at least {LEAST} pixels, and these pictures have {x.shape[2]}x{x.shape[3]} "
                "(height x width). Give larger ones (`--size`)."
            )
        size = max(1, AT_ONCE // (x.shape[2] * x.shape[3]))
        with exact_float32(self.device):
            parts = [self._apart(*pair) for pair in zip(x.split(size), y.split(size), strict=True)]
        return torch.cat(parts).double().cpu() if parts else torch.empty(0, dtype=torch.float64)

    def _apart(self, x: Tensor, y: Tensor) -> PerSample:
        count = len(x)
        seen = _prepared(torch.cat([x.to(self.device), y.to(self.device)]))
        total = torch.zeros(count, device=self.device, dtype=self._dtype)
        for head, features in zip(self._heads, self._trunk.stages(seen), strict=True):
            unit = features / (features.square().sum(1, keepdim=True).sqrt() + FLOOR)
            total += ((unit[:count] - unit[count:]).square() * head).sum(1).mean((1, 2))
        return total

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        raise AssertionError("it has no taps")


def _prepared(pictures: UInt8[Tensor, "n c h w"]) -> Float[Tensor, "n 3 h w"]:
    x = opaque_rgb(pictures).float() / 127.5 - 1
    shift, scale = (x.new_tensor(values)[:, None, None] for values in (SHIFT, SCALE))
    return (x - shift) / scale


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Lpips:
    """The distance with both files of weights.

    Raises:
        WeightsMissing: those of the trunk are not on this machine.
    """
    assert weights is not None
    if find(vgg16.NAME, vgg16.WEIGHTS) is None:
        raise WeightsMissing(
            f"LPIPS looks through VGG-16, whose weights are not here. `ganvas features fetch {vgg16.NAME}` brings "
            f"{vgg16.WEIGHTS.file} ({vgg16.WEIGHTS.megabytes}), or {variable_of(vgg16.NAME)}=FILE names it."
        )
    return Lpips(weights, load(vgg16.NAME, vgg16.WEIGHTS), device=device, precision=precision)
