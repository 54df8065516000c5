"""Cross-entropy over pixels and the weights of gaps, against scipy's distances."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.pixel_losses import (
    balanced_weights,
    error_map,
    gap_weights,
    parts,
    pixel_cross_entropy,
    squared_distance,
)

ndimage = pytest.importorskip("scipy.ndimage")


def test_equal_logits_cost_the_logarithm_of_the_number_of_classes():
    logits = torch.zeros(2, 5, 3, 4)
    classes = torch.randint(5, (2, 3, 4), generator=stream(0, "x"))
    assert_close(pixel_cross_entropy(logits, classes), torch.full((2,), math.log(5)))
    assert_close(pixel_cross_entropy(logits, classes, summed=True), torch.full((2,), 12 * math.log(5)))


def test_pixels_without_a_class_neither_count_nor_move_anything():
    logits = torch.randn(1, 3, 2, 2, generator=stream(0, "x"), requires_grad=True)
    classes = torch.tensor([[[0, -1], [-1, 2]]])
    loss = pixel_cross_entropy(logits, classes)
    told = -(logits.log_softmax(1)[0, 0, 0, 0] + logits.log_softmax(1)[0, 2, 1, 1]) / 2
    assert_close(loss[0], told)
    loss.sum().backward()
    assert not logits.grad[..., 0, 1].any()
    assert pixel_cross_entropy(logits, torch.full((1, 2, 2), -1)).item() == 0


def test_distances_are_those_of_scipy():
    rng = np.random.default_rng(0)
    inside = rng.random((13, 17)) < 0.1
    found = squared_distance(torch.from_numpy(inside)).sqrt()
    assert_close(found.double(), torch.from_numpy(ndimage.distance_transform_edt(~inside)), rtol=1e-6, atol=1e-6)


def test_balanced_weights_are_powers_of_a_classs_share_and_one_on_average():
    classes = torch.tensor([[[0, 0, 0, 1]], [[2, 2, 2, -1]], [[-1, -1, -1, -1]]])
    found = balanced_weights(classes, kinds=3, exponent=0.5).flatten(1)
    common, rare = (3 / 4) ** -0.5, (1 / 4) ** -0.5
    mean = (3 * common + rare) / 4
    wanted = torch.tensor([[common, common, common, rare]]) / mean
    assert_close(found, torch.cat([wanted, torch.tensor([[1.0, 1, 1, 0], [0, 0, 0, 0]])]))
    each = balanced_weights(classes[:1], kinds=3, exponent=1.0).flatten(1)
    assert_close(each, torch.tensor([[2 / 3, 2 / 3, 2 / 3, 2]]))  # Both classes add up to two pixels.


def test_parts_are_those_of_scipy_and_classes_that_touch_are_apart():
    rng = np.random.default_rng(1)
    classes = rng.integers(0, 3, (11, 14))
    found = parts(torch.from_numpy(classes)).numpy()
    assert ((found == 0) == (classes == 0)).all()
    wanted = sum(ndimage.label(classes == k)[1] for k in (1, 2))
    assert found.max() == wanted
    assert all(len(np.unique(classes[found == n])) == 1 for n in range(1, found.max() + 1))


def test_the_weight_between_two_discs_is_that_of_equation_2():
    y, x = np.mgrid[:24, :40]
    left, right = (y - 12) ** 2 + (x - 12) ** 2 <= 36, (y - 12) ** 2 + (x - 27) ** 2 <= 36
    classes = torch.from_numpy((left | right).astype(np.int64))[None]
    one, other = (ndimage.distance_transform_edt(~disc) for disc in (left, right))
    wanted = 1 + 10 * np.exp(-((one + other) ** 2) / (2 * 5**2)) * ~(left | right)
    found = gap_weights(classes, gap_weight=10.0, sigma=5.0)
    assert_close(found[0].double(), torch.from_numpy(wanted), rtol=1e-4, atol=1e-4)
    assert found[0, 12, 19] > 4, "the gap weighs more"
    assert (
        gap_weights((classes > 0).long() * torch.from_numpy(left.astype(np.int64)), gap_weight=10.0, sigma=5.0) == 1
    ).all()


def test_a_map_of_errors_is_black_where_pictures_agree_and_white_from_a_quarter_of_all_colours_on():
    truth = torch.zeros(1, 4, 1, 4)
    made = truth.clone()
    made[0, :3, 0, 1], made[0, 0, 0, 2], made[0, 2, 0, 3] = 0.25, 0.75, -0.9  # 1/8 of 2; thrice that in one colour.
    made[0, 3] = 1  # Alpha is not looked at, and the map is opaque.
    assert_close(error_map(made, truth)[0, :, 0], torch.tensor([[-1, 0, 0, 0.2]] * 3 + [[1.0] * 4]))
    assert error_map(torch.ones(1, 1, 1, 1), -torch.ones(1, 1, 1, 1)).item() == 1
