import torch

from ganvas.core.sample_sizes.picture_size import DoubledSize
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import HIDDEN
from ganvas.losses.labelled_pool import LabelledPool

PICTURE = DoubledSize(resolution=4, base=(4, 4), channels=3)


def test_the_pool_holds_the_latest_pictures_whose_label_was_told_and_no_others():
    pool = LabelledPool(16, PICTURE)
    for step in range(7):
        images = torch.full((8, 3, 4, 4), float(step))
        images[:, 0, 0, 0] = torch.arange(8.0)
        pool.take(images, torch.tensor([HIDDEN, 0, HIDDEN, 1, 2, HIDDEN, HIDDEN, HIDDEN]))
    images, labels = pool.draw(torch.arange(160) / 160)  # 16 places, each ten times.
    found = {
        (int(image[1, 1, 1]), int(image[0, 0, 0]), int(label)) for image, label in zip(images, labels, strict=True)
    }
    # 21 came, three a step: the latest 16 are all of steps 2 to 6 and the last of step 1.
    assert found == {(step, row, label) for step in range(2, 7) for row, label in ((1, 0), (3, 1), (4, 2))} | {
        (1, 4, 2)
    }


def test_a_pool_that_no_labelled_picture_has_reached_hides_every_label():
    pool = LabelledPool(16, PICTURE)
    pool.take(torch.ones(8, 3, 4, 4), torch.full((8,), HIDDEN))
    _, labels = pool.draw(torch.rand(8, generator=stream(0, "coins")))
    assert (labels == HIDDEN).all()


def test_a_pool_that_is_not_full_shows_no_empty_place():
    pool = LabelledPool(16, PICTURE)
    pool.take(torch.ones(8, 3, 4, 4), torch.tensor([2, *[HIDDEN] * 6, 1]))
    images, labels = pool.draw(torch.rand(50, generator=stream(0, "coins")))
    assert (images == 1).all()
    assert set(labels.tolist()) == {1, 2}
