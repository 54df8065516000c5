"""CSP: its network's size, pictures of any size, and what is learnt of one picture."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.box_batch import BoxedPictures
from ganvas.models.detect import csp
from ganvas.networks.centre_network import PRIOR, padded_to_depth
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.l2_norm import L2Norm
from ganvas.train.step import average_towards


def started(*, seed=0, **changes):
    model = csp.Model(dataclasses.replace(csp.TINY, **changes))
    initialise(model, stream(seed, "weights"))
    return model.eval()


def test_the_backbone_has_the_parameters_of_resnet50_without_its_last_layer():
    with torch.device("meta"):
        network = csp.Model(csp.Config()).network
    backbone = sum(p.numel() for part in (network.stem, network.stages) for p in part.parameters())
    assert backbone == 25_557_032 - (2048 * 1000 + 1000)  # torchvision's count, less the layer of 1,000 classes.
    up = 4 * 4 * 256 * (512 + 1024 + 2048) + 3 * 256
    mix = 9 * 768 * 256 + 2 * 256
    assert sum(p.numel() for p in network.parameters()) == backbone + up + 3 * 256 + mix + 256 * 4 + 4


def test_a_picture_and_the_same_with_grey_below_and_to_the_right_have_the_same_boxes():
    model, image = started(), torch.rand(1, 3, 37, 45, generator=stream(1, "x")) * 2 - 1
    with torch.no_grad():
        (boxes, scores), (others, same) = (model.candidates(one) for one in (image, padded_to_depth(image)))
    assert torch.equal(boxes, others)
    assert torch.equal(scores, same)
    (found,) = model.detect(image, least_score=0.0)
    assert len(found) > 3
    assert found.corners.min() >= 0
    assert (found.corners.amax(0)[2:] <= torch.tensor([45.0, 37.0])).all()


def test_an_untrained_network_finds_nothing():
    (found,) = started().detect(torch.zeros(1, 3, 32, 48))
    assert len(found) == 0
    logits, _ = started().network(torch.zeros(1, 3, 32, 32))
    assert torch.sigmoid(logits).max() < 10 * PRIOR


def test_features_of_a_pixel_have_the_length_of_the_gain():
    norm = L2Norm(5, gain=10.0)
    x = torch.randn(2, 5, 3, 4, generator=stream(2, "x")) * 1000
    assert_close(norm(x).square().sum(1).sqrt(), torch.full((2, 3, 4), 10.0))


def test_an_average_of_weights_that_stand_still_detects_what_they_detect():
    model, average = started(), started(seed=1)
    image = 3 * torch.rand(1, 3, 32, 48, generator=stream(3, "x")) + 1
    model.train()
    for _ in range(5):  # Moves the statistics of batch norm away from those of a new network.
        model.network(image)
    for _ in range(40):  # Halves what is left of the other weights and of their statistics: 1e-12 at the end.
        average_towards(average, model.eval(), decay=0.5)
    (ours,), (theirs,) = (one.detect(image, least_score=0.0) for one in (model, average))
    assert len(ours) > 3
    assert_close(theirs.scores, ours.scores)
    assert_close(theirs.corners, ours.corners, rtol=1e-4, atol=1e-3)


def test_one_picture_is_learnt_by_heart():
    model = started(
        base_width=6, features=12, zoom=(1.0, 1.0), brightness=(1.0, 1.0), least_height=8.0, box="size"
    ).train()
    image = torch.zeros(1, 3, 32, 48)
    image[:, 0, 6:26, 8:18] = 1
    corners = torch.tensor([[[8.0, 6.0, 18.0, 26.0]]])
    batch = BoxedPictures(images=image, corners=corners, kinds=torch.ones(1, 1, dtype=torch.long))
    optimizer = torch.optim.Adam(model.parameters(), lr=1e-2)
    (phase,) = model.phases()
    for _ in range(60):
        optimizer.zero_grad()
        torch.stack([term.mean() for term in phase.loss(batch).values()]).sum().backward()
        optimizer.step()
    (found,) = model.detect(image)  # Still in training mode: the statistics are those of the picture.
    assert len(found) >= 1
    assert (found.corners[0] - corners[0, 0]).abs().max() < 2


def test_impossible_settings_are_refused():
    with pytest.raises(UserError, match="least_height"):
        dataclasses.replace(csp.TINY, least_height=2)
    with pytest.raises(UserError, match="zoom=2,1 must be two numbers"):
        dataclasses.replace(csp.TINY, zoom=(2, 1))
    with pytest.raises(UserError, match="height=40 is not a multiple of 16"):
        dataclasses.replace(csp.TINY, height=40)
