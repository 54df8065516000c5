import numpy as np
import pytest
import torch
from scipy.ndimage import convolve
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.laplacian_pyramid import down, laplacian_pyramid, reconstruct, up

TAPS = np.array([1, 4, 6, 4, 1], dtype=np.float64) / 16
KERNEL = np.outer(TAPS, TAPS)[None, None]
SIZES = [(2, 2), (2, 4), (4, 4), (6, 10), (16, 8)]


def randn(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_down_is_the_mirrored_binomial_filter_at_even_pixels(height, width):
    x = randn(2, 3, height, width)
    expected = convolve(x.numpy(), KERNEL, mode="mirror")[:, :, ::2, ::2]
    assert_close(down(x), torch.from_numpy(expected), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize(("height", "width"), SIZES)
def test_up_is_four_times_the_filter_of_the_zero_stuffed_grid(height, width):
    x = randn(2, 3, height // 2, width // 2)
    stuffed = np.zeros((2, 3, height, width))
    stuffed[:, :, ::2, ::2] = x.numpy()
    expected = 4 * convolve(stuffed, KERNEL, mode="mirror")
    assert_close(up(x), torch.from_numpy(expected), rtol=1e-13, atol=1e-13)


@pytest.mark.parametrize("levels", [1, 2, 4])
def test_reconstruction_gives_the_picture_back(levels):
    x = randn(2, 3, 16, 24)
    pyramid = laplacian_pyramid(x, levels)
    assert [tuple(level.shape[2:]) for level in pyramid] == [(16 >> k, 24 >> k) for k in range(levels)]
    assert_close(reconstruct(pyramid), x, rtol=0, atol=1e-14)


def test_a_constant_picture_is_all_low_pass():
    *details, low = laplacian_pyramid(torch.full((1, 1, 8, 8), 3.0, dtype=torch.float64), 3)
    assert all(detail.abs().max() == 0 for detail in details)  # gain 1 at frequency 0, in both directions
    assert torch.equal(low, torch.full((1, 1, 2, 2), 3.0, dtype=torch.float64))


def test_the_finest_level_is_the_picture_minus_its_blur():
    x = randn(1, 3, 8, 8)
    finest, low = laplacian_pyramid(x, 2)
    assert_close(finest, x - up(down(x)))
    assert torch.equal(low, down(x))


@pytest.mark.parametrize(("size", "levels"), [((6, 6), 3), ((5, 4), 2), ((4, 4), 0)])
def test_sizes_that_cannot_be_halved_are_refused(size, levels):
    with pytest.raises(UserError, match=f"{size[0]} x {size[1]}"):
        laplacian_pyramid(randn(1, 1, *size), levels)
