"""Flow-GAN: three objectives of one network, and a density that is known whichever it was."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.flow.flow_gan import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch(n=4):
    images = torch.rand(n, 3, 8, 8, generator=stream(0, "x")) * 2 - 1
    return Pictures(images=images, rng=stream(1, "noise"))


def terms(model, player):
    (phase,) = (phase for phase in model.phases() if phase.name == player)
    return phase.loss(batch())


@pytest.mark.parametrize("network", ["realnvp", "nice"])
def test_the_objective_is_likelihood_a_critic_or_their_weighted_sum(network):
    likelihood = started(objective="likelihood", network=network)
    assert [phase.name for phase in likelihood.phases()] == ["G"]
    adversarial, hybrid = (started(objective=one, network=network) for one in ("adversarial", "hybrid"))
    weighted = started(objective="hybrid", network=network, likelihood_weight=0.5)
    assert [phase.name for phase in hybrid.phases()] == ["D", "G"]
    both, half = terms(hybrid, "G"), terms(weighted, "G")
    assert set(terms(adversarial, "G")) == {"wasserstein"}
    assert_close(both["wasserstein"], terms(adversarial, "G")["wasserstein"])
    assert_close(both["likelihood"], 2 * half["likelihood"])


def test_the_likelihood_term_is_nats_of_a_picture():
    hybrid = started(network="nice", prior="logistic")
    found = terms(hybrid, "G")["likelihood"]
    alone = started(network="nice", prior="logistic", objective="likelihood")
    bits = terms(alone, "G")["bits_per_dimension"]
    # Other noise: the critic's latents come first from the stream.
    assert_close(found, 192 * math.log(2) * bits, rtol=0.02, atol=0)


def test_the_critic_sees_real_pictures_with_noise_within_the_bins_of_their_colours():
    model, seen = started(), []
    model.critic.register_forward_pre_hook(lambda module, given: seen.append(given[0]))
    model.phases()[0].loss(batch())
    moved = (seen[0] - batch().images).abs()
    assert 0 < float(moved.max()) <= 0.5 / 127.5 + 1e-6


@pytest.mark.parametrize("network", ["realnvp", "nice"])
def test_neither_a_density_nor_a_drawn_picture_depends_on_the_others_of_its_batch(network):
    model = started(network=network).train()
    z, images = torch.randn(4, 192, generator=stream(0, "z")), batch().images
    with torch.no_grad():
        assert_close(model.decode(z)[:2], model.decode(z[:2]), rtol=1e-4, atol=1e-4)
        assert_close(model.log_density(images)[:2], model.log_density(images[:2]), rtol=1e-5, atol=1e-3)


def test_settings_that_cannot_be_are_told():
    with pytest.raises(UserError, match=r"scales=3: pictures of 6x6 pixels cannot be halved 2 times"):
        Config(resolution=8, base=(3, 3), scales=3)
