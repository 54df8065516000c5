"""Every convolution of Inception-v3, by the name that its weights have: 94, each with a batch norm and a ReLU."""

from collections.abc import Mapping
from typing import NamedTuple

HEAD = "fc.weight"
SPATIAL_BLOCK = "Mixed_6d"  # mixed_6 of the graph: mixed to mixed_2 are 5b-5d, mixed_3 is 6a, mixed_4 is 6b.
SPATIAL_CHANNELS = 7


class Layer(NamedTuple):
    """One convolution."""

    inputs: int
    outputs: int
    kernel: tuple[int, int] = (1, 1)
    stride: int = 1
    padding: tuple[int, int] = (0, 0)


def _square(inputs: int, outputs: int, side: int, *, stride: int = 1, padded: bool = True) -> Layer:
    margin = side // 2 if padded else 0
    return Layer(inputs, outputs, (side, side), stride, (margin, margin))


def _row(inputs: int, outputs: int, length: int) -> Layer:
    return Layer(inputs, outputs, (1, length), 1, (0, length // 2))


def _column(inputs: int, outputs: int, length: int) -> Layer:
    return Layer(inputs, outputs, (length, 1), 1, (length // 2, 0))


def _block_5(inputs: int, pooled: int) -> dict[str, Layer]:
    return {
        "branch1x1": Layer(inputs, 64),
        "branch5x5_1": Layer(inputs, 48),
        "branch5x5_2": _square(48, 64, 5),
        "branch3x3dbl_1": Layer(inputs, 64),
        "branch3x3dbl_2": _square(64, 96, 3),
        "branch3x3dbl_3": _square(96, 96, 3),
        "branch_pool": Layer(inputs, pooled),
    }


def _block_6(inputs: int, width: int) -> dict[str, Layer]:
    return {
        "branch1x1": Layer(inputs, 192),
        "branch7x7_1": Layer(inputs, width),
        "branch7x7_2": _row(width, width, 7),
        "branch7x7_3": _column(width, 192, 7),
        "branch7x7dbl_1": Layer(inputs, width),
        "branch7x7dbl_2": _column(width, width, 7),
        "branch7x7dbl_3": _row(width, width, 7),
        "branch7x7dbl_4": _column(width, width, 7),
        "branch7x7dbl_5": _row(width, 192, 7),
        "branch_pool": Layer(inputs, 192),
    }


def _block_7(inputs: int) -> dict[str, Layer]:
    return {
        "branch1x1": Layer(inputs, 320),
        "branch3x3_1": Layer(inputs, 384),
        "branch3x3_2a": _row(384, 384, 3),
        "branch3x3_2b": _column(384, 384, 3),
        "branch3x3dbl_1": Layer(inputs, 448),
        "branch3x3dbl_2": _square(448, 384, 3),
        "branch3x3dbl_3a": _row(384, 384, 3),
        "branch3x3dbl_3b": _column(384, 384, 3),
        "branch_pool": Layer(inputs, 192),
    }


_STEM = {
    "Conv2d_1a_3x3": _square(3, 32, 3, stride=2, padded=False),
    "Conv2d_2a_3x3": _square(32, 32, 3, padded=False),
    "Conv2d_2b_3x3": _square(32, 64, 3),
    "Conv2d_3b_1x1": Layer(64, 80),
    "Conv2d_4a_3x3": _square(80, 192, 3, padded=False),
}
_BLOCK_6A = {
    "branch3x3": _square(288, 384, 3, stride=2, padded=False),
    "branch3x3dbl_1": Layer(288, 64),
    "branch3x3dbl_2": _square(64, 96, 3),
    "branch3x3dbl_3": _square(96, 96, 3, stride=2, padded=False),
}
_BLOCK_7A = {
    "branch3x3_1": Layer(768, 192),
    "branch3x3_2": _square(192, 320, 3, stride=2, padded=False),
    "branch7x7x3_1": Layer(768, 192),
    "branch7x7x3_2": _row(192, 192, 7),
    "branch7x7x3_3": _column(192, 192, 7),
    "branch7x7x3_4": _square(192, 192, 3, stride=2, padded=False),
}
_BLOCKS = {
    "Mixed_5b": _block_5(192, 32),
    "Mixed_5c": _block_5(256, 64),
    "Mixed_5d": _block_5(288, 64),
    "Mixed_6a": _BLOCK_6A,
    "Mixed_6b": _block_6(768, 128),
    "Mixed_6c": _block_6(768, 160),
    "Mixed_6d": _block_6(768, 160),
    "Mixed_6e": _block_6(768, 192),
    "Mixed_7a": _BLOCK_7A,
    "Mixed_7b": _block_7(1280),
    "Mixed_7c": _block_7(2048),
}

LAYERS: Mapping[str, Layer] = _STEM | {
    f"{block}.{name}": layer for block, layers in _BLOCKS.items() for name, layer in layers.items()
}
