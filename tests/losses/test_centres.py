"""Centres of boxes as maps, and back; losses by hand."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.boxes.box_kinds import ABSENT, IGNORED, OBJECT
from ganvas.losses.boxes.centres import boxes_of_centres, centre_loss, centre_targets, offset_loss, size_loss


def people(n, seed, *, aspect=0.41, width=256, height=192):
    """Boxes far enough apart from each other, and away from the borders."""
    rng = torch.Generator().manual_seed(seed)
    boxes = []
    for k in range(n):
        tall = 30 + 60 * torch.rand((), generator=rng).item()
        x = 30 + k * (width - 60) / n + torch.rand((), generator=rng).item()
        y = height / 2 + 20 * (torch.rand((), generator=rng).item() - 0.5)
        boxes.append([x - aspect * tall / 2, y - tall / 2, x + aspect * tall / 2, y + tall / 2])
    return torch.tensor(boxes)[None]


def decoded(targets, **how):
    return boxes_of_centres(targets.sizes, targets.offsets, **how)[0][targets.positive[0]]


@pytest.mark.parametrize("flip", [False, True])
@pytest.mark.parametrize("widths", [False, True])
def test_what_is_decoded_from_the_targets_is_the_boxes(flip, widths):
    boxes = people(6, 3, aspect=0.55 if widths else 0.41)
    if flip:
        boxes = torch.stack([256 - boxes[..., 2], boxes[..., 1], 256 - boxes[..., 0], boxes[..., 3]], -1)
    targets = centre_targets(boxes, torch.full((1, 6), OBJECT), (48, 64), widths=widths)
    found = decoded(targets, aspect=None if widths else 0.41)
    order = lambda these: these[these[:, 0].argsort()]  # noqa: E731
    assert_close(order(found), order(boxes[0]), rtol=0, atol=1e-3)


def test_the_window_of_a_box_is_a_gaussian_over_its_whole_cells():
    # From 2.5 to 9.75 cells across: the six cells 3 to 8, whose middle one is 3 + int(6 / 2); down 1 to 4: three.
    targets = centre_targets(torch.tensor([[[10.0, 4.0, 39.0, 16.0]]]), torch.tensor([[OBJECT]]), (6, 12))
    across, down = 0.3 * ((6 - 1) / 2 - 1) + 0.8, 0.3 * ((3 - 1) / 2 - 1) + 0.8
    near = targets.near[0]
    assert near[2, 6] == 1
    assert_close(near[2, 4], torch.tensor(math.exp(-4 / (2 * across**2))))
    assert_close(near[1, 6], torch.tensor(math.exp(-1 / (2 * down**2))))
    assert near[:, :3].sum() == near[:, 9:].sum() == near[4:].sum() == near[0].sum() == 0
    assert targets.positive[0].nonzero().tolist() == [[2, 6]]  # The centre, 6.125 cells across.
    assert targets.sized.sum() == 5 * 5


def test_ignored_boxes_cost_nothing_inside_but_objects_in_them_do():
    ignored = torch.tensor([[[8.0, 8.0, 40.0, 40.0], [0, 0, 0, 0]]])
    targets = centre_targets(ignored, torch.tensor([[IGNORED, ABSENT]]), (16, 16))
    logits = torch.full((1, 16, 16), -30.0)
    logits[:, 2:10, 2:10] = 5.0
    assert centre_loss(logits, targets).item() < 1e-12
    logits[:, 10, 5] = 5.0
    assert centre_loss(logits, targets).item() > 1
    both = torch.cat([ignored[:, :1], torch.tensor([[[16.0, 16.0, 24.0, 32.0]]])], 1)
    targets = centre_targets(both, torch.tensor([[IGNORED, OBJECT]]), (16, 16))
    assert targets.counted[0, 5, 5]
    assert not targets.counted[0, 2, 2]


def test_the_loss_of_two_cells_by_hand():
    boxes = torch.tensor([[[0.0, 0.0, 4.0, 16.0]], [[0.0, 0.0, 0.0, 0.0]]])
    targets = centre_targets(boxes, torch.tensor([[OBJECT], [ABSENT]]), (4, 2))
    logits = torch.full((2, 4, 2), -40.0)
    logits[0, 2, 0], logits[1, 3, 1] = math.log(0.2 / 0.8), math.log(0.7 / 0.3)
    # One centre in the batch; the mean over two pictures is the sum of all.
    expected = -(0.8**2) * math.log(0.2) - 0.7**2 * math.log(0.3)
    assert centre_loss(logits, targets).mean().item() == pytest.approx(expected, rel=1e-5)
    sizes, offsets = torch.full((2, 1, 4, 2), 2.0), torch.zeros(2, 2, 4, 2)
    error = (2 - math.log(4)) / math.log(4)
    assert size_loss(sizes, targets).mean().item() == pytest.approx(0.5 * error**2, rel=1e-5)
    # The centre (0.5, 2) lies in the middle of its cell across and at its upper edge.
    assert offset_loss(offsets, targets).mean().item() == pytest.approx(0.5 * 0.5**2)


def test_where_two_claim_a_cell_the_later_one_counts():
    boxes = torch.tensor([[[10.0, 10.0, 14.0, 26.0], [10.0, 10.0, 15.0, 30.0]]])
    targets = centre_targets(boxes, torch.tensor([[OBJECT, OBJECT]]), (16, 16))
    assert_close(targets.sizes[0, 0, 4, 3], torch.tensor(math.log(5.0)))
    assert_close(targets.sizes[0, 0, 2, 3], torch.tensor(math.log(4.0)))  # Two cells above the second's 5 by 5.
