"""Guides: Canny against scikit-image, XDoG's two ends, medians of regions, the bilateral filter's limits."""

import numpy as np
import pytest
import torch
from skimage.feature import canny as oracle
from torch.testing import assert_close

from ganvas.nn.guides.canny import canny, sketch, to_grey
from ganvas.nn.guides.flat_colours import bilateral, region_medians
from ganvas.nn.guides.xdog import xdog

pytestmark = pytest.mark.usefixtures("float64")


def scene(height=48, width=64):
    """Discs and a ramp, with some noise."""
    y, x = np.mgrid[:height, :width] / height
    picture = 0.3 * x + 0.5 * (np.hypot(x - 0.5, y - 0.4) < 0.25) + 0.2 * (np.hypot(x - 1.0, y - 0.7) < 0.2)
    return picture + 0.02 * np.random.default_rng(0).standard_normal((height, width))


@pytest.mark.parametrize("sigma", [1.0, 2.0])
def test_edges_are_those_of_scikit_image(sigma):
    picture = scene()
    found = canny(torch.from_numpy(picture)[None, None], sigma=sigma)[0, 0].numpy() > 0
    assert np.array_equal(found, oracle(picture, sigma=sigma))
    assert found.any()


def test_a_masked_part_is_not_looked_at_and_has_no_edges():
    picture, mask = scene(), np.ones((48, 64), bool)
    mask[10:30, 20:40] = False
    seen = np.where(mask, picture, np.nan)
    found = canny(torch.from_numpy(seen)[None, None], sigma=2.0, mask=torch.from_numpy(mask)[None, None].double())
    assert np.array_equal(found[0, 0].numpy() > 0, oracle(picture, sigma=2.0, mask=mask))


def test_a_flat_picture_has_no_edges_and_a_step_has_a_line():
    assert not canny(torch.full((1, 1, 20, 20), 0.5)).any()
    step = torch.zeros(1, 3, 32, 32) - 1
    step[..., 16:] = 1
    lines = sketch(step)[0, 0]
    across = lines[8:24].sum(1)  # The two pixels beside the step are equally steep: both are crests.
    assert across.min() >= 1
    assert across.max() <= 2


def test_grey_is_the_luma_of_the_channels():
    red = torch.tensor([1.0, -1.0, -1.0]).view(1, 3, 1, 1)
    assert_close(to_grey(red), torch.full((1, 1, 1, 1), 0.2125))


def test_the_drawing_is_paper_where_nothing_changes_and_black_along_an_edge():
    flat = xdog(torch.full((1, 1, 30, 30), 0.9))
    assert flat[..., 8:-8, 8:-8].eq(1).all()
    step = torch.full((1, 1, 30, 30), 0.9)
    step[..., 15:] = 0.4
    assert xdog(step)[0, 0, 15].min() < 0.1


def test_every_region_has_its_median_colour():
    images = torch.tensor([[[[1.0, 5.0, 2.0, 9.0, 4.0]]]])
    regions = torch.tensor([[[0, 0, 0, 1, 1]]])
    assert region_medians(images, regions).flatten().tolist() == [2, 2, 2, 4, 4]


def test_the_bilateral_filter_keeps_a_high_step_and_smooths_a_low_one():
    step = torch.zeros(1, 1, 9, 12)
    step[..., 6:] = 1
    assert_close(bilateral(step, colour=0.05), step, atol=1e-6, rtol=0)
    low = bilateral(step * 0.01, colour=0.5)
    assert low[0, 0, 4].diff().max() < 0.005
    assert_close(bilateral(torch.full((1, 3, 5, 5), 0.3)), torch.full((1, 3, 5, 5), 0.3))
