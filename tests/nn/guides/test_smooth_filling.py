"""Smooth filling against a ramp, which is its own harmonic continuation, and against the harmonic filling."""

import pytest
import torch
from torch.testing import assert_close

from ganvas.data.holes.harmonic import harmonic_fill
from ganvas.nn.guides.smooth_filling import smooth_filling

pytestmark = pytest.mark.usefixtures("float64")


def holed(height=23, width=31):
    """Waves of three frequencies with a hole that touches a border and one that does not, and the mask."""
    y, x = torch.meshgrid(torch.arange(height) / height, torch.arange(width) / width, indexing="ij")
    images = torch.stack([torch.sin(5 * x + 3 * y), torch.cos(4 * y), x - y])[None]
    mask = torch.ones(1, 1, height, width)
    mask[..., 5:12, 10:20] = 0
    mask[..., 18:, 3:10] = 0
    return images, mask


def test_a_ramp_is_continued_as_it_is():
    ramp = torch.linspace(-1, 1, 20).expand(1, 1, 16, 20)
    mask = torch.ones(1, 1, 16, 20)
    mask[..., 4:10, 5:15] = 0
    assert_close(smooth_filling(ramp, mask, sweeps=100), ramp, atol=1e-4, rtol=0)


def test_its_sweeps_lead_to_the_harmonic_filling():
    images, mask = holed()
    exact = harmonic_fill(images[0], mask[0, 0] == 0, tolerance=1e-4)

    def apart(**sweeps):
        return (smooth_filling(images, mask, **sweeps)[0] - exact).abs()[:, mask[0, 0] == 0].mean()

    assert apart(sweeps=200) < 1e-3  # Of an amplitude of 1.
    assert apart() < apart(sweeps=0) / 2


def test_what_is_known_stays_and_what_is_under_a_hole_is_not_looked_at():
    images, mask = holed()
    unknown = torch.where(mask > 0, images, torch.nan)
    filled = smooth_filling(unknown, mask)
    assert torch.equal(filled, smooth_filling(images, mask))
    assert torch.equal(filled[mask.expand_as(filled) > 0], images[mask.expand_as(images) > 0])


def test_a_picture_of_which_nothing_is_known_is_grey():
    images, mask = holed()
    assert not smooth_filling(images, torch.zeros_like(mask)).any()
