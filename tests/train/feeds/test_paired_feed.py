"""Pairs stay pairs: through the order, the mirror and the crop, on one rank and on two; numbers become classes."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.pixel_losses import gap_weights, pixel_cross_entropy
from ganvas.models.segment import unet
from ganvas.models.translate import cyclegan
from ganvas.nn.layers.initialise import initialise
from ganvas.train.feeds.paired_feed import PairedFeed
from ganvas.train.feeds.picture_feed import Dealing
from ganvas.train.feeds.pixel_classes import VOID, count_classes, told_classes
from ganvas.train.kinds.kind import SourceRequest
from ganvas.train.kinds.picture_kind import PictureKind
from ganvas.train.plan import Plan

STAGE = Stage(batch_size=4, lr=0.0)


@pytest.fixture
def folders(tmp_path):
    """Grey pictures whose every level is ten times the class of the pixel; the names sort otherwise."""
    rng = np.random.default_rng(0)
    for place in range(9):
        classes = rng.integers(0, 3, (12, 18), dtype=np.uint8)
        for folder, pixels, name in (("p", classes * 10, f"{place}.png"), ("m", classes, f"{place}.tif")):
            (tmp_path / folder).mkdir(exist_ok=True)
            Image.fromarray(pixels).save(tmp_path / folder / name)
    return tmp_path


def prepared(folders, plan=None, **changes):
    request = SourceRequest(data=str(folders / "p"), target=str(folders / "m"), quiet=True)
    config = unet.Config(**{"height": 12, "width": 18, "channels": 1, "pixel_classes": 3, **changes})
    return PictureKind().prepare(request, config, plan or Plan())


def dealt(data, dealing, *, rank=0, count=1, hold=None, steps=5):
    pairs = data.larger_pairs or data.pairs
    ranks = Ranks(rank=rank, count=count)
    feed = PairedFeed(pairs, dealing, seed=3, device=torch.device("cpu"), ranks=ranks, hold=hold)
    found = [feed.batch(step * STAGE.batch_size, STAGE) for step in range(steps)]
    feed.close()
    return found


@pytest.mark.parametrize("hold", [True, False])
def test_every_pixel_keeps_its_class_when_mirrored_and_cropped(folders, hold):
    # With a margin of half the size the pictures are packed as they are, and windows of 8 x 12 are dealt.
    cut = prepared(folders, Plan(crop_margin=0.5), height=8, width=12)
    whole = prepared(folders)
    for data, dealing, size in ((cut, Dealing(mirror=True, crop=(8, 12)), (8, 12)), (whole, Dealing(), (12, 18))):
        for batch in dealt(data, dealing, hold=hold):
            assert batch.label_map.shape == (4, *size)
            assert torch.equal(((batch.images[:, 0] + 1) * 127.5).round() / 10, batch.label_map.float())


def test_pixels_in_gaps_are_weighed_as_they_are_dealt(folders):
    plan = Plan(crop_margin=0.5, mirror=True)
    data = prepared(folders, plan, height=8, width=12)
    for gap_weight in (0.0, 10.0):
        model = unet.Model(replace(unet.TINY, channels=1, dropout=0.0, gap_weight=gap_weight, gap_sigma=2.0))
        feed = data.feed(model, plan, device=torch.device("cpu"), ranks=Ranks())
        batch = feed.batch(0, STAGE)
        feed.close()
        if gap_weight:  # Of the window, not of the picture that it is cut from.
            assert torch.equal(batch.pixel_weights, gap_weights(batch.label_map, gap_weight=10.0, sigma=2.0))
            assert batch.pixel_weights.max() > 1
            initialise(model, stream(0, "weights"))
            (phase,) = model.phases()
            logits = model.segment(batch.images)
            wanted = pixel_cross_entropy(logits, batch.label_map, batch.pixel_weights, summed=model.config.summed_loss)
            assert_close(phase.loss(batch)["cross_entropy"], wanted)
            model.to("meta")  # Where nothing has a value: the step itself may not wait for one.
            assert phase.loss(batch.map(lambda tensor: tensor.to("meta")))["cross_entropy"].is_meta
        else:
            assert batch.pixel_weights is None


def test_two_ranks_together_see_the_batch_of_one(folders):
    data = prepared(folders)
    one = dealt(data, Dealing(mirror=True))
    two = [dealt(data, Dealing(mirror=True), rank=rank, count=2) for rank in (0, 1)]
    for step, batch in enumerate(one):
        for field in ("label_map", "images"):
            halves = [getattr(half[step], field) for half in two]
            assert torch.equal(torch.stack(halves, 1).flatten(0, 1), getattr(batch, field))


def test_labels_beyond_the_classes_are_named_with_their_file(folders):
    with pytest.raises(UserError, match=r"the label 2 in \d\.tif, and pixel_classes=2 are 0 to 1"):
        prepared(folders, pixel_classes=2)
    data = prepared(folders, pixel_classes=2, void=2)
    assert set(data.pairs.read_classes(np.arange(9)).flatten().tolist()) == {0, 1, VOID}


def test_white_on_black_is_class_1_and_255_beside_others_is_void():
    white = np.array([[0, 255], [255, 0]], np.uint8)
    assert told_classes(white, 2, void=255, name="x").tolist() == [[0, 1], [1, 0]]
    assert told_classes(np.array([[0, 1], [255, 0]], np.uint8), 2, void=255, name="x").tolist() == [[0, 1], [VOID, 0]]
    assert count_classes(np.bincount([0, 255], minlength=256)) == 2
    assert count_classes(np.bincount([0, 7, 255], minlength=256)) == 8
    assert count_classes(np.bincount([0, 7, 11], minlength=256), void=11) == 8


def test_a_target_is_asked_for_and_refused_where_none_is_learnt(folders, tmp_path):
    kind, config = PictureKind(), unet.Config(height=12, width=18, channels=1, pixel_classes=3)
    with pytest.raises(UserError, match="--target SRC"):
        kind.prepare(SourceRequest(data=str(folders / "p"), quiet=True), config, Plan())
    from ganvas.models.gan import dcgan
    from ganvas.train.kinds.domain_kind import DomainKind

    request = SourceRequest(data=str(folders / "p"), target=str(folders / "m"), other="x", quiet=True)
    with pytest.raises(UserError, match="learns no pairs"):
        kind.prepare(SourceRequest(data=request.data, target=request.target, quiet=True), dcgan.TINY, Plan())
    with pytest.raises(UserError, match="learns no pairs"):
        DomainKind().prepare(request, cyclegan.TINY, Plan())


def test_held_out_targets_need_held_out_pictures(folders):
    request = SourceRequest(data=str(folders / "p"), target=str(folders / "m"), held_out_target="x", quiet=True)
    with pytest.raises(UserError, match="--held-out SRC"):
        PictureKind().prepare(request, unet.Config(height=12, width=18, channels=1, pixel_classes=3), Plan())
