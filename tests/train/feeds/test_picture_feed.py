import dataclasses

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core import catalogue
from ganvas.core.errors import UserError
from ganvas.core.pixels import to_float
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.nn.layers.resample import staged
from ganvas.train.feeds.picture_feed import Dealing, PictureFeed, cropped, told_labels
from ganvas.train.kinds.kind import SourceRequest
from ganvas.train.kinds.picture_kind import PictureKind
from ganvas.train.plan import Plan

CPU = torch.device("cpu")
SMALL = Stage(resolution=8, batch_size=8, lr=1e-3)
STAGE = Stage(resolution=16, batch_size=8, lr=1e-3)


def feed(packed, *, rank=0, count=1, hold=None, **settings):
    ranks = Ranks(rank=rank, count=count)
    return PictureFeed(packed, Dealing(**settings), seed=1, device=CPU, ranks=ranks, hold=hold)


def images_of(source, nimg):
    return source.batch(nimg, STAGE).images


def test_every_pass_over_the_data_shows_each_picture_once_in_another_order(tiny_packed):
    n = len(tiny_packed)
    source = feed(tiny_packed)
    passes = [source.pictures.order.indices(epoch * n, n) for epoch in range(3)]
    for order in passes:
        assert sorted(order.tolist()) == list(range(n))
    assert not torch.equal(passes[0], passes[1])


def test_a_batch_may_reach_over_the_end_of_the_data_and_over_several_passes(tiny_packed):
    source = feed(tiny_packed)
    n = len(tiny_packed)
    long = source.pictures.order.indices(n - 3, 2 * n)
    assert long[:3].tolist() == source.pictures.order.indices(n - 3, 3).tolist()
    assert long[3 : 3 + n].tolist() == source.pictures.order.indices(n, n).tolist()


def test_the_order_depends_on_the_position_alone(tiny_packed):
    a, b = feed(tiny_packed), feed(tiny_packed)
    for nimg in range(0, 400, 8):
        a.batch(nimg, STAGE)
    assert torch.equal(images_of(a, 400), images_of(b, 400))


def test_the_shares_of_the_ranks_are_the_whole_batch(tiny_packed):
    whole = images_of(feed(tiny_packed, mirror=True), 16)
    shares = [images_of(feed(tiny_packed, mirror=True, rank=r, count=2), 16) for r in (0, 1)]
    assert torch.equal(whole[0::2], shares[0])
    assert torch.equal(whole[1::2], shares[1])


@pytest.mark.parametrize("mirror", [False, True])
def test_reading_ahead_gives_the_same_pictures_as_holding_them(tiny_packed, mirror):
    held = feed(tiny_packed, hold=True, labels=True, mirror=mirror)
    streamed = feed(tiny_packed, hold=False, labels=True, mirror=mirror)
    for nimg in (0, 8, 16, 96, 48):
        mine, theirs = held.batch(nimg, STAGE), streamed.batch(nimg, STAGE)
        assert torch.equal(mine.images, theirs.images)
        assert torch.equal(mine.labels, theirs.labels)
    streamed.close()


def test_labels_stay_with_their_pictures(tiny_packed):
    source = feed(tiny_packed, labels=True)
    batch = source.batch(0, STAGE)
    for image, label in zip(batch.images, batch.labels, strict=True):
        pixels = ((image + 1) * 127.5).round().to(torch.uint8).permute(1, 2, 0).numpy()
        (found,) = [i for i in range(len(tiny_packed)) if np.array_equal(tiny_packed.images[i], pixels)]
        assert label.item() == tiny_packed.labels[found]


def rows(pixels):
    return to_float(torch.as_tensor(pixels, dtype=torch.uint8).permute(0, 3, 1, 2))


def test_black_is_minus_one_and_white_is_one():
    black_white = np.array([0, 255], dtype=np.uint8).reshape(1, 1, 2, 1)
    assert staged(rows(black_white)).flatten().tolist() == [-1.0, 1.0]


def test_a_lower_resolution_is_the_mean_of_its_pixels():
    pixels = np.arange(16, dtype=np.uint8).reshape(1, 4, 4, 1) * 10
    small = staged(rows(pixels), shrink=2)
    expected = pixels[0, :, :, 0].reshape(2, 2, 2, 2).mean((1, 3)) / 127.5 - 1
    assert_close(small[0, 0], torch.tensor(expected, dtype=torch.float32), atol=1e-6, rtol=0)  # float32 rounding


