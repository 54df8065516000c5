"""Areas that boxes share, and suppression."""

import torch
from torch.testing import assert_close

from ganvas.nn.boxes.overlap import areas, covered_shares, overlaps
from ganvas.nn.boxes.suppression import kept_boxes


def some_boxes(n, seed):
    rng = torch.Generator().manual_seed(seed)
    corner = torch.rand(n, 2, generator=rng, dtype=torch.float64) * 40
    return torch.cat([corner, corner + 2 + torch.rand(n, 2, generator=rng, dtype=torch.float64) * 20], 1)


def overlap_of(a, b):
    across, down = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    shared = max(across, 0) * max(down, 0)
    return shared / ((a[2] - a[0]) * (a[3] - a[1]) + (b[2] - b[0]) * (b[3] - b[1]) - shared)


def test_overlap_of_boxes_that_share_a_quarter_and_of_those_that_touch():
    first = torch.tensor([[0.0, 0.0, 2.0, 2.0]])
    second = torch.tensor([[1.0, 1.0, 3.0, 3.0], [2.0, 0.0, 4.0, 2.0], [0.0, 0.0, 2.0, 2.0], [1.0, 1.0, 1.0, 1.0]])
    assert_close(overlaps(first, second), torch.tensor([[1 / 7, 0.0, 1.0, 0.0]]))
    assert_close(covered_shares(first, second), torch.tensor([[0.25, 0.0, 1.0, 0.0]]))
    assert areas(torch.tensor([3.0, 3.0, 1.0, 5.0])) == 0


def test_suppression_is_that_of_two_loops():
    boxes, scores = some_boxes(60, 1), torch.rand(60, generator=torch.Generator().manual_seed(2))
    scores[10:14] = scores[9]  # Ties go to the earlier box.
    left, kept = sorted(range(60), key=lambda k: (-float(scores[k]), k)), []
    while left:
        best = left.pop(0)
        kept.append(best)
        left = [other for other in left if overlap_of(boxes[best].tolist(), boxes[other].tolist()) <= 0.3]
    assert kept_boxes(boxes, scores, most_overlap=0.3).tolist() == kept
    assert 5 < len(kept) < 60


def test_of_no_boxes_none_stay():
    assert len(kept_boxes(torch.zeros(0, 4), torch.zeros(0), most_overlap=0.5)) == 0
