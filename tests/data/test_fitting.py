import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from ganvas.core.errors import UserError
from ganvas.data.fitting import apply, apply_to_masks, plan

WHITE = (255, 255, 255)
sides = st.integers(1, 20)


@settings(deadline=None, max_examples=40)
@given(st.data(), st.integers(1, 5), st.integers(1, 5), st.sampled_from([1, 3]))
def test_a_whole_number_reduction_is_the_nearest_byte_to_the_mean_over_boxes(data, tall, wide, channels):
    size = (3, 2)
    pictures = data.draw(hnp.arrays(np.uint8, (2, size[0] * tall, size[1] * wide, channels)))
    steps = plan(pictures.shape[1:3], size, "stretch")
    exact = pictures.reshape(2, 3, tall, 2, wide, channels).astype(float).mean((2, 4))
    assert np.abs(apply(steps, pictures, WHITE) - exact).max() <= 0.5


def test_clear_pixels_lend_no_colour_to_an_average_with_alpha():
    picture = np.zeros((1, 2, 2, 4), np.uint8)
    picture[0, 0, 0] = (200, 100, 50, 255)
    picture[0, 1, 1] = (0, 255, 0, 0)
    out = apply(plan((2, 2), (1, 1), "refuse"), picture, WHITE)
    assert out.ravel().tolist() == [200, 100, 50, 64]  # Alpha 255 / 4, to the nearest.
    picture[0, 0, 1] = (201, 100, 50, 255)
    assert apply(plan((2, 2), (1, 1), "refuse"), picture, WHITE)[0, 0, 0, 0] == 201  # 200.5, to the nearest, up.


def test_other_reductions_of_a_flat_picture_stay_flat():
    # Any resampling whose weights add to one keeps a constant.
    picture = np.full((1, 30, 30, 3), 77, np.uint8)
    assert (apply(plan((30, 30), (7, 7), "refuse"), picture, WHITE) == 77).all()


@settings(deadline=None, max_examples=60)
@given(sides, sides, sides, sides, st.sampled_from(["crop", "pad", "stretch"]))
def test_every_fit_gives_the_size_asked_from_a_window_inside_the_picture(h, w, height, width, fit):
    steps = plan((h, w), (height, width), fit)
    top, left, cut_h, cut_w = steps.window
    assert min(top, left) >= 0
    assert top + cut_h <= h
    assert left + cut_w <= w
    assert apply(steps, np.zeros((1, h, w, 3), np.uint8), WHITE).shape == (1, height, width, 3)


def test_a_crop_takes_the_middle_and_a_pad_puts_borders_around_it():
    wide = np.zeros((1, 2, 6, 1), np.uint8)
    wide[:, :, 2:4] = 90
    assert (apply(plan((2, 6), (2, 2), "crop"), wide, WHITE) == 90).all()
    padded = apply(plan((2, 2), (2, 4), "pad"), wide[:, :, 2:4], WHITE)[0, ..., 0]
    assert padded.tolist() == [[255, 90, 90, 255]] * 2


def test_padding_with_alpha_is_transparent():
    padded = apply(plan((2, 2), (2, 4), "pad"), np.full((1, 2, 2, 4), 255, np.uint8), (9, 9, 9))
    assert padded[0, 0, :, 3].tolist() == [0, 255, 255, 0]


def test_masks_move_with_their_pictures_and_are_never_mixed():
    mask = np.arange(16, dtype=np.uint8).reshape(1, 4, 4)
    assert apply_to_masks(plan((4, 4), (2, 2), "crop"), mask)[0].tolist() == [[5, 7], [13, 15]]
    grown = apply_to_masks(plan((4, 4), (8, 8), "stretch"), mask)[0]
    assert (grown == np.kron(mask[0], np.ones((2, 2), np.uint8))).all()


@pytest.mark.parametrize(
    ("have", "want", "says"),
    [((16, 16), (32, 32), "Choose 16x16 or less"), ((16, 24), (8, 8), "--fit crop"), ((33, 50), (32, 48), "--fit")],
)
def test_what_does_not_fit_is_refused_with_what_would_do(have, want, says):
    with pytest.raises(UserError, match=says):
        plan(have, want, "refuse", name="cat.png")


def test_a_non_square_picture_of_the_same_shape_fits():
    assert plan((64, 96), (32, 48), "refuse").method == "box"
    assert plan((100, 150), (64, 96), "refuse").method == "lanczos"
    assert plan((64, 96), (64, 96), "refuse").method == "none"
