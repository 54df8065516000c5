"""OT-GAN: who moves when, what the critic says, what a batch must be, and the start of its networks."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.sinkhorn import euclidean_cost, minibatch_energy_distance
from ganvas.models.gan.ot_gan import GATED_SQUARE, TINY, TINY_POINTS, Config, Model, concatenated_relu
from ganvas.nn.layers.initialise import initialise


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


def pictures(n=8, seed=1):
    return torch.rand(n, 3, 8, 8, generator=stream(seed, "images")) * 2 - 1


def test_each_step_moves_one_of_the_two():
    critic, generator = started(generator_moves=3).phases()
    turns = [(critic.turn(step, 0), generator.turn(step, 0)) for step in range(8)]
    assert turns == [(True, False), (False, True), (False, True), (False, True)] * 2


def test_the_critic_ascends_what_the_generator_descends_between_the_halves_of_both_batches():
    model = started()
    critic, generator = model.phases()
    images = pictures()
    with torch.no_grad():
        given = Pictures(images=images, rng=stream(2, "noise"))
        x, y = model.critic(images), model.critic(model.generator(2 * given.rand(8) - 1))
        expected = minibatch_energy_distance(x[:4], x[4:], y[:4], y[4:], sharpness=5.0, iterations=30)
        up = critic.loss(given.with_rng(stream(2, "noise")))["energy_distance"]
        down = generator.loss(given.with_rng(stream(2, "noise")))["energy_distance"]
    assert_close(up, -expected)
    assert_close(down, expected)


@pytest.mark.parametrize("settings", [TINY, TINY_POINTS], ids=["pictures", "points"])
def test_without_a_critic_the_generator_moves_at_every_step_by_the_distances_of_samples_where_they_lie(settings):
    model = started(settings, critic=False)
    (generator,) = model.phases()
    assert all(generator.turn(step, 0) for step in range(8))
    reals = torch.randn(8, *model.sample_shape, generator=stream(1, "samples"))
    batch = Points(points=reals, rng=stream(2, "noise")) if settings.dims else Pictures(images=reals)
    with torch.no_grad():
        made = model.generator(model.latents_of(batch.with_rng(stream(2, "noise")))).flatten(1)
        inside = model.reals(batch).flatten(1)
        how = {"cost": euclidean_cost, "sharpness": 5.0, "iterations": 30}
        expected = minibatch_energy_distance(inside[:4], inside[4:], made[:4], made[4:], **how)
        assert_close(generator.loss(batch.with_rng(stream(2, "noise")))["energy_distance"], expected)


@pytest.mark.parametrize("settings", [TINY, TINY_POINTS], ids=["pictures", "points"])
def test_the_critic_places_samples_on_a_sphere(settings):
    model = started(settings)
    samples = torch.randn(5, *model.sample_shape, generator=stream(1, "samples"))
    with torch.no_grad():
        assert_close(model.critic(samples).norm(dim=1), torch.ones(5))


def test_a_concatenated_relu_loses_nothing():
    x = torch.randn(2, 3, 4, 4, generator=stream(1, "x"))
    both = concatenated_relu(x)
    assert both.min() >= 0
    assert_close(both[:, :3] - both[:, 3:], x)


def test_layers_of_the_generator_begin_with_a_variance_near_one():
    # What a gate leaves of the variance of normal numbers, by quadrature over a fine grid.
    grid = torch.linspace(-12, 12, 100_001, dtype=torch.float64)
    density = torch.exp(-grid.square() / 2) / (2 * torch.pi) ** 0.5
    assert float((density * grid.sigmoid().square()).sum() * (grid[1] - grid[0])) == pytest.approx(
        GATED_SQUARE, abs=1e-4
    )
    model, seen = started(resolution=32, features=32, features_max=64, latent_size=64, prior="normal"), []
    for doubling in model.generator.doublings:
        doubling.layer.register_forward_hook(lambda _net, _args, out: seen.append(float(out.std())))
    with torch.no_grad():
        model.generator(model.latents(64, stream(1, "z")))
    assert all(0.6 < deviation < 1.4 for deviation in seen)  # Zeros around the picture take some away.


def test_at_32_pixels_the_critic_has_the_places_of_the_authors():
    with torch.device("meta"):
        assert Model(Config()).critic(torch.zeros(1, 3, 32, 32)).shape == (1, 2 * 1024 * 4 * 4)


@pytest.mark.parametrize("size", [2, 5, 127])
def test_a_batch_size_without_two_halves_is_refused_at_once(size):
    with pytest.raises(UserError, match=f"batch_size={size} must come apart into two halves of at least 2 samples"):
        Config(batch_size=size)


def test_a_last_batch_that_is_cut_short_is_refused_and_not_matched_lopsidedly():
    model = started(TINY_POINTS)
    for phase in model.phases():
        with pytest.raises(UserError, match="batch_size=7"):
            phase.loss(Points(points=torch.zeros(7, 2), rng=stream(0, "noise")))
