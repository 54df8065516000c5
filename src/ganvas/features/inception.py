"""Inception-v3 of 2015-12-05: what FID, KID and the Inception Score are defined by.

Szegedy et al. 2016, Rethinking the Inception Architecture, https://arxiv.org/abs/1512.00567; the frozen graph that
Salimans et al. 2016 and Heusel et al. 2017 measured with differs from the paper and from torchvision's network:

- pictures come to 299 x 299 by TensorFlow 1's bilinear resize (:func:`~ganvas.features.resize.tf1_bilinear`), and then
  ``(x - 128) / 128``;
- 3 x 3 average pools divide by the pixels that there are, not by 9, at the border;
- the last mixed block pools by maximum where the others average;
- there are 1008 classes, of which the Inception Score takes the logits without their bias.

Taps: ``features`` (2048, the last average pool), ``logits`` (1008, without bias) and ``spatial`` (2023), the first 7 of
192 channels of the tensor ``mixed_6/conv`` of the graph, 17 x 17 places in the order row, column, channel: the 1 x 1
branch of the fourth 17 x 17 block (``Mixed_6d``, counting 6a) after its ReLU. sFID is measured on it (Nash et al. 2021,
https://arxiv.org/abs/2103.03841, as in the evaluator of Dhariwal and Nichol 2021).

The same function as the graph, arranged for speed (see :class:`Inception`): batch norms folded into the convolutions,
1 x 1 convolutions of one input computed as one, channels last.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from ganvas.features.inception_layers import HEAD, LAYERS, SPATIAL_BLOCK, SPATIAL_CHANNELS
from ganvas.features.network import Network, Precision, dtype_of, identity_of
from ganvas.features.release import Release
from ganvas.features.resize import CLEAN, TF1_BILINEAR, clean_bicubic, tf1_bilinear
from ganvas.features.tensors import require, without_prefix
from ganvas.features.weights import Weights

NAME = "inception"
TAPS = {"features": 2048, "logits": 1008, "spatial": 2023}
WEIGHTS = Release(
    file="pt_inception-2015-12-05-6726825d.pth",
    sha256="6726825d0af5f729cebd5821db510b11b1cfad8faad88a03f1befd49fb9129b2",
    size_bytes=95_628_359,
    url="https://github.com/mseitzer/pytorch-fid/releases/download/fid_weights/pt_inception-2015-12-05-6726825d.pth",
    licence="Apache-2.0",
    origin="Google's TensorFlow graph of 2015-12-05, trained on ImageNet, as converted for pytorch-fid",
)
SIZE = 299
_RESIZES = {TF1_BILINEAR: tf1_bilinear, CLEAN: clean_bicubic}
EPSILON = 1e-3  # Of the batch norms.


@dataclass(frozen=True)
class _Conv:
    """A convolution with its batch norm folded in: ``w g / sqrt(v + eps)`` and ``b - m g / sqrt(v + eps)``."""

    weight: Tensor
    bias: Tensor
    stride: int
    padding: tuple[int, int]

    def linear(self, x: Tensor) -> Tensor:
        return F.conv2d(x, self.weight, self.bias, self.stride, self.padding)

    def __call__(self, x: Tensor) -> Tensor:
        return self.linear(x).relu_()


class Inception(Network):
    """Inception-v3 (2015-12-05).

    Two rearrangements change the order of float32 sums and nothing else. The 1 x 1 convolutions that begin the branches
    of a block read one input, so they are one convolution. An average pool that does not count padding commutes with a
    1 x 1 convolution (its weights sum to one, at the border too), so the convolution comes first, and the pool has 32
    to 192 channels instead of up to 1280.
    """

    def __init__(
        self,
        weights: Weights,
        *,
        resize: str = TF1_BILINEAR,
        device: torch.device | str = "cpu",
        precision: Precision = "float32",
    ) -> None:
        self.device, self._dtype = torch.device(device), dtype_of(precision)
        self._resized = _RESIZES[resize]
        self.identity = identity_of("inception-2015-12-05", sha256=weights.sha256, resize=resize, precision=precision)
        tensors = named(weights.tensors)
        self._folded = {name: self._fold(tensors, name) for name in LAYERS}
        self._joined = {block: self._join(block, branches) for block, branches in _JOINED.items()}
        self._head = tensors[HEAD].to(self.device, torch.float32) if HEAD in tensors else None
        self.taps = {tap: size for tap, size in TAPS.items() if tap != "logits"}
        if self._head is not None:
            self.taps |= {"logits": len(self._head)}

    def _rows(self, pictures: Tensor, taps: Sequence[str]) -> dict[str, Tensor]:
        x = (self._resized(pictures, SIZE) - 128) / 128
        x = self._stem(x.to(self._dtype, memory_format=torch.channels_last))
        for block in ("Mixed_5b", "Mixed_5c", "Mixed_5d"):
            x = self._block_5(x, block)
        x = self._block_6a(x)
        for block in ("Mixed_6b", "Mixed_6c"):
            x = self._block_6(x, block)
        rows = {}
        if "spatial" in taps:
            rows["spatial"] = self._spatial(x)
            if len(set(taps)) == 1:
                return rows
        for block in ("Mixed_6d", "Mixed_6e"):
            x = self._block_6(x, block)
        x = self._block_7a(x)
        x = self._block_7(self._block_7(x, "Mixed_7b"), "Mixed_7c")
        rows["features"] = x.float().mean((2, 3))
        if "logits" in taps:
            assert self._head is not None
            rows["logits"] = rows["features"] @ self._head.T
        return rows

    def _stem(self, x: Tensor) -> Tensor:
        for name in ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"):
            x = self._folded[name](x)
        x = F.max_pool2d(x, 3, 2)
        for name in ("Conv2d_3b_1x1", "Conv2d_4a_3x3"):
            x = self._folded[name](x)
        return F.max_pool2d(x, 3, 2)

    def _chain(self, x: Tensor, block: str, *branch: str) -> Tensor:
        for name in branch:
            x = self._folded[f"{block}.branch{name}"](x)
        return x

    def _parts(self, x: Tensor, block: str) -> list[Tensor]:
        """What the joined 1 x 1 convolution gives each branch, before the ReLU."""
        widths = [LAYERS[f"{block}.{name}"].outputs for name in _JOINED[block]]
        return list(self._joined[block].linear(x).split(widths, dim=1))

    def _block_5(self, x: Tensor, block: str) -> Tensor:
        one, five, three, pooled = self._parts(x, block)
        five = self._chain(five.relu(), block, "5x5_2")
        three = self._chain(three.relu(), block, "3x3dbl_2", "3x3dbl_3")
        return torch.cat([one.relu(), five, three, _averaged(pooled)], 1)

    def _block_6a(self, x: Tensor) -> Tensor:
        three = self._chain(x, "Mixed_6a", "3x3")
        double = self._chain(x, "Mixed_6a", "3x3dbl_1", "3x3dbl_2", "3x3dbl_3")
        return torch.cat([three, double, F.max_pool2d(x, 3, 2)], 1)

    def _block_6(self, x: Tensor, block: str) -> Tensor:
        one, seven, double, pooled = self._parts(x, block)
        seven = self._chain(seven.relu(), block, "7x7_2", "7x7_3")
        double = self._chain(double.relu(), block, "7x7dbl_2", "7x7dbl_3", "7x7dbl_4", "7x7dbl_5")
        return torch.cat([one.relu(), seven, double, _averaged(pooled)], 1)

    def _block_7a(self, x: Tensor) -> Tensor:
        three, seven = self._parts(x, "Mixed_7a")
        three = self._chain(three.relu(), "Mixed_7a", "3x3_2")
        seven = self._chain(seven.relu(), "Mixed_7a", "7x7x3_2", "7x7x3_3", "7x7x3_4")
        return torch.cat([three, seven, F.max_pool2d(x, 3, 2)], 1)

    def _block_7(self, x: Tensor, block: str) -> Tensor:
        one, three, double, *pooled = self._parts(x, block)
        three, double = three.relu(), self._chain(double.relu(), block, "3x3dbl_2")
        three = [self._chain(three, block, name) for name in ("3x3_2a", "3x3_2b")]
        double = [self._chain(double, block, name) for name in ("3x3dbl_3a", "3x3dbl_3b")]
        last = _averaged(pooled[0]) if pooled else self._chain(F.max_pool2d(x, 3, 1, 1), block, "_pool")
        return torch.cat([one.relu(), *three, *double, last], 1)

    def _spatial(self, x: Tensor) -> Tensor:
        maps = self._folded[f"{SPATIAL_BLOCK}.branch1x1"](x)[:, :SPATIAL_CHANNELS]
        return maps.permute(0, 2, 3, 1).flatten(1)

    def _fold(self, tensors: Mapping[str, Tensor], name: str) -> _Conv:
        weight, gain, shift, mean, variance = (
            tensors[f"{name}.{part}"].double()
            for part in ("conv.weight", "bn.weight", "bn.bias", "bn.running_mean", "bn.running_var")
        )
        scale = gain / (variance + EPSILON).sqrt()
        return self._conv(weight * scale[:, None, None, None], shift - mean * scale, name)

    def _join(self, block: str, branches: Sequence[str]) -> _Conv:
        parts = [self._folded[f"{block}.{name}"] for name in branches]
        weight, bias = torch.cat([part.weight for part in parts]), torch.cat([part.bias for part in parts])
        return self._conv(weight, bias, f"{block}.{branches[0]}")

    def _conv(self, weight: Tensor, bias: Tensor, name: str) -> _Conv:
        weight = weight.to(self.device, self._dtype).contiguous(memory_format=torch.channels_last)
        return _Conv(weight, bias.to(self.device, self._dtype), LAYERS[name].stride, LAYERS[name].padding)


def _averaged(x: Tensor) -> Tensor:
    """The 3 x 3 average that does not count padding, then the ReLU."""
    x = x.contiguous(memory_format=torch.channels_last)
    return F.avg_pool2d(x, 3, 1, 1, count_include_pad=False).relu_()


_BRANCHES_5 = ("branch1x1", "branch5x5_1", "branch3x3dbl_1", "branch_pool")
_BRANCHES_6 = ("branch1x1", "branch7x7_1", "branch7x7dbl_1", "branch_pool")
_BRANCHES_7 = ("branch1x1", "branch3x3_1", "branch3x3dbl_1")
_JOINED: Mapping[str, tuple[str, ...]] = {
    **{f"Mixed_5{letter}": _BRANCHES_5 for letter in "bcd"},
    **{f"Mixed_6{letter}": _BRANCHES_6 for letter in "bcde"},
    "Mixed_7a": ("branch3x3_1", "branch7x7x3_1"),
    "Mixed_7b": (*_BRANCHES_7, "branch_pool"),
    "Mixed_7c": _BRANCHES_7,  # Its pool is a maximum, which does not commute with a convolution.
}

# pytorch-fid keeps the blocks of its module in four lists; its released file has torchvision's names.
_NUMBERED = (
    ("Conv2d_1a_3x3", "Conv2d_2a_3x3", "Conv2d_2b_3x3"),
    ("Conv2d_3b_1x1", "Conv2d_4a_3x3"),
    tuple(f"Mixed_{name}" for name in ("5b", "5c", "5d", "6a", "6b", "6c", "6d", "6e")),
    tuple(f"Mixed_{name}" for name in ("7a", "7b", "7c")),
)
_NAMES = {f"blocks.{i}.{j}.": f"{name}." for i, names in enumerate(_NUMBERED) for j, name in enumerate(names)}


def named(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """The tensors under one set of names, whichever layout they came in.

    torch-fidelity, pytorch-fid's release and torchvision agree (the last has an auxiliary head and 1000 classes, which
    are left out and kept); a saved module of pytorch-fid has numbered blocks and no classes; any may have a prefix.

    Raises:
        UserError: these are the weights of something else.
    """
    marker = "blocks.0.0.conv.weight"
    if any(name.endswith(marker) for name in tensors):
        numbered = without_prefix(tensors, marker)
        tensors = {
            new + name.removeprefix(old): numbered[name]
            for old, new in _NAMES.items()
            for name in numbered
            if name.startswith(old)
        }
    tensors = without_prefix(tensors, "Conv2d_1a_3x3.conv.weight")
    shapes = {}
    for name, layer in LAYERS.items():
        shapes[f"{name}.conv.weight"] = (layer.outputs, layer.inputs, *layer.kernel)
        for part in ("weight", "bias", "running_mean", "running_var"):
            shapes[f"{name}.bn.{part}"] = (layer.outputs,)
    found = require(tensors, shapes, "Inception-v3")
    if HEAD in tensors:
        found |= require(tensors, {HEAD: (len(tensors[HEAD]), TAPS["features"])}, "Inception-v3")
    return found


def build(weights: Weights | None, *, device: torch.device, precision: Precision) -> Inception:
    """The network with its weights."""
    assert weights is not None
    return Inception(weights, device=device, precision=precision)
