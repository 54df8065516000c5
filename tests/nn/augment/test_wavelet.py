"""The two maps of sym6 against the definition of an orthogonal wavelet and against padding and convolving by hand."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.nn.augment.wavelet import PEAK, SYM6, coarsening, mirrored_places, refined_period, refining

SIZES = [1, 2, 3, 7, 16]


def maps(size):
    return [made(size, torch.device("cpu"), torch.float64) for made in (refining, coarsening)]


@pytest.mark.parametrize("shift", range(6))
def test_the_filter_is_orthogonal_to_itself_moved_by_an_even_number_of_places(shift):
    product = np.dot(SYM6[2 * shift :], SYM6[: len(SYM6) - 2 * shift])
    assert product == pytest.approx(1.0 if shift == 0 else 0.0, abs=1e-11)


@pytest.mark.parametrize("size", SIZES[1:])
def test_mirrored_places_read_what_padding_by_reflection_gives(size):
    row = np.arange(size)
    padded = np.pad(row, 3 * size, mode="reflect")
    assert mirrored_places(torch.arange(-3 * size, 4 * size), size).tolist() == padded.tolist()


@pytest.mark.parametrize("size", SIZES)
def test_refining_is_the_filter_on_a_row_with_zeros_between_its_mirrored_pixels(size):
    row = np.random.default_rng(size).normal(size=size)
    reach = 3 * size + 12
    spread = np.zeros(2 * (size + 2 * reach))
    spread[::2] = np.pad(row, reach, mode="reflect") if size > 1 else np.full(1 + 2 * reach, row[0])
    fine = np.sqrt(2) * np.convolve(spread, SYM6)[PEAK + 2 * reach :][: refined_period(size) + 1]
    assert_close(maps(size)[0] @ torch.from_numpy(row), torch.from_numpy(fine), atol=1e-11, rtol=0)


@pytest.mark.parametrize("size", SIZES)
def test_a_refined_row_is_brought_back_exactly(size):
    fine, coarse = maps(size)
    places = torch.arange(-PEAK, coarse.shape[1] - PEAK) % refined_period(size)
    assert_close(coarse @ fine[places], torch.eye(size, dtype=torch.float64), atol=1e-11, rtol=0)


def test_a_constant_row_stays_constant_when_refined():
    fine = maps(9)[0]
    assert_close(fine.sum(1), torch.ones(len(fine), dtype=torch.float64), atol=1e-11, rtol=0)
