"""LSGAN against hand computations on two samples."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.lsgan import TINY, TINY_POINTS, Config, Model
from ganvas.nn.layers.initialise import initialise


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


@pytest.mark.parametrize(("a", "b", "c"), [(0.0, 1.0, 1.0), (-1.0, 1.0, 0.0)])
def test_both_losses_are_half_the_squared_distances_to_their_targets(a, b, c):
    model = started(a=a, b=b, c=c)
    images = torch.rand(2, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    seen = []
    model.discriminator.register_forward_hook(lambda _net, _args, scores: seen.append(scores.detach()))
    discriminator, generator = model.phases()
    judged = discriminator.loss(Pictures(images=images, rng=stream(2, "noise")))["least_squares"]
    drawn = generator.loss(Pictures(images=images, rng=stream(3, "noise")))["least_squares"]
    real, fake, fooled = seen
    assert_close(judged, 0.5 * (real - b) ** 2 + 0.5 * (fake - a) ** 2)  # Eq. 2, one value per pair.
    assert_close(drawn, 0.5 * (fooled - c) ** 2)


def test_squashed_verdicts_are_squared_behind_a_sigmoid():
    model = started(squashed=True, discriminator_norm="none")
    images = torch.rand(2, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    seen = []
    model.discriminator.register_forward_hook(lambda _net, _args, scores: seen.append(scores.detach().sigmoid()))
    discriminator, generator = model.phases()
    judged = discriminator.loss(Pictures(images=images, rng=stream(2, "noise")))["least_squares"]
    drawn = generator.loss(Pictures(images=images, rng=stream(3, "noise")))["least_squares"]
    real, fake, fooled = seen
    assert_close(judged, 0.5 * (real - 1) ** 2 + 0.5 * fake**2)
    assert_close(drawn, 0.5 * (fooled - 1) ** 2)
    assert_close(model.judge(images), real)  # Without a norm a score does not depend on the batch's others.


def test_a_judgement_is_0_at_the_target_of_fakes_and_1_at_that_of_reals():
    points = torch.randn(5, 2, generator=stream(1, "points"))
    model = started(TINY_POINTS, a=-1.0, b=3.0)
    with torch.no_grad():
        scores = model.discriminator(points).flatten()
        assert_close(model.judge(points), (scores + 1) / 4)


def test_one_target_for_fakes_and_reals_is_refused():
    with pytest.raises(UserError, match=r"a=1 and b=1 are one target"):
        Config(a=1.0)
