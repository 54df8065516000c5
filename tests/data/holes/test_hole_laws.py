"""Holes as functions of (seed, position), and the published law's coverage as measured of the authors' code."""

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.holes.hole_laws import LAWS, hole, known_law


def holes(law, count=300, size=64):
    return np.stack([hole(law, size, size, 0, position) for position in range(count)])


@pytest.mark.parametrize("law", LAWS)
def test_a_hole_is_a_function_of_seed_and_position_and_leaves_something_known(law):
    first = hole(law, 24, 40, 5, 17)
    assert first.shape == (24, 40)
    assert np.array_equal(hole(law, 24, 40, 5, 17), first)
    assert not np.array_equal(hole(law, 24, 40, 5, 18), first)
    assert not np.array_equal(hole(law, 24, 40, 6, 17), first)
    shares = holes(law, 100).mean((1, 2))
    assert 0 < shares.min() < shares.max() < 1


def test_the_published_law_covers_as_much_as_the_authors_code():
    # Measured of the code at 256 pixels: the union of strokes and rectangle .314, 5 to 95 %: .21 to .43.
    shares = holes("deepfill").mean((1, 2))
    assert shares.mean() == pytest.approx(0.314, abs=0.02)
    assert np.quantile(shares, [0.05, 0.95]) == pytest.approx([0.21, 0.43], abs=0.03)


def test_strokes_alone_cover_as_much_as_the_authors_code():
    shares = holes("strokes").mean((1, 2))
    assert shares.mean() == pytest.approx(0.156, abs=0.02)
    assert shares.std() == pytest.approx(0.083, abs=0.015)


def test_the_published_law_spares_the_left_and_the_mended_one_does_not():
    left, right = slice(0, 21), slice(43, 64)
    published, mended = holes("deepfill", 600), holes("free-form", 600)
    assert published[:, :, left].mean() < 0.75 * published[:, :, right].mean()
    assert mended[:, :, left].mean() == pytest.approx(mended[:, :, right].mean(), rel=0.15)


def test_an_unknown_law_is_refused_with_a_near_one():
    with pytest.raises(UserError, match="free-form"):
        known_law("freeform")
