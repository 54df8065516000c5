import numpy as np
import pytest
from PIL import Image

from ganvas.data.packing import prepare
from ganvas.data.survey import survey
from ganvas.tasks.advising.pictures_seen import near_pictures, seen, thumbs


@pytest.fixture
def pictures():
    return np.random.default_rng(0).integers(0, 256, (20, 16, 16, 3), dtype=np.uint8)


def written(folder, pictures):
    for index, pixels in enumerate(pictures):
        Image.fromarray(pixels).save(folder / f"{index:02d}.png")
    return str(folder)


def test_copies_are_counted_once_each_and_unlike_pictures_are_not(tmp_path, pictures):
    spec = written(tmp_path, [*pictures, *pictures[:5]])
    found = seen(survey(spec), prepare(spec, size=(16, 16)))
    assert (found.count, found.same, found.near, found.unlike) == (25, 5, 0, 20)
    assert (found.median_side, found.sizes, found.channels, found.classes) == (16, 1, 3, 0)


def test_a_picture_that_was_saved_anew_lies_near_the_first(pictures):
    again = np.clip(pictures[:4].astype(int) + 1, 0, 255).astype(np.uint8)
    rows = thumbs(np.concatenate([pictures, again]))
    assert near_pictures(rows) == 8  # Each of the four, and what it was saved from.
    assert near_pictures(thumbs(pictures)) == 0


def test_one_picture_has_no_neighbour(pictures):
    assert near_pictures(thumbs(pictures[:1])) == 0
