"""Strokes against areas in closed form, and against distances computed one pixel at a time."""

import itertools
import math

import numpy as np
import pytest

from ganvas.data.holes import capsules
from ganvas.data.holes.capsules import cover_rectangle, cover_stroke


def covered(points, width, size=(400, 500)):
    cover = np.zeros(size, bool)
    cover_stroke(cover, points, width)
    return cover


def test_one_capsule_covers_its_width_times_its_length_and_a_disc():
    area = covered([(100.3, 80.7), (400.1, 300.2)], 31.0).sum()
    length = math.hypot(299.8, 219.5)
    # The rim is 2 L + pi w pixels long and each of its pixels errs by less than half, by chance either way.
    assert area == pytest.approx(31 * length + math.pi * 31**2 / 4, rel=1e-3)


def test_one_point_is_a_disc():
    assert covered([(250.5, 200.5)], 100.0).sum() == pytest.approx(math.pi * 50**2, rel=2e-3)


def test_a_stroke_is_where_the_nearest_of_its_segments_is_near():
    points, width = [(3.2, 5.1), (20.0, 9.5), (11.0, 28.0)], 5.0
    wanted = np.zeros((32, 32), bool)
    for row in range(32):
        for column in range(32):
            wanted[row, column] = _distance(column + 0.5, row + 0.5, points) <= width / 2
    assert np.array_equal(covered(points, width, (32, 32)), wanted)


def test_large_pictures_are_drawn_segment_by_segment_to_the_same_pixels(monkeypatch):
    points = [(3.2, 5.1), (200.0, 90.5), (110.0, 280.0), (110.0, 280.0)]
    together = covered(points, 9.0)
    monkeypatch.setattr(capsules, "AT_ONCE", 1)
    assert np.array_equal(covered(points, 9.0), together)


def test_a_stroke_that_leaves_the_picture_is_cut_off_at_its_border():
    whole = covered([(-30.0, 10.0), (600.0, 10.0)], 4.0)
    assert whole.sum() == 4 * 500
    assert covered([(-100.0, -100.0), (-50.0, -90.0)], 10.0).sum() == 0


def test_a_rectangle_is_cut_off_at_the_border_too():
    cover = np.zeros((10, 12), bool)
    cover_rectangle(cover, -3, 8, 5, 9)
    assert cover.sum() == 2 * 2
    assert cover[8:, :2].all()


def _distance(x, y, points):
    best = math.inf
    for (x0, y0), (x1, y1) in itertools.pairwise(points):
        length = (x1 - x0) ** 2 + (y1 - y0) ** 2
        share = min(max(((x - x0) * (x1 - x0) + (y - y0) * (y1 - y0)) / length, 0), 1)
        best = min(best, math.hypot(x - x0 - share * (x1 - x0), y - y0 - share * (y1 - y0)))
    return best
