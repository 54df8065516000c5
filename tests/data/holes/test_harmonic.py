"""The harmonic filling against planes, which it must reproduce, and against a direct solution of the equations."""

import numpy as np
import pytest
import scipy.sparse
import scipy.sparse.linalg
import torch
import torch.nn.functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.data.holes.harmonic import doubled, harmonic_fill, mean_fill, summed
from ganvas.data.holes.hole_laws import hole
from ganvas.data.scenes.scenes import Scenes

DOUBLE = {"dtype": torch.float64}


def plane(height, width):
    y, x = torch.meshgrid(torch.arange(height, **DOUBLE), torch.arange(width, **DOUBLE), indexing="ij")
    return torch.stack([2 * x - 3 * y + 7, x + y, 0 * x + 4])


def inside(height, width, position=3):
    """A hole that does not touch the border, beyond which a plane could not go on."""
    found = torch.from_numpy(hole("free-form", height, width, 0, position))
    found[0], found[-1], found[:, 0], found[:, -1] = False, False, False, False
    return found


def test_a_plane_goes_on_as_it_is_and_nothing_under_the_hole_is_looked_at():
    picture, cut = plane(50, 71), inside(50, 71)
    filled = harmonic_fill(torch.where(cut, torch.nan, picture), cut, tolerance=1e-12)
    assert_close(filled, picture, rtol=0, atol=1e-9)
    assert torch.equal(filled[:, ~cut], picture[:, ~cut])


@pytest.mark.parametrize("size", [(24, 31), (1, 40), (40, 3)])
def test_it_is_the_solution_of_laplaces_equation_also_at_the_border(size):
    picture = torch.rand(1, *size, generator=stream(0, "pictures"), **DOUBLE)
    cut = torch.from_numpy(hole("rectangles", *size, 0, 2))
    filled = harmonic_fill(picture, cut, tolerance=1e-13)
    assert_close(filled[0], solved(picture[0], cut), rtol=0, atol=1e-9)


def test_a_channel_that_is_solved_before_the_others_stays_within_what_is_known():
    scene = torch.from_numpy(Scenes(32, 32, seed=9).pictures(45, 46)[0][0].copy()).permute(2, 0, 1) / 127.5 - 1
    cut = torch.from_numpy(hole("free-form", 32, 32, 99, 45))
    filled, known = harmonic_fill(scene, cut), scene[:, ~cut]
    assert bool((filled.amax((1, 2)) <= known.amax(1) + 1e-4).all())
    assert bool((filled.amin((1, 2)) >= known.amin(1) - 1e-4).all())


@pytest.mark.parametrize(("size", "whole"), [(1, 1), (1, 2), (5, 9), (5, 10)])
def test_grids_double_and_halve_as_torchs_own_operators_do(size, whole):
    small = torch.rand(2, size, size, generator=stream(0, "small"), **DOUBLE)
    large = torch.rand(2, whole, whole, generator=stream(0, "large"), **DOUBLE)
    enlarged = F.interpolate(small[None], scale_factor=2, mode="bilinear", align_corners=False)[0]
    assert_close(doubled(small, torch.Size((whole, whole))), enlarged[:, :whole, :whole])
    assert_close(summed(large), F.avg_pool2d(large[None], 2, ceil_mode=True, divisor_override=1)[0])


def solved(picture, cut):
    """By scipy's direct solver, an equation for every pixel of the hole."""
    height, width = cut.shape
    number = {tuple(at): index for index, at in enumerate(cut.nonzero().tolist())}
    matrix, right = scipy.sparse.lil_matrix((len(number), len(number))), np.zeros(len(number))
    for (y, x), index in number.items():
        near = [(y - 1, x), (y + 1, x), (y, x - 1), (y, x + 1)]
        near = [at for at in near if 0 <= at[0] < height and 0 <= at[1] < width]
        matrix[index, index] = len(near)
        for at in near:
            if at in number:
                matrix[index, number[at]] = -1
            else:
                right[index] += picture[at].item()
    values = scipy.sparse.linalg.spsolve(matrix.tocsr(), right)
    whole = picture.clone()
    whole[cut] = torch.from_numpy(np.atleast_1d(values))
    return whole


def test_bytes_of_a_large_hole_are_right_in_single_precision():
    picture = torch.randint(0, 256, (1, 200, 200), generator=stream(0, "bytes")).float()
    cut = torch.zeros(200, 200, dtype=torch.bool)
    cut[10:190, 10:190] = True
    exact = harmonic_fill(picture.double(), cut, tolerance=1e-9)
    assert (harmonic_fill(picture, cut) - exact).abs().max() < 0.25  # Half a level would change a byte.


def test_the_mean_filling_is_the_mean_of_what_is_known():
    cut = torch.tensor([[True, False, False]])
    filled = mean_fill(torch.tensor([[[9.0, 1.0, 2.0]]]), cut)
    assert filled.tolist() == [[[1.5, 1.0, 2.0]]]


def test_no_hole_changes_nothing_and_nothing_known_is_refused():
    picture = plane(4, 5)
    assert torch.equal(harmonic_fill(picture, torch.zeros(4, 5, dtype=torch.bool)), picture)
    for fill in (harmonic_fill, mean_fill):
        with pytest.raises(UserError, match="known"):
            fill(picture, torch.ones(4, 5, dtype=torch.bool))
