import numpy as np
import pytest
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.report.pictures.grid import best_columns, grid, save_png


def pictures(n, height, width, channels, seed=0):
    return np.random.default_rng(seed).integers(0, 256, (n, height, width, channels), dtype=np.uint8)


@pytest.mark.parametrize("channels", [1, 3, 4])
@pytest.mark.parametrize(("gap", "scale"), [(0, 1), (1, 1), (2, 3)])
def test_every_picture_stands_unchanged_at_its_place(channels, gap, scale):
    images = pictures(5, 4, 6, channels)
    drawn = np.asarray(grid(images, columns=3, gap=gap, scale=scale)).reshape(-1, 3 * 6 * scale + 2 * gap, channels)
    for index, (row, column) in enumerate([(0, 0), (0, 1), (0, 2), (1, 0), (1, 1)]):
        top, left = row * (4 * scale + gap), column * (6 * scale + gap)
        cell = drawn[top : top + 4 * scale, left : left + 6 * scale]
        enlarged = np.kron(images[index], np.ones((scale, scale, 1), np.uint8))  # Each pixel times a block of ones.
        np.testing.assert_array_equal(cell, enlarged)


def test_what_is_not_picture_is_white_or_transparent():
    for channels, background in [(1, 255), (3, 255), (4, 0)]:
        drawn = np.asarray(grid(np.full((3, 2, 2, channels), 7, np.uint8), columns=2, gap=1)).reshape(5, 5, channels)
        others = drawn != 7
        assert (drawn[others] == background).all()
        # Five by five pixels less three pictures of two by two.
        assert others.all(axis=2).sum() == 25 - 3 * 4


def test_grids_of_all_resolutions_have_one_size_when_their_scales_make_up_for_it():
    sizes = {grid(pictures(12, side, side, 3), scale=32 // side).size for side in (4, 8, 16, 32)}
    assert sizes == {(4 * 32 + 3, 3 * 32 + 2)}


@pytest.mark.parametrize(
    ("n", "height", "width", "columns"), [(64, 32, 32, 8), (8, 32, 64, 2), (8, 64, 32, 4), (1, 8, 8, 1)]
)
def test_the_outline_comes_near_to_a_square(n, height, width, columns):
    assert best_columns(n, height=height, width=width) == columns


def test_no_picture_is_one_empty_cell():
    assert np.asarray(grid(np.zeros((0, 4, 4, 3), np.uint8))).tolist() == np.full((4, 4, 3), 255).tolist()


def test_channels_that_no_picture_has_are_refused():
    with pytest.raises(UserError, match="2 channels"):
        grid(pictures(1, 4, 4, 2))


def test_a_saved_grid_reads_back_and_leaves_nothing_beside_it(tmp_path):
    image = grid(pictures(4, 8, 8, 3))
    save_png(image, tmp_path / "samples" / "000012.00.png")
    with Image.open(tmp_path / "samples" / "000012.00.png") as read:
        np.testing.assert_array_equal(np.asarray(read), np.asarray(image))
    assert len(list((tmp_path / "samples").iterdir())) == 1
