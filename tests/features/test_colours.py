import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.features.colours import COLOURS, Colours, to_lab
from ganvas.features.segments import area_shares

NAMES = list(COLOURS)


def plain(red, green, blue):
    return torch.tensor([red, green, blue], dtype=torch.uint8)[None, :, None, None].expand(1, 3, 4, 4)


def named(colour):
    rows = Colours().extract(plain(*colour), ["segments"])["segments"][0]
    assert rows.max() == 100
    return NAMES[int(rows.argmax())]


@pytest.mark.parametrize(
    ("colour", "name"),
    [
        ((0, 0, 0), "black"),
        ((255, 255, 255), "white"),
        ((128, 128, 128), "grey"),
        ((250, 10, 10), "red"),
        ((20, 140, 20), "green"),
        ((20, 20, 230), "blue"),
        ((250, 240, 20), "yellow"),
        ((250, 150, 10), "orange"),
        ((140, 70, 20), "brown"),
        ((250, 180, 195), "pink"),
        ((120, 10, 130), "purple"),
    ],
)
def test_each_basic_colour_has_its_name(colour, name):
    assert named(colour) == name


def test_shares_are_areas_in_per_cent():
    picture = torch.zeros(1, 3, 10, 10, dtype=torch.uint8)
    picture[:, 0, :3] = 255  # Three rows of ten are red, the rest is black.
    row = Colours().extract(picture, ["segments"])["segments"][0]
    assert (row[NAMES.index("red")], row[NAMES.index("black")], row.sum()) == (30, 70, 100)


def test_cielab_is_that_of_scikit_image(rng):
    from skimage.color import rgb2lab

    colours = torch.randint(0, 256, (500, 3), generator=rng, dtype=torch.uint8)
    expected = torch.from_numpy(rgb2lab(colours.numpy()[None])[0])
    # Their matrix from sRGB to XYZ and their white have six digits, as these do, and not the same six.
    assert_close(to_lab(colours).double(), expected.double(), rtol=0, atol=0.02)


def test_labels_beyond_the_classes_are_refused():
    with pytest.raises(UserError, match="gave the label 3, and its labels are 0 to 2"):
        area_shares(torch.tensor([[[0, 3]]]), 3)
    with pytest.raises(UserError, match="gave the label -1"):
        area_shares(torch.tensor([[[0, -1]]]), 3)
