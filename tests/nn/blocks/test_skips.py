import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.nn.blocks.skips import add_skip, concatenate_skip, crop


def numbered(height, width, channels=2):
    return torch.arange(channels * height * width, dtype=torch.float64).view(1, channels, height, width)


def test_the_middle_is_cropped_and_stands_before_the_decoders_features():
    # Figure 1 of Ronneberger et al. 2015: 64 x 64 is cropped to 56 x 56, four rows and columns on each side.
    skip, x = numbered(64, 64), torch.ones(1, 3, 56, 56, dtype=torch.float64)
    y = concatenate_skip(x, skip)
    assert torch.equal(y[:, :2], skip[:, :, 4:-4, 4:-4])
    assert torch.equal(y[:, 2:], x)


@pytest.mark.parametrize(("outer", "inner", "first"), [(7, 4, 1), (8, 5, 1), (9, 9, 0), (6, 3, 1)])
def test_of_an_odd_rest_the_smaller_half_is_at_the_start(outer, inner, first):
    skip = numbered(outer, outer + 2)
    like = torch.empty(1, 1, inner, inner + 2)
    assert torch.equal(crop(skip, like), skip[:, :, first : first + inner, first : first + inner + 2])


def test_scores_are_added_from_a_given_place():
    # Long et al. 2015: of pool4's 44 x 44 scores the 34 x 34 from row and column 5 meet the doubled ones.
    skip, x = numbered(44, 44), torch.ones(1, 2, 34, 34, dtype=torch.float64)
    assert torch.equal(add_skip(x, skip, offset=(5, 5)), 1 + skip[:, :, 5:39, 5:39])


def test_features_of_the_same_size_are_passed_as_they_are():
    skip = numbered(3, 5)
    assert crop(skip, torch.empty(1, 4, 3, 5)) is skip


def test_channels_last_stays_so():
    skip = numbered(8, 9).to(memory_format=torch.channels_last)
    x = torch.ones(1, 2, 4, 5, dtype=torch.float64).to(memory_format=torch.channels_last)
    assert concatenate_skip(x, skip).is_contiguous(memory_format=torch.channels_last)


@pytest.mark.parametrize(("size", "offset"), [((9, 4), None), ((4, 4), (3, 0)), ((4, 4), (-1, 0))])
def test_a_window_that_does_not_lie_within_is_refused(size, offset):
    with pytest.raises(UserError, match="does not lie within features of 6 x 6"):
        crop(numbered(6, 6), torch.empty(1, 1, *size), offset=offset)
