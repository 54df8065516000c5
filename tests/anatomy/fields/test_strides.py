"""Strides as exact fractions: against products by hand, and against how the support of the gradient moves."""

from fractions import Fraction

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from ganvas.anatomy.fields.receptive_field import field
from ganvas.anatomy.trace.trace import trace

SHAPE = (1, 3, 32, 32)


class Called(nn.Module):
    """A function of a picture and of one convolution."""

    def __init__(self, function, *settings, **named):
        super().__init__()
        self.function, self.layer = function, nn.Conv2d(*settings, **named)

    def forward(self, x):
        return self.function(self.layer, x)


def resized(**how):
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.Upsample(**how))


def shuffled_by_hand(layer, x):
    y = layer(x)
    n, c, h, w = y.shape
    return y.view(n, c // 4, 2, 2, h, w).permute(0, 1, 4, 2, 5, 3).reshape(n, c // 4, 2 * h, 2 * w)


def cut_by_hand(layer, x):
    n, c, h, w = x.shape
    return layer(x.view(n, c, h // 2, 2, w // 2, 2).permute(0, 1, 3, 5, 2, 4).reshape(n, 4 * c, h // 2, w // 2))


NETWORKS = {
    "unpadded": (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 5), nn.Conv2d(4, 4, 3)), 1),
    "strided": (nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.Conv2d(4, 4, 5, 3, dilation=2)), 6),
    "not square": (nn.Sequential(nn.Conv2d(3, 4, (1, 7), (1, 3)), nn.BatchNorm2d(4), nn.Conv2d(4, 4, (5, 1))), (1, 3)),
    "transposed, padded": (nn.ConvTranspose2d(3, 4, 4, 2, 1), "1/2"),
    "transposed, unpadded": (nn.ConvTranspose2d(3, 4, 5, 3, output_padding=1), "1/3"),
    "down by 3, up by 2": (nn.Sequential(nn.Conv2d(3, 4, 3, 3), nn.ConvTranspose2d(4, 4, 3, 2)), "3/2"),
    "pixel shuffle": (nn.Sequential(nn.Conv2d(3, 16, 3), nn.PixelShuffle(2)), "1/2"),
    "pixel shuffle by hand": (Called(shuffled_by_hand, 3, 16, 3), "1/2"),
    "pixel unshuffle": (nn.Sequential(nn.PixelUnshuffle(2), nn.Conv2d(12, 4, 3)), 2),
    "pixel unshuffle by hand": (Called(cut_by_hand, 12, 4, 3), 2),
    "nearest": (resized(scale_factor=2), "1/2"),
    "bilinear": (resized(scale_factor=2, mode="bilinear"), "1/2"),
    "ceil mode": (nn.Sequential(nn.Conv2d(3, 4, 1), nn.AvgPool2d(3, 2, ceil_mode=True)), 2),
    "adaptive": (nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(8)), 4),
    "flipped": (Called(lambda layer, x: layer(x).flip(3), 3, 4, 3, stride=2), (2, -2)),
    "reflected": (nn.Sequential(nn.ReflectionPad2d(2), nn.Conv2d(3, 4, 5, 2)), 2),
    "skip": (Called(lambda layer, x: x + layer(x), 3, 3, 3, padding=1), 1),
}


def reached(model, unit):
    """Where the gradient of a unit with positive weights is not zero."""
    for parameter in model.parameters():
        nn.init.constant_(parameter, 0.1)
    x = torch.ones(SHAPE, dtype=torch.float64, requires_grad=True)
    (found,) = torch.autograd.grad(model.double().eval()(x)[0, :, unit[0], unit[1]].sum(), x)
    return found[0].abs().sum(0).numpy() > 0


@pytest.mark.parametrize("name", NETWORKS)
def test_the_fields_of_units_lie_their_stride_apart(name):
    model, expected = NETWORKS[name]
    expected = tuple(map(Fraction, expected if isinstance(expected, tuple) else (expected,) * 2))
    graph = trace(model, SHAPE)
    found = field(graph)
    assert tuple(one.pixels for one in found.stride) == expected
    assert not any(one.note for one in found.stride)
    # As many units on as the denominator says, the gradient's support lies the numerator's pixels on.
    here, parts = reached(model, found.unit), [stride.denominator for stride in expected]
    moved = reached(model, [at + part for at, part in zip(found.unit, parts, strict=True)])
    assert here.any()
    assert np.array_equal(moved, np.roll(here, [stride.numerator for stride in expected], axis=(0, 1)))


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (resized(size=(13, 20)), ["32/13 on average, not uniform", "8/5 on average, not uniform"]),
        (resized(scale_factor=2, mode="bilinear", align_corners=True), ["31/63 on average, not uniform"] * 2),
        (nn.Sequential(nn.Conv2d(3, 4, 1), nn.AdaptiveAvgPool2d(5)), ["32/5 on average, not uniform"] * 2),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.AdaptiveAvgPool2d(1)), ["none: every unit reads the same"] * 2),
        (nn.Sequential(nn.Conv2d(3, 4, 3), nn.Flatten(), nn.Linear(3600, 2)), ["none: every unit reads the same"] * 2),
        (  # A map of 15 is stretched to 32 beside a skip of stride 1: 2 x 15 / 32.
            Called(lambda layer, x: x + F.interpolate(layer(x), size=x.shape[2:]), 3, 3, 3, stride=2),
            ["not uniform: 15/16 and 1 on different paths"] * 2,
        ),
        (
            Called(lambda layer, x: layer(x).flatten(2), 3, 4, 8, stride=8),
            ["not uniform: rows follow one another along one axis"] * 2,
        ),
        (
            Called(lambda layer, x: layer(x) + layer(x).mT, 3, 4, 3),
            ["not uniform: it follows two axes of the layer"] * 2,
        ),
    ],
)
def test_where_there_is_no_one_stride_it_is_said(model, said):
    assert [str(one) for one in field(trace(model, SHAPE)).stride] == said


def test_words_made_into_a_picture_again_have_their_patches_stride():
    class Patches(nn.Module):
        def __init__(self):
            super().__init__()
            self.cut, self.mix = nn.Conv2d(3, 8, 8, 8), nn.Linear(8, 8)

        def forward(self, x):
            y = self.cut(x)
            return self.mix(y.flatten(2).transpose(1, 2)).transpose(1, 2).unflatten(2, y.shape[2:])

    found = field(trace(Patches(), SHAPE))
    assert [str(one) for one in found.stride] == ["8", "8"]
    assert (found.unit, found.size, found.first) == ((1, 1), (8, 8), (8, 8))
