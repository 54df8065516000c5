"""Boxes follow what they are around."""

import torch
from torch.testing import assert_close

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.boxes.box_augmentation import brightened, zoomed


def bright_boxes(n=6):
    """White rectangles on grey, and their boxes."""
    images = torch.zeros(n, 1, 64, 96)
    images[:, :, 20:44, 30:50] = 1
    corners = torch.tensor([30.0, 20.0, 50.0, 44.0]).expand(n, 1, 4).clone()
    return BoxedPictures(
        images=images,
        corners=corners,
        kinds=torch.full((n, 1), OBJECT),
        rng=torch.Generator().manual_seed(4),
    )


def test_a_box_is_around_its_rectangle_after_a_zoom():
    done = zoomed(bright_boxes(), (0.6, 1.6))
    for image, (left, top, right, bottom) in zip(done.images[:, 0], done.corners[:, 0], strict=True):
        white = image > 0.5
        rows, columns = white.any(1).nonzero()[:, 0], white.any(0).nonzero()[:, 0]
        found = torch.stack([columns[0], rows[0], columns[-1] + 1, rows[-1] + 1]).float()
        assert_close(found, torch.stack([left, top, right, bottom]), rtol=0, atol=1.0)


def test_what_is_mostly_cut_away_is_ignored_and_what_stays_is_not():
    done = zoomed(bright_boxes(64), (3.0, 4.0))
    inside = (done.corners[..., 2:] - done.corners[..., :2]).clamp_min(0).prod(-1)
    assert set(done.kinds.flatten().tolist()) == {IGNORED, OBJECT}
    assert (inside[done.kinds == OBJECT] >= 0.5 * 20 * 24 * 9 - 1).all()


def test_half_of_the_pictures_are_brightened_and_black_stays_black():
    batch = bright_boxes(200)
    done = brightened(batch, (0.5, 2.0))
    changed = (done.images != batch.images).flatten(1).any(1)
    assert 70 < changed.sum() < 130
    assert done.images.max() <= 1
    assert brightened(batch, (1.0, 1.0)) is batch
    assert zoomed(batch, (1.0, 1.0)) is batch
