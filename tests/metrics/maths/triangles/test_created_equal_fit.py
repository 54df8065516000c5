import numpy as np
import pytest
import torch

from ganvas.data.created_equal import CreatedEqualTriangles
from ganvas.data.triangles import Triangles
from ganvas.metrics.maths.triangles.created_equal_fit import distance, possible

HOW = {"bank": 1024, "steps": 14, "seed": 0}


def pictures(n, seed=5, side=28):
    drawn = CreatedEqualTriangles(side, count=n, seed=seed).pictures(0, n)[..., 0]
    return torch.from_numpy(drawn).float() / 255


def test_pictures_of_the_data_set_are_found_on_its_manifold():
    found = distance(pictures(60), **HOW)
    assert found.max() < 0.4
    assert found.median() < 0.05
    assert distance(pictures(10, side=16), **HOW).max() < 0.4


def test_a_picture_that_is_out_by_a_grey_patch_is_as_far_as_the_patch():
    # A patch of 4 x 4 at 3/4 of white in a corner where there is no triangle: sqrt(16) / 4.
    changed = pictures(20)
    changed[:, :4, :4] -= 0.25
    assert distance(changed, **HOW).numpy() == pytest.approx(np.ones(20), abs=0.02)


def test_noise_is_nearly_as_far_as_it_is_large():
    # Three of 784 directions lie along the manifold; noise on black and white is cut at them, by half of its square.
    noise = 0.05 * torch.randn(20, 28, 28, generator=torch.Generator().manual_seed(0))
    found = distance((pictures(20) + noise).clamp(0, 1), **HOW)
    assert found.mean() == pytest.approx(0.05 * 28 / 2**0.5, abs=0.06)


def test_triangles_of_the_other_set_are_none_even_black_on_white():
    others = 1 - torch.from_numpy(Triangles(28, 28, count=50).pictures(0, 50)[..., 0]).float() / 255
    assert distance(others, **HOW).min() > 2


def test_angles_that_no_common_turn_brings_into_their_thirds_are_not_of_the_set():
    inside = torch.tensor([[10.0, 130.0, 250.0], [126.0, 245.0, 366.0]])
    outside = torch.tensor([[9.0, 130.0, 250.0], [126.0, 130.0, 250.0], [127.0, 247.0, 367.0]])
    assert possible(inside).all()
    assert not possible(outside).any()