def test_reals_fade_from_the_doubled_lower_resolution_to_themselves():
    pixels = np.random.default_rng(0).integers(0, 256, (1, 4, 4, 1), dtype=np.uint8)
    sharp, blurred = staged(rows(pixels)), staged(rows(pixels), fade=0.0)
    expected = sharp.reshape(1, 1, 2, 2, 2, 2).mean((3, 5)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert_close(blurred, expected, atol=1e-6, rtol=0)
    assert_close(staged(rows(pixels), fade=0.25), 0.75 * expected + 0.25 * sharp, atol=1e-6, rtol=0)


def test_about_half_of_the_pictures_are_mirrored_and_the_rest_are_not(tiny_packed):
    plain, mirrored = feed(tiny_packed), feed(tiny_packed, mirror=True)
    flips = 0
    for nimg in range(0, 800, 8):
        a, b = images_of(plain, nimg), images_of(mirrored, nimg)
        for one, other in zip(a, b, strict=True):
            assert torch.equal(one, other) or torch.equal(one.flip(-1), other)
            flips += torch.equal(one.flip(-1), other)
    assert 300 < flips < 500  # 800 coins: seven standard deviations of 14 on either side.


def test_a_crop_is_a_window_of_the_picture_at_the_place_that_was_drawn():
    # 6x8 pixels numbered in rows; a window of 4x4 has 3x5 places: (0.5, 0.99) is row 1 of 3 and column 4 of 5.
    images = torch.arange(48.0).view(1, 1, 6, 8)
    window = cropped(images, torch.tensor([[0.5, 0.99]]), (4, 4))
    assert window.shape == (1, 1, 4, 4)
    assert window[0, 0, 0].tolist() == [12.0, 13.0, 14.0, 15.0]
    assert window[0, 0, 3].tolist() == [36.0, 37.0, 38.0, 39.0]


def test_told_labels_are_equally_many_of_each_class_and_a_function_of_the_seed():
    labels = np.repeat([0, 1, 2], [50, 30, 2])
    told = told_labels(labels, 32, seed=4)
    assert [int((told == label).sum()) for label in range(3)] == [15, 15, 2]
    assert ((told == labels) | (told == -1)).all()
    assert np.array_equal(told, told_labels(labels, 32, seed=4))
    assert not np.array_equal(told, told_labels(labels, 32, seed=5))
    with pytest.raises(UserError, match=r"--labelled 83: there are 82 labels"):
        told_labels(labels, 83, seed=4)


def test_a_model_that_needs_every_class_refuses_to_have_some_hidden(tiny_npz):
    module = catalogue.load("models", "gan/progan")
    config = dataclasses.replace(module.TINY, num_classes=3)
    request = SourceRequest(data=str(tiny_npz), conditional=True, labelled=6, quiet=True)
    with pytest.raises(UserError, match="--labelled 6 hides classes, and this model needs the class of every picture"):
        PictureKind().prepare(request, config, Plan())


def test_windows_are_dealt_from_larger_pictures_and_measured_pictures_have_the_model_s_size(tiny_npz):
    kind, module = PictureKind(), catalogue.load("models", "gan/dcgan")
    config = dataclasses.replace(module.TINY, resolution=8, base=(4, 4))
    request = SourceRequest(data=str(tiny_npz), fit="stretch", quiet=True)
    data = kind.prepare(request, config, Plan(crop_margin=0.5))
    batch = data.feed(module.Model(config), Plan(crop_margin=0.5), device=CPU, ranks=Ranks()).batch(0, SMALL)
    assert (data.larger.height, data.packed.height) == (12, 8)
    assert batch.images.shape == (8, 3, 8, 8)
    whole = kind.prepare(request, config, Plan())
    assert data.described["fingerprint"] == whole.described["fingerprint"] == data.packed.fingerprint


def test_a_second_source_is_refused_by_a_model_of_one(tiny_npz):
    module = catalogue.load("models", "gan/dcgan")
    request = SourceRequest(data=str(tiny_npz), other="scenes", quiet=True)
    with pytest.raises(UserError, match="--other scenes: this model learns pictures of one source"):
        PictureKind().prepare(request, module.TINY, Plan())
