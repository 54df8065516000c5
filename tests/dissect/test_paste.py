"""Things laid into other pictures: whole, with their own pixels, and nowhere else."""

import torch
from torch.testing import assert_close

from ganvas.dissect.labellers.paste import donors, drawn_donors, pasted, thing_of, things


def scene():
    """Two 8x8 pictures: label 1 is a block of 2x3 and a lone pixel, 0 the ground."""
    masks = torch.zeros(2, 8, 8, dtype=torch.long)
    masks[:, 1:3, 1:4] = 1
    masks[:, 6, 6] = 1
    images = torch.arange(2 * 3 * 64.0).view(2, 3, 8, 8)
    return images, masks


def test_a_thing_is_one_connected_part():
    _, masks = scene()
    for seed in range(10):
        thing = thing_of(masks == 1, torch.Generator().manual_seed(seed))
        assert set(thing.flatten(1).sum(1).tolist()) <= {1, 6}


def test_a_thing_is_laid_whole_at_every_place_from_the_first_to_the_last():
    images, masks = scene()
    block = masks.eq(1) & (torch.arange(8) < 5)
    ground, bare = torch.full_like(images, -1.0), torch.zeros_like(masks)
    for at, corner in ((0.0, (0, 0)), (0.999, (6, 5)), (1.0, (6, 5))):
        x, y, laid = pasted(ground, bare, images, block, torch.ones(2, dtype=torch.long), torch.full((2, 2), at))
        top, left = corner
        assert int(laid[0].sum()) == 6
        assert laid[0, top : top + 2, left : left + 3].all()
        assert_close(x[0, :, top : top + 2, left : left + 3], images[0, :, 1:3, 1:4])
        assert torch.equal(y[0] == 1, laid[0])
        assert (x[0][:, ~laid[0]] == -1).all()


def test_nothing_is_laid_where_there_is_no_thing():
    images, masks = scene()
    none = torch.zeros(2, 8, 8, dtype=torch.bool)
    x, y, laid = pasted(images, masks, images, none, torch.ones(2, dtype=torch.long), torch.rand(2, 2))
    assert torch.equal(x, images)
    assert torch.equal(y, masks)
    assert not laid.any()


def test_what_covers_much_is_ground_and_what_gives_too_little_is_no_donor():
    _, masks = scene()
    assert things(masks, 3) == [1]
    assert donors(masks, 1).tolist() == []  # Seven pixels.
    masks[0, 4, :] = 1
    assert donors(masks, 1).tolist() == [0]


def test_labels_are_drawn_equally_often_however_rare(rng):
    of_label = [torch.arange(1000), torch.tensor([7])]
    label, rows = drawn_donors(of_label, [3, 5], 4000, rng)
    share = (label == 5).double().mean()
    assert abs(share - 0.5) < 4 * 0.5 / 4000**0.5
    assert (rows[label == 5] == 7).all()
