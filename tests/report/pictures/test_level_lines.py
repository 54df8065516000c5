import numpy as np
import pytest

from ganvas.report.pictures.level_lines import level_lines, spread_levels

LINE = np.linspace(-2, 2, 81)
X, Y = np.meshgrid(LINE, LINE)


def lengths(pieces):
    return np.sqrt(((pieces[:, 1] - pieces[:, 0]) ** 2).sum(1)).sum() * (LINE[1] - LINE[0])


@pytest.mark.parametrize("radius", [0.5, 1.0, 1.5])
def test_the_level_lines_of_a_distance_are_circles_of_that_length(radius):
    pieces = level_lines(np.hypot(X, Y), radius)
    at = LINE[0] + pieces * (LINE[1] - LINE[0])
    assert np.hypot(at[..., 0], at[..., 1]) == pytest.approx(np.full(at.shape[:2], radius), abs=2e-3)
    assert lengths(pieces) == pytest.approx(2 * np.pi * radius, rel=2e-3)


def test_a_plane_is_cut_along_a_straight_line_at_its_place():
    pieces = level_lines(X, 0.123)
    assert LINE[0] + pieces[..., 1] * (LINE[1] - LINE[0]) == pytest.approx(np.full(pieces.shape[:2], 0.123))
    assert lengths(pieces) == pytest.approx(4)


@pytest.mark.parametrize(("middle", "joined"), [(0.2, True), (-0.2, False)])
def test_a_saddle_is_joined_as_its_middle_says(middle, joined):
    # Corners 1 -1 / -1 1 lifted by the middle: two pieces, which cut off the low corners or the high ones.
    pieces = level_lines(np.array([[1.0, -1.0], [-1.0, 1.0]]) + middle, 0.0)
    assert len(pieces) == 2
    low_corners = np.array([[0.0, 1.0], [1.0, 0.0]])
    nearest = [np.abs(piece.mean(0) - low_corners).sum(1).min() for piece in pieces]
    assert (max(nearest) < 0.6) == joined


def test_what_is_not_finite_and_what_is_flat_has_no_line():
    values = X.copy()
    values[:, 40:] = np.nan
    assert len(level_lines(values, 0.5)) == 0
    assert len(level_lines(np.zeros((4, 4)), 0.0)) == 0
    assert spread_levels(np.full((3, 3), np.nan), 5) == []
    assert spread_levels(np.zeros((3, 3)), 5) == []


def test_levels_cut_the_values_into_equal_parts():
    values = np.arange(100.0).reshape(10, 10) ** 2
    levels = spread_levels(values, 4)
    assert [(values < level).mean() for level in levels] == pytest.approx([0.125, 0.375, 0.625, 0.875], abs=0.01)
