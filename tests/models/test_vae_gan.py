"""The three players of the VAE-GAN against hand computations, and what they share within a step."""

from dataclasses import replace

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.vae.vae_gan import TINY, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

pytestmark = pytest.mark.usefixtures("float64")


def started(config=TINY):
    model = Model(config)
    initialise(model, stream(0, "weights"))
    return model


def batch():
    images = torch.rand(4, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    return Pictures(images=images, rng=stream(2, "noise"))


def by_hand(model, images):
    """Features and logits of pictures, reconstructions and drawn pictures, all in one batch of the discriminator."""
    noise = torch.randn(4, 2, 4, generator=stream(2, "noise"))
    mean, log_variance = model.encode(images)
    codes = mean + torch.exp(log_variance / 2) * noise[:, 0]
    together = torch.cat([images, model.decode(codes), model.decode(noise[:, 1])])
    features = model.discriminator.features(together)
    logits = model.discriminator.score(features).flatten()
    return codes, features.split(4), logits.split(4)


def test_the_encoder_descends_divergence_and_the_likelihood_of_features():
    model, given = started(), batch()
    terms = model.phases()[0].loss(given)
    mean, log_variance = model.encode(given.images)
    peer = kl_divergence(Normal(mean, (log_variance / 2).exp()), Normal(torch.zeros(()), torch.ones(()))).sum(1)
    assert_close(terms["kl"], peer)
    codes, _, _ = by_hand(model, given.images)
    found, again = model.discriminator.features(torch.cat([given.images, model.decode(codes)])).split(4)
    assert_close(terms["reconstruction"], -Normal(again, 1.0).log_prob(found).flatten(1).sum(1))


def test_the_decoder_descends_gamma_times_the_likelihood_and_what_fools_the_discriminator():
    model, given = started(replace(TINY, gamma=0.25)), batch()
    terms = model.phases()[1].loss(given)
    _, (found, again, _), (_, reconstructed, drawn) = by_hand(model, given.images)
    assert_close(terms["reconstruction"], -0.25 * Normal(again, 1.0).log_prob(found).flatten(1).sum(1))
    assert_close(terms["adversarial"], -reconstructed.sigmoid().log() - drawn.sigmoid().log())


def test_the_discriminator_is_shown_pictures_reconstructions_and_draws_of_the_prior():
    model, given = started(), batch()
    terms = model.phases()[2].loss(given)
    _, _, (real, reconstructed, drawn) = by_hand(model, given.images)
    expected = -real.sigmoid().log() - (1 - reconstructed.sigmoid()).log() - (1 - drawn.sigmoid()).log()
    assert_close(terms["adversarial"], expected)


def test_what_a_phase_leaves_for_the_next_changes_nothing():
    model, given = started(), batch()
    for phase in model.phases():
        alone = phase.loss(batch())
        shared = phase.loss(replace(given, rng=stream(2, "noise")))
        assert all(torch.equal(alone[name], term) for name, term in shared.items())
    assert given.kept.keys() == {"codes", "fakes"}
    assert not any(tensor.requires_grad for tensor in given.kept.values())


def test_all_three_move_as_each_was_when_the_step_began():
    images = batch().images
    model = started()
    state = new_state(model)
    set_learning_rate(state, 1e-3)
    kept = {key: tensor.clone() for key, tensor in model.state_dict().items()}
    seen = {}
    for phase in model.phases():
        loss = phase.loss

        def watched(given, *, name=phase.name, loss=loss):
            seen[name] = {key: tensor.clone() for key, tensor in model.named_parameters()}
            return loss(given)

        phase_at = [one.name for one in state.phases].index(phase.name)
        state.phases[phase_at] = replace(state.phases[phase_at], loss=watched)
    Eager(state, seed=0, ranks=Ranks(), precision=torch.float32).step(Pictures(images=images), model.schedule().at(0))
    assert seen.keys() == {"E", "G", "D"}
    assert all(torch.equal(tensor, kept[key]) for one in seen.values() for key, tensor in one.items())
    assert all(not torch.equal(tensor, kept[key]) for key, tensor in model.named_parameters() if tensor.ndim > 1)
