"""WGAN-GP against a penalty computed sample by sample, and against its algorithm 1."""

import dataclasses

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.batches.point_batch import Points
from ganvas.losses.optimizers import Adam
from ganvas.models.gan.wgan_gp import TINY, TINY_POINTS, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.norms.batch_norm import BatchNorm2d


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch_of(model, n, seed=1):
    samples = torch.rand(n, *model.sample_shape, generator=stream(seed, "samples"), dtype=torch.float64) * 2 - 1
    if model.config.dims:
        return Points(points=samples, rng=stream(2, "noise"))
    return Pictures(images=samples, rng=stream(2, "noise"))


def test_the_moves_are_those_of_the_papers_algorithm():
    config = Config()
    assert (config.penalty_weight, config.critic_moves, config.lr) == (10, 5, 1e-4)
    model = started()
    assert [phase.optimizer for phase in model.phases()] == [Adam(beta1=0, beta2=0.9)] * 2
    turns = started(critic_moves=5).phases()
    assert [step for step in range(10) if turns[1].turn(step, 0)] == [4, 9]
    assert all(turns[0].turn(step, 0) for step in range(10))


CRITICS = {
    "points": TINY_POINTS,
    "layer norm": TINY,
    "no norm": dataclasses.replace(TINY, critic_norm="none"),
    "residual": dataclasses.replace(TINY, network="resnet"),
}


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("critic", CRITICS)
def test_the_penalty_is_that_of_each_sample_alone(critic):
    model = started(CRITICS[critic], penalty_weight=10.0)
    given = batch_of(model, 2)
    real = given.points if model.config.dims else given.images
    terms = model.phases()[0].loss(given.with_rng(stream(2, "noise")))
    draws = given.with_rng(stream(2, "noise"))
    with torch.no_grad():
        fakes = model.generator(draws.randn(model.config.latent_size))
    for i, mix in enumerate(draws.rand().tolist()):
        between = (real[i] + mix * (fakes[i] - real[i])).requires_grad_()
        (gradient,) = torch.autograd.grad(model.critic(between[None]).sum(), between)
        assert_close(terms["gradient_penalty"][i], 10 * (gradient.norm() - 1) ** 2)
    with torch.no_grad():
        apart = model.critic(fakes).flatten() - model.critic(real).flatten()
    assert_close(terms["wasserstein"], apart)


@pytest.mark.parametrize("critic", CRITICS)
def test_no_layer_of_the_critic_mixes_samples(critic):
    model = started(CRITICS[critic])
    assert not any(isinstance(part, BatchNorm2d) for part in model.critic.modules())
    given = batch_of(model, 5)
    samples = (given.points if model.config.dims else given.images).float()
    with torch.no_grad():
        together, alone = model.critic(samples), torch.cat([model.critic(samples[i : i + 1]) for i in range(5)])
    assert_close(together, alone, rtol=1e-5, atol=1e-6)


def test_without_a_weight_there_is_no_penalty():
    model = started(TINY_POINTS, penalty_weight=0.0)
    given = Points(points=torch.zeros(4, 2), rng=stream(2, "noise"))
    assert set(model.phases()[0].loss(given)) == {"wasserstein"}


def test_the_learning_rate_falls_on_a_line_from_the_start():
    schedule = started(decay_kimg=10.0).schedule()
    assert [schedule.at(nimg).lr / TINY.lr for nimg in (0, 2500, 10_000)] == pytest.approx([1, 0.75, 0])
    assert started().schedule().at(10**9).lr == TINY.lr


def test_the_residual_pair_has_the_layers_of_the_authors_code_for_cifar():
    with torch.device("meta"):
        model = Model(Config(resolution=32, network="resnet", features=128, features_max=128))
    wide, narrow, norm = 9 * 128 * 128 + 128, 128 * 128 + 128, 2 * 128
    drawing = (128 * 2048 + 2048) + 3 * (2 * wide + narrow + 2 * norm) + norm + (9 * 128 * 3 + 3)
    first, halving, plain = (9 * 3 * 128 + 128) + wide + (3 * 128 + 128), 2 * wide + narrow, 2 * wide
    judging = first + halving + 2 * plain + 128  # Without the bias of the last layer, which nothing would move.
    assert sum(p.numel() for p in model.generator.parameters()) == drawing
    assert sum(p.numel() for p in model.critic.parameters()) == judging


def test_the_residual_critic_takes_the_mean_over_places_so_that_its_score_does_not_grow_with_the_picture():
    small, large = (started(CRITICS["residual"], base=base) for base in ((4, 4), (8, 8)))
    large.critic.load_state_dict(small.critic.state_dict())
    with torch.no_grad():
        scores = [net.critic(torch.zeros(1, *net.sample_shape)) for net in (small, large)]
        for block in (net.critic.blocks for net in (small, large)):
            for layer in block.modules():
                if isinstance(layer, torch.nn.Module) and "bias" in dict(layer.named_parameters(recurse=False)):
                    layer.bias.fill_(0.1)
        grown = [net.critic(torch.zeros(1, *net.sample_shape)) for net in (small, large)]
    assert torch.equal(scores[0], scores[1])
    assert 0.5 < float(grown[1] / grown[0]) < 2  # A sum over four times as many places would be four times as large.


def test_the_generator_moves_on_as_many_latents_as_are_asked_for():
    model, seen = started(TINY_POINTS, generator_batches=3), []
    model.generator.register_forward_hook(lambda _net, args, _out: seen.append(len(args[0])))
    terms = model.phases()[1].loss(Points(points=torch.zeros(4, 2), rng=stream(2, "noise")))
    assert seen == [12]
    assert terms["wasserstein"].shape == (4,)
