"""Contextual attention against the published form, one picture at a time as its equations read."""

import pytest
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.nn.blocks import contextual_attention
from ganvas.nn.blocks.contextual_attention import ContextualAttention

pytestmark = pytest.mark.usefixtures("float64")


def published(x, mask, *, fuse, scale=10.0):
    """Kernels cut out of the features, two passes with a unit matrix as kernel, a transposed convolution."""
    made = []
    for features, hole in zip(x, 1 - mask, strict=True):
        c, height, width = features.shape
        h, w = height // 2, width // 2
        small = features[None, :, ::2, ::2]
        kernels = F.unfold(small, 3, padding=1)[0].T.reshape(h * w, c, 3, 3)
        kernels = kernels / kernels.flatten(1).norm(dim=1).clamp_min(1e-4)[:, None, None, None]
        free = (F.unfold(hole[None, :, ::2, ::2], 3, padding=1)[0].mean(0) == 0).double()
        scores = F.conv2d(small, kernels, padding=1)[0].flatten(1).T[None, None]
        if fuse:
            diagonal = torch.eye(3)[None, None]
            for a, b in ((h, w), (w, h)):
                scores = F.conv2d(scores, diagonal, padding=1).reshape(a, b, a, b)
                scores = scores.permute(1, 0, 3, 2).reshape(1, 1, h * w, h * w)
        weights = torch.softmax(scores[0, 0] * free * scale, 1) * free
        patches = F.unfold(F.pad(features[None], (1, 1, 1, 1)), 4, stride=2)[0].T.reshape(h * w, c, 4, 4)
        made.append(F.conv_transpose2d(weights.T.reshape(1, h * w, h, w), patches, stride=2, padding=1) / 4)
    return torch.cat(made)


@pytest.mark.parametrize("fuse", [True, False])
@pytest.mark.parametrize("chunk", [1 << 20, 500], ids=["whole", "in chunks"])
def test_values_and_gradients_are_those_of_the_published_form(fuse, chunk, rng, monkeypatch):
    monkeypatch.setattr(contextual_attention, "CHUNK", chunk)
    x = torch.randn(2, 3, 12, 16, generator=rng).requires_grad_()
    mask = torch.ones(2, 1, 12, 16)
    mask[0, :, 3:8, 4:9], mask[1, :, :4, 10:] = 0, 0
    found, wanted = ContextualAttention(fuse=fuse)(x, mask), published(x, mask, fuse=fuse)
    assert_close(found, wanted)
    direction = torch.randn(found.shape, generator=rng)
    gradients = [torch.autograd.grad((made * direction).sum(), x)[0] for made in (found, wanted)]
    assert_close(*gradients)


def test_nothing_known_gives_nothing(rng):
    x = torch.randn(1, 2, 8, 8, generator=rng)
    assert not ContextualAttention()(x, torch.zeros(1, 1, 8, 8)).any()


def test_a_picture_of_one_colour_is_pasted_as_it_is_where_all_is_known():
    x = torch.full((1, 2, 16, 16), 0.75)
    made = ContextualAttention(fuse=False)(x, torch.ones(1, 1, 16, 16))
    # Patches at the border hold zeros of the padding; inside, every pixel is a mean of equal ones less those zeros.
    assert made[0, :, 6:10, 6:10].std() < 1e-2
