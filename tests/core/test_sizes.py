import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganvas.core.sample_sizes.sizes import doubled_size

sides = st.integers(min_value=4, max_value=2048)


@given(sides)
def test_a_square_becomes_the_largest_square_that_doubling_reaches(side: int):
    small = [first << k for first in range(4, 8) for k in range(10)]
    odd = [first << k for first in (9, 11, 13, 15) for k in range(2, 10)]  # Of at least three resolutions.
    reachable = max(size for size in small + odd if size <= side)
    (height, width), resolution = doubled_size(side, side)
    doublings = (resolution // 4).bit_length() - 1
    assert height == width
    assert height << doublings == reachable


@given(sides, sides)
def test_a_picture_never_grows_and_hardly_changes_its_shape(height: int, width: int):
    (base_height, base_width), resolution = doubled_size(height, width)
    doublings = (resolution // 4).bit_length() - 1
    assert resolution == 4 << doublings
    shorter = min(base_height, base_width)
    assert 4 <= shorter <= 7 or shorter in (9, 11, 13, 15)  # An even one from 8 on could be halved once more.
    assert base_height << doublings <= height
    assert base_width << doublings <= width
    # The longer side of the base is a whole number: it is off by half a pixel, or by one where half would grow.
    shape = max(height, width) / min(height, width)
    assert abs(max(base_height, base_width) - min(base_height, base_width) * shape) <= max(1, shape)


@given(st.integers(min_value=0, max_value=8), st.integers(min_value=0, max_value=8))
def test_a_size_that_doubling_reaches_is_kept(doublings: int, extra: int):
    height, width = 4 << doublings, (4 + extra) << doublings
    (base_height, base_width), resolution = doubled_size(height, width)
    k = (resolution // 4).bit_length() - 1
    assert (base_height << k, base_width << k) == (height, width)


def test_turning_a_picture_turns_its_base():
    for height, width in ((64, 96), (100, 150), (31, 57)):
        (base_height, base_width), resolution = doubled_size(height, width)
        assert doubled_size(width, height) == ((base_width, base_height), resolution)


@pytest.mark.parametrize(("size", "base"), [((128, 128), (4, 4)), ((100, 150), (4, 6)), ((300, 100), (12, 4))])
def test_a_resolution_that_is_given_is_kept(size: tuple[int, int], base: tuple[int, int]):
    assert doubled_size(*size, resolution=64) == (base, 64)
