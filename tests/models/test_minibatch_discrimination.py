"""Minibatch discrimination and feature matching in a game, against hand computations on few samples."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.models.gan.minibatch_discrimination import TINY, TINY_POINTS, Config, Model
from ganvas.nn.layers.initialise import initialise


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


def points(n, seed=1):
    return torch.randn(n, 2, generator=stream(seed, "points"))


def test_a_score_depends_on_how_close_the_others_of_the_batch_are():
    sample = points(1)
    alike, apart = torch.cat([sample, sample.expand(3, 2)]), torch.cat([sample, points(3, seed=2)])
    with_kernels, without = started(TINY_POINTS), started(TINY_POINTS, kernels=0)
    with torch.no_grad():
        seen = [with_kernels.judge(batch)[0] for batch in (alike, apart)]
        blind = [without.judge(batch)[0] for batch in (alike, apart)]
    assert abs(seen[0] - seen[1]) > 1e-3
    assert_close(blind[0], blind[1])


def test_a_score_is_told_the_mean_deviation_of_the_features_of_its_batch():
    model = started(TINY_POINTS, kernels=0, deviation=True)
    batch = points(5)
    with torch.no_grad():
        features = model.discriminator.features(batch)
        told = features.double().numpy().std(0).mean()  # Of the population, as the paper has it.
        weights = model.discriminator.score.last.weight[0]
        by_hand = features @ weights[:-1] + told * weights[-1] + model.discriminator.score.last.bias
        assert_close(model.discriminator(batch), by_hand.float(), rtol=1e-4, atol=1e-4)


def test_the_twin_without_kernels_has_no_layer_for_them():
    names = [name for name, _ in started(kernels=0).named_parameters()]
    assert not any("discrimination" in name for name in names)


def test_closeness_is_that_among_reals_and_that_among_fakes():
    model, sizes = started(), []
    model.discriminator.score.discrimination.register_forward_pre_hook(lambda _net, args: sizes.append(len(args[0])))
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    model.phases()[0].loss(Pictures(images=images, rng=stream(0, "noise")))
    assert sizes == [8, 8]


def test_matched_features_pay_the_squared_distance_of_their_means():
    model = started(TINY_POINTS, objective="feature_matching")
    given = Points(points=points(2), rng=stream(2, "noise"))
    with torch.no_grad():
        fakes = model.generator(given.randn(TINY_POINTS.latent_size))
        real, fake = model.discriminator.features(given.points), model.discriminator.features(fakes)
        found = model.phases()[1].loss(given.with_rng(stream(2, "noise")))["feature_matching"]
    by_hand = sum(((real[0, i] + real[1, i] - fake[0, i] - fake[1, i]) / 2) ** 2 for i in range(real.shape[1]))
    assert_close(found, by_hand)


def test_the_generator_alone_feels_the_matching_of_features():
    model = started(TINY_POINTS, objective="feature_matching")
    terms = model.phases()[1].loss(Points(points=points(4), rng=stream(2, "noise")))
    terms["feature_matching"].backward()
    assert all(parameter.grad is not None for parameter in model.generator.parameters())


def test_a_first_batch_sets_the_scale_of_closeness_so_that_outputs_are_zero_on_average():
    model = started(TINY_POINTS)
    batch = Points(points=5 + 3 * points(8))
    model.calibrate(batch)
    with torch.no_grad():
        features = model.discriminator.features(model.inside(batch.points))
        closeness = model.discriminator.score.discrimination(features)[:, features.shape[1] :]
    assert_close(closeness.mean(0), torch.zeros(6), rtol=0, atol=1e-5)


def test_a_batch_of_one_is_refused_where_closeness_is_measured():
    with pytest.raises(UserError, match="batch_size=1 must be at least 2"):
        Config(batch_size=1)
    with pytest.raises(UserError, match="batch_size=1 must be at least 2"):
        Config(batch_size=1, kernels=0, deviation=True)
    assert Config(batch_size=1, kernels=0).batch_size == 1


def test_a_first_batch_of_samples_that_are_all_alike_is_refused():
    with pytest.raises(UserError, match="do not differ"):
        started(TINY_POINTS).calibrate(Points(points=torch.ones(8, 2)))
