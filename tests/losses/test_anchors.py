"""Anchors: which object each is for, and how it moves there."""

import dataclasses
import math

import torch
from torch.testing import assert_close

from ganvas.core.boxes.box_kinds import IGNORED, OBJECT
from ganvas.core.seeds import stream
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.losses.boxes.anchors import AnchorTargets, anchor_targets, focal_loss, laid_anchors, moved_anchors
from ganvas.models.detect import csp
from ganvas.nn.layers.initialise import initialise

ANCHORS = laid_anchors((12, 16), stride=4, least_height=10, heights=3, aspect=0.41, device=torch.device("cpu"))


def test_anchors_stand_at_every_cell_from_the_lowest_to_the_tallest():
    assert ANCHORS.shape == (12 * 16 * 3, 4)
    assert_close(ANCHORS[0], torch.tensor([2 - 2.05, 2 - 5, 2 + 2.05, 2 + 5]))
    sides = ANCHORS[:, 2:] - ANCHORS[:, :2]
    assert_close(sides[:3, 1], torch.tensor([10, 16, 25.6]))
    assert_close((ANCHORS[3] + ANCHORS[2 * 3 * 16]) / 2, torch.tensor([4 - 2.05, 6 - 5, 4 + 2.05, 6 + 5]))


def test_anchors_that_move_as_they_are_asked_are_the_boxes_and_every_object_has_one():
    corners = torch.tensor([[[20.0, 10, 27, 26], [40, 4, 46, 40]]])  # The second overlaps no anchor by half.
    targets = anchor_targets(ANCHORS, corners, torch.tensor([[OBJECT, OBJECT]]))
    found = moved_anchors(ANCHORS, targets.moves)[0][targets.positive[0]]
    near = (found[:, None] - corners[0]).abs().amax(-1)
    assert near.amin(1).max() < 1e-4
    assert (near.amin(0) < 1e-4).all()


def test_an_anchor_in_an_ignored_box_says_nothing():
    targets = anchor_targets(ANCHORS, torch.tensor([[[0.0, 0, 64, 48]]]), torch.tensor([[IGNORED]]))
    assert not targets.positive.any()
    assert not targets.counted.view(12, 16, 3)[2:10, 2:14].any()


def test_the_focal_loss_of_two_anchors_by_hand():
    logits = torch.tensor([[math.log(0.3 / 0.7), math.log(0.2 / 0.8)]])
    yes = torch.tensor([[True, False]])
    targets = AnchorTargets(positive=yes, counted=torch.tensor([[True, True]]), moves=torch.zeros(1, 2, 4))
    expected = -0.25 * 0.7**2 * math.log(0.3) - 0.75 * 0.2**2 * math.log(0.8)
    assert_close(focal_loss(logits, targets), torch.tensor([expected]))


def test_a_model_with_anchors_learns_and_detects():
    model = csp.Model(dataclasses.replace(csp.TINY, head="anchors", anchors=2))
    initialise(model, stream(0, "weights"))
    batch = BoxedPictures(
        images=torch.rand(2, 3, 32, 32, generator=stream(1, "x")),
        corners=torch.tensor([[[4.0, 4, 10, 20]]] * 2),
        kinds=torch.ones(2, 1, dtype=torch.long),
        rng=stream(2, "noise"),
    )
    terms = model.phases()[0].loss(batch)
    torch.stack([term.mean() for term in terms.values()]).sum().backward()
    assert terms.keys() == {"score", "move"}
    assert all(p.grad is not None and p.grad.isfinite().all() for p in model.parameters())
    assert len(model.eval().detect(batch.images, least_score=0.0)[0]) > 1
