import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.sources.opening_sources import open_source
from ganvas.data.triangles import LEAST_AREA, Triangles, area, coverage


def test_a_picture_is_the_same_alone_and_among_others():
    triangles = Triangles(20, 30, count=600, seed=3)
    every = triangles.pictures(0, 600)
    assert every.shape == (600, 20, 30, 1)
    assert np.array_equal(triangles.pictures(357, 358)[0], every[357])
    assert np.array_equal(Triangles(20, 30, count=1000, seed=3).pictures(0, 600), every)
    assert not np.array_equal(Triangles(20, 30, count=600, seed=4).pictures(0, 600), every)


def test_the_light_of_a_triangle_adds_up_to_its_area():
    # Of a ramp of one pixel across an edge, half is given and half is taken; corners round off a little.
    triangles = Triangles(64, 64, count=200)
    corners = triangles.corners(np.arange(200))
    light = coverage(corners, 64, 64).sum((1, 2))
    inner = (corners > 1).all((1, 2)) & (corners < 63).all((1, 2))  # Others lose the outer half of their ramp.
    assert inner.sum() > 50
    assert np.abs(light - area(corners))[inner].max() < 8
    assert np.abs(light - area(corners))[inner].mean() < 2


def test_a_square_of_whole_pixels_is_drawn_as_such():
    corners = np.array([[[2, 3], [2, 7], [6, 7], [6, 3]]], np.float32)
    expected = np.zeros((8, 10), np.float32)
    expected[2:6, 3:7] = 1
    assert np.array_equal(coverage(corners, 8, 10)[0], expected)
    assert np.array_equal(coverage(corners[:, ::-1], 8, 10)[0], expected)  # Either way round.


def test_corners_lie_in_the_picture_and_triangles_are_not_thin():
    corners = Triangles(28, 40, count=2000).corners(np.arange(2000))
    assert (corners >= 0).all()
    assert (corners[..., 0] <= 28).all()
    assert (corners[..., 1] <= 40).all()
    assert (area(corners) >= LEAST_AREA * 28 * 40 * (1 - 1e-6)).all()
    assert np.abs(corners.mean((0, 1)) - [14, 20]).max() < 0.5  # Five standard errors.


def test_triangles_are_a_source_like_scenes():
    source = open_source("triangles:50,16x24,seed=2")
    assert (source.count, source.height, source.width, source.channels) == (50, 16, 24, 1)
    images = np.concatenate([block.images for block in source.blocks(7)])
    assert np.array_equal(images, Triangles(16, 24, count=50, seed=2).pictures(0, 50))
    assert source.location == "triangles:50,16x24,seed=2"
    assert open_source("triangles").height == 28
    assert open_source("triangles", size=(32, 48)).width == 48
    identities = {open_source(f"triangles:50,16x24,seed={seed}").identity() for seed in (1, 2, 2)}
    assert len(identities) == 2


def test_what_is_not_understood_is_refused():
    with pytest.raises(UserError, match=r"'blue' is not understood. Triangles are written triangles:COUNT"):
        open_source("triangles:blue")
    with pytest.raises(UserError, match="at least 8"):
        Triangles(4, 40)
    with pytest.raises(UserError, match="not among the 20 triangles"):
        Triangles(count=20).pictures(10, 30)
    with pytest.raises(UserError, match="Did you mean 'triangles'"):
        open_source("triangle")
