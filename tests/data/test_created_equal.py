import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.created_equal import CreatedEqualTriangles, corners_of, covered
from ganvas.data.sources.opening_sources import open_source


def test_a_picture_is_the_same_alone_and_among_others():
    triangles = CreatedEqualTriangles(20, count=600, seed=3)
    every = triangles.pictures(0, 600)
    assert every.shape == (600, 20, 20, 1)
    assert np.array_equal(triangles.pictures(357, 358)[0], every[357])
    assert not np.array_equal(CreatedEqualTriangles(20, count=600, seed=4).pictures(0, 600), every)


def test_corners_lie_on_a_circle_of_ten_and_a_half_pixels_with_their_mean_in_the_middle():
    corners = corners_of(CreatedEqualTriangles(28, count=500).angles(np.arange(500)), 28).astype(np.float64)
    assert corners.mean(1) == pytest.approx(np.full((500, 2), 14.0), abs=1e-4)
    sides = np.linalg.norm(corners - np.roll(corners, 1, 1), axis=2)
    turned = corners - corners[:, :1]
    area = np.abs(turned[:, 1, 0] * turned[:, 2, 1] - turned[:, 1, 1] * turned[:, 2, 0]) / 2
    assert sides.prod(1) / (4 * area) == pytest.approx(np.full(500, 10.5), rel=1e-4)  # The circumscribed circle.


def test_angles_are_spread_over_their_thirds_and_turned_together_by_six_degrees():
    angles = CreatedEqualTriangles(28, count=4000).angles(np.arange(4000)).astype(np.float64)
    offsets = angles - np.array([10, 130, 250])
    assert offsets.min() >= 0
    assert offsets.max() < 110 + 2 * np.pi
    assert (offsets.max(1) - offsets.min(1)).max() < 110
    assert offsets.mean(0) == pytest.approx(np.full(3, 55 + np.pi), abs=4 * 32 / np.sqrt(4000))
    # The common turn alone makes two offsets vary together: its variance is (2 pi)^2 / 12.
    assert np.cov(offsets[:, 0], offsets[:, 1])[0, 1] == pytest.approx(np.pi**2 / 3, abs=4 * 32**2 / np.sqrt(4000))


def test_the_black_of_a_picture_adds_up_to_the_area_of_its_triangle():
    triangles = CreatedEqualTriangles(28, count=100)
    corners = corners_of(triangles.angles(np.arange(100)), 28).astype(np.float64)
    turned = corners - corners[:, :1]
    area = np.abs(turned[:, 1, 0] * turned[:, 2, 1] - turned[:, 1, 1] * turned[:, 2, 0]) / 2
    black = (255 - triangles.pictures(0, 100).astype(np.float64)).sum((1, 2, 3)) / 255
    assert black == pytest.approx(area, abs=0.6)  # An edge of 20 pixels, each out by 1/64 at random, and rounded.


def test_a_square_pixel_cut_in_half_is_half_covered():
    corners = np.array([[[0, 0], [0, 8], [8, 0]]], np.float32)
    light = covered(corners, 8)[0]
    assert light[0, 0] == 1
    assert light[7, 7] == 0
    assert light[3, 4] == pytest.approx(0.5, abs=1 / 16)  # On the diagonal.


def test_they_are_a_source_with_a_name_of_their_own():
    source = open_source("triangles:created-equal,50,16x16,seed=2")
    assert (source.count, source.height, source.width, source.channels) == (50, 16, 16, 1)
    images = np.concatenate([block.images for block in source.blocks(7)])
    assert np.array_equal(images, CreatedEqualTriangles(16, count=50, seed=2).pictures(0, 50))
    assert source.location == "triangles:created-equal,50,16x16,seed=2"
    assert open_source("triangles:created-equal").height == 28
    assert source.identity() != open_source("triangles:50,16x16,seed=2").identity()


def test_what_cannot_be_drawn_is_refused():
    with pytest.raises(UserError, match="square"):
        open_source("triangles:created-equal,16x24")
    with pytest.raises(UserError, match="at least 8"):
        CreatedEqualTriangles(4)
    with pytest.raises(UserError, match="not among the 20"):
        CreatedEqualTriangles(count=20).pictures(10, 30)
