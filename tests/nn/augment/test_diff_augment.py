"""DiffAugment against its formula, pixel by pixel, and the spread of its draws."""

import itertools

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.nn.augment.diff_augment import _corners, _shifts, coloured, cut_out, diff_augment, shifted


class Rows:
    """One row of numbers per picture, from a stream of its own."""

    def __init__(self, n, seed=0):
        self.n, self.rng = n, torch.Generator().manual_seed(seed)

    def rand(self, *shape):
        return torch.rand(self.n, *shape, generator=self.rng)

    def randn(self, *shape):
        raise AssertionError("DiffAugment draws uniform numbers only")


def pictures(n=3, channels=3, height=6, width=9):
    return torch.rand(n, channels, height, width, generator=torch.Generator().manual_seed(1)) * 2 - 1


def test_colour_is_brightness_then_saturation_then_contrast_of_each_picture():
    x, numbers = pictures(), torch.tensor([[0.1, 0.5, 0.9], [0.2, 0.6, 0.5], [0.7, 0.1, 0.5]])
    found = coloured(x, *numbers)
    for i in range(3):
        b, s, c = numbers[:, i]
        picture = x[i] + b - 0.5
        mean = (picture[0] + picture[1] + picture[2]) / 3
        picture = torch.stack([(channel - mean) * 2 * s + mean for channel in picture])
        assert_close(found[i], (picture - picture.mean()) * (c + 0.5) + picture.mean())


def test_halves_leave_colours_as_they_are():
    x = pictures()
    assert_close(coloured(x, *torch.full((3, 3), 0.5)), x)


def test_over_its_draws_colours_stay_what_they_are():
    n, x = 4000, pictures(1)
    found = coloured(x.expand(n, -1, -1, -1), *torch.rand(3, n, generator=torch.Generator().manual_seed(2)))
    # Brightness, uniform over a length of 1, moves most: a deviation of 12^-1/2, times a contrast of 1 and its own.
    assert_close(found.mean(0), x[0], rtol=0, atol=4 * 0.6 / n**0.5)


def test_a_shift_fills_with_0():
    x = pictures()
    found = shifted(x, torch.tensor([1, -2, 0]), torch.tensor([0, 3, -9]))
    for n, (down, right) in enumerate([(1, 0), (-2, 3), (0, -9)]):
        for i, j in itertools.product(range(6), range(9)):
            there = 0 <= i - down < 6 and 0 <= j - right < 9
            wanted = x[n, :, i - down, j - right] if there else torch.zeros(3)
            assert torch.equal(found[n, :, i, j], wanted)


def test_a_cutout_is_half_as_high_and_wide_and_may_lie_partly_outside():
    x = torch.ones(3, 1, 6, 9)
    found = cut_out(x, torch.tensor([1, -2, 4]), torch.tensor([2, 0, 7]))
    for n, (top, left) in enumerate([(1, 2), (-2, 0), (4, 7)]):
        for i, j in itertools.product(range(6), range(9)):
            inside = top <= i < top + 3 and left <= j < left + 5  # Nine halved is five: rounded half up.
            assert float(found[n, 0, i, j]) == (0.0 if inside else 1.0)


def test_shifts_and_corners_are_all_there_and_no_others():
    x, rows = torch.zeros(5000, 1, 32, 20), Rows(5000)
    down, right = _shifts(x, rows)
    assert sorted(set(down.tolist())) == list(range(-4, 5))
    assert sorted(set(right.tolist())) == list(range(-3, 4))  # 20 / 8 = 2.5 is rounded to 3.
    top, left = _corners(x, rows)
    assert sorted(set(top.tolist())) == list(range(-8, 25))
    assert sorted(set(left.tolist())) == list(range(-5, 16))


def test_every_picture_has_draws_of_its_own():
    x = pictures(n=1).expand(8, -1, -1, -1)
    found = diff_augment(x, Rows(8))
    assert len({tuple(picture.flatten().tolist()) for picture in found}) == 8


def test_opacity_is_shifted_and_cut_but_not_coloured():
    x = pictures(channels=4)
    assert torch.equal(diff_augment(x, Rows(3), ("colour",))[:, 3], x[:, 3])
    assert not torch.equal(diff_augment(x, Rows(3), ("cutout",))[:, 3], x[:, 3])


def test_a_policy_without_a_name_here_is_refused():
    with pytest.raises(UserError, match="no policy 'color'"):
        diff_augment(pictures(), Rows(3), ("color",))


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("channels", [1, 3])
def test_it_can_be_differentiated_twice(channels):
    x = pictures(n=2, channels=channels, height=4, width=3).double().requires_grad_()
    assert torch.autograd.gradcheck(lambda x: diff_augment(x, Rows(2)), (x,))
    assert torch.autograd.gradgradcheck(lambda x: diff_augment(x, Rows(2)).pow(3), (x,), fast_mode=True)
