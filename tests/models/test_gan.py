"""The first GAN against its authors' code for MNIST, and its two games against hand computations."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.optimizers import SGD, Adam
from ganvas.models.gan.gan import POINTS, TINY, TINY_POINTS, Config, Model
from ganvas.nn.layers.initialise import initialise


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


def test_at_28_pixels_it_has_the_layers_of_the_authors_code():
    # mnist.yaml: 100, 1200, 1200, 784 rectified and a sigmoid; 784, 240 of 5 pieces, 240 of 5 pieces, 1.
    with torch.device("meta"):
        model = Model(Config(base=(7, 7), resolution=16))
    drawing = 100 * 1200 + 1200 + 1200 * 1200 + 1200 + 1200 * 784 + 784
    judging = 784 * 1200 + 1200 + 240 * 1200 + 1200 + 240 + 1
    assert sum(p.numel() for p in model.generator.parameters()) == drawing
    assert sum(p.numel() for p in model.discriminator.parameters()) == judging
    assert [phase.optimizer for phase in model.phases()] == [SGD(momentum=0.5)] * 2


@pytest.mark.parametrize("game", ["minimax", "non_saturating"])
def test_both_games_have_the_values_of_their_definition_on_two_samples(game):
    model = started(game=game, dropout=0.0, input_dropout=0.0)
    images = torch.rand(2, 1, 8, 8, generator=stream(1, "images")) * 2 - 1
    discriminator, generator = model.phases()
    with torch.no_grad():
        given = Pictures(images=images, rng=stream(2, "noise"))
        fakes = model.generator(2 * given.rand(4) - 1)
        real, fake = (model.discriminator(x).sigmoid().tolist() for x in (images, fakes))
        judged = discriminator.loss(given.with_rng(stream(2, "noise")))["non_saturating"]
        drawn = generator.loss(given.with_rng(stream(2, "noise")))[game]
    assert_close(judged, torch.tensor([-math.log(d) - math.log(1 - g) for d, g in zip(real, fake, strict=True)]))
    wanted = [math.log(1 - g) if game == "minimax" else -math.log(g) for g in fake]
    assert_close(drawn, torch.tensor(wanted))


def test_a_colour_that_is_dropped_is_black():
    model = started(input_dropout=1 - 1e-7, dropout=0.0)
    images = torch.rand(4, 1, 8, 8, generator=stream(1, "images")) * 2 - 1
    with torch.no_grad():
        torch.manual_seed(0)
        dropped = model.train().discriminator(images)
        black = model.eval().discriminator(-torch.ones_like(images))
    assert_close(dropped, black)


def test_what_judges_after_training_drops_nothing():
    model = started().eval()
    images = torch.rand(4, 1, 8, 8, generator=stream(1, "images")) * 2 - 1
    with torch.no_grad():
        assert torch.equal(model.judge(images), model.judge(images))


def test_pictures_are_drawn_within_the_range_of_colours_and_points_are_not():
    pictures, points = started().eval(), started(POINTS).eval()
    with torch.no_grad():
        assert pictures.decode(100 * pictures.latents(9, stream(0, "z"))).abs().max() <= 1
        assert points.decode(100 * points.latents(9, stream(0, "z"))).abs().max() > 1


def test_the_critic_moves_as_often_as_asked_and_by_the_optimiser_asked_for():
    model = started(TINY_POINTS, critic_moves=3, momentum=0.25)
    assert [step for step in range(7) if model.phases()[1].turn(step, 0)] == [2, 5]
    assert [phase.optimizer for phase in model.phases()] == [Adam(beta1=0.25, beta2=0.999)] * 2


def test_points_are_judged_around_their_middle():
    points = torch.tensor([[10.0, 0.0], [16.0, 8.0]]).repeat(4, 1)
    model = started(TINY_POINTS)
    model.calibrate(Points(points=points))
    with torch.no_grad():
        expected = model.discriminator((points - torch.tensor([13.0, 4.0])) / 5)
        assert_close(model.judge(points), expected)


@pytest.mark.parametrize("change", [{"dropout": 1.0}, {"pieces": 0}, {"momentum": 1.0}, {"dims": -1}], ids=str)
def test_impossible_settings_are_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        Config(**change)
