import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.colour import own_channels, parse_colour, to_channels

WHITE, BLACK, TEAL = (255, 255, 255), (0, 0, 0), (0, 128, 128)


def test_opaque_pixels_keep_their_colour_and_clear_ones_take_the_background(rng):
    colour = rng.integers(0, 256, (1, 2, 3, 3), np.uint8)
    alpha = np.array([[[[255], [0], [255]], [[0], [255], [0]]]], np.uint8)
    out = to_channels(np.concatenate([colour, alpha], -1), 3, TEAL)
    assert (out == np.where(alpha == 255, colour, np.array(TEAL))).all()


def test_half_transparency_is_the_nearest_byte_to_the_weighted_mean_for_every_alpha_and_colour():
    colour, alpha = np.meshgrid(np.arange(256), np.arange(256), indexing="ij")
    pictures = np.stack([colour] * 3 + [alpha], -1)[None].astype(np.uint8)
    for background in (WHITE, BLACK, TEAL):
        out = to_channels(pictures, 3, background)[0]
        exact = (colour[..., None] * alpha[..., None] + np.array(background) * (255 - alpha[..., None])) / 255
        assert np.abs(out - exact).max() <= 0.5


def test_grey_of_colour_is_pillows_luma(pixels):
    ours = to_channels(pixels, 1, WHITE)[..., 0]
    assert (ours == np.stack([np.asarray(Image.fromarray(picture).convert("L")) for picture in pixels])).all()


def test_grey_becomes_three_equal_channels_and_full_alpha(rng):
    grey = rng.integers(0, 256, (2, 3, 3, 1), np.uint8)
    rgba = to_channels(grey, 4, WHITE)
    assert (rgba[..., :3] == grey).all()
    assert (rgba[..., 3] == 255).all()


def test_grey_with_alpha_stays_grey_only_on_a_grey_background():
    assert own_channels(2, WHITE) == 1
    assert own_channels(2, TEAL) == 3
    picture = np.array([[[[100, 0]]]], np.uint8)
    assert to_channels(picture, 3, TEAL).ravel().tolist() == list(TEAL)
    assert to_channels(picture, 1, BLACK).ravel().tolist() == [0]


@pytest.mark.parametrize("text", ["white", "#fff", "rgb(255, 255, 255)"])
def test_a_colour_has_several_spellings(text):
    assert parse_colour(text) == WHITE


def test_a_misspelt_colour_is_refused_with_the_nearest():
    with pytest.raises(UserError, match="Did you mean 'white'"):
        parse_colour("whit")
