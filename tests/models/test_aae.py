"""The adversarial autoencoder: its prior of petals, its players by hand, and labels that are told to few pictures."""

import math
from dataclasses import replace

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.models.vae.aae import LENGTH, RADIUS, THICKNESS, TINY, Model, on_a_ring
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

CLASSES = replace(TINY, num_classes=3)


def started(config=TINY):
    model = Model(config)
    initialise(model, stream(0, "weights"))
    return model


def batch(labels=None):
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    return Pictures(images=images, rng=stream(2, "noise"), labels=labels)


@pytest.mark.usefixtures("float64")
def test_a_petal_of_the_mixture_lies_where_its_angle_says_long_outwards_and_thin_across():
    noise = torch.randn(200_000, 3, generator=stream(0, "z"))
    k, modes = 3, 8
    drawn = on_a_ring(noise, torch.full((200_000,), k), modes)
    outwards = torch.tensor([math.cos(2 * math.pi * k / modes), math.sin(2 * math.pi * k / modes)])
    across = torch.tensor([-outwards[1], outwards[0]])
    assert_close(drawn[:, :2].mean(0), RADIUS * outwards, rtol=0, atol=0.01)
    assert (drawn[:, :2] @ outwards).std().item() == pytest.approx(LENGTH, rel=0.01)
    assert (drawn[:, :2] @ across).std().item() == pytest.approx(THICKNESS, rel=0.01)
    assert torch.equal(drawn[:, 2], noise[:, 2])


def test_styles_of_the_mixture_are_shared_out_evenly_over_its_petals():
    model = started(replace(TINY, prior="mixture", modes=5))
    z = model.latents(20_000, stream(0, "z"))
    angle = torch.atan2(z[:, 1], z[:, 0])
    petal = (angle / (2 * math.pi / 5)).round().long() % 5
    assert model.prior == "other"
    assert torch.bincount(petal, minlength=5).tolist() == pytest.approx([4000] * 5, abs=200)


@pytest.mark.usefixtures("float64")
def test_the_discriminators_tell_draws_of_the_priors_from_codes():
    model, given = started(CLASSES), batch()
    terms = model.phases()[1].loss(given)
    generator = stream(2, "noise")
    style = torch.randn(8, 4, generator=generator)
    classes = F.one_hot((torch.rand(8, generator=generator) * 3).long(), 3).double()
    code = model.autoencoder.encoder(given.images)
    for name, real, fake in (("style", style, code[:, :4]), ("classes", classes, code[:, 4:].softmax(1))):
        judge = model.discriminators[name]
        expected = -judge(real)[:, 0].sigmoid().log() - (1 - judge(fake)[:, 0].sigmoid()).log()
        assert_close(terms[name], expected)


@pytest.mark.usefixtures("float64")
def test_the_discriminators_see_the_codes_of_the_reconstructions_pass():
    model, given = started(CLASSES), batch()
    alone = model.phases()[1].loss(batch())
    model.phases()[0].loss(given)
    assert given.kept.keys() == {"style", "classes"}
    shared = model.phases()[1].loss(replace(given, rng=stream(2, "noise")))
    assert all(torch.equal(alone[name], term) for name, term in shared.items())


@pytest.mark.usefixtures("float64")
def test_the_autoencoder_descends_its_squared_error_and_learns_the_classes_of_the_pool():
    model, given = started(CLASSES), batch()
    images = torch.rand(5, 3, 16, 16, generator=stream(4, "labelled")) * 2 - 1
    labels = torch.tensor([2, 0, 1, 1, 2])
    model.pool.take(images, labels)
    terms = model.phases()[0].loss(given)
    code = model.autoencoder.encoder(given.images)
    again = model.autoencoder.decoder(torch.cat([code[:, :4], code[:, 4:].softmax(1)], 1))
    assert_close(terms["squared_error"], (again - given.images).square().mean((1, 2, 3)))
    chosen = (torch.rand(8, generator=stream(2, "noise")) * 5).long()
    expected = -model.classify(images[chosen]).softmax(1)[torch.arange(8), labels[chosen]].log()
    assert_close(terms["labels"], expected)


@pytest.mark.usefixtures("float64")
def test_the_encoder_deceives_both_discriminators():
    model, given = started(replace(CLASSES, hidden_weight=0.5)), batch()
    terms = model.phases()[2].loss(given)
    code = model.autoencoder.encoder(given.images)
    judge = model.discriminators
    assert_close(terms["style"], -judge["style"](code[:, :4])[:, 0].sigmoid().log())
    assert_close(terms["classes"], -0.5 * judge["classes"](code[:, 4:].softmax(1))[:, 0].sigmoid().log())


def test_without_any_label_there_is_nothing_to_learn_of_classes():
    model = started(CLASSES)
    model.pool.take(batch().images, torch.full((8,), HIDDEN))
    _, labels = model.pool.draw(torch.rand(8, generator=stream(0, "coins")))
    assert (labels == HIDDEN).all()
    assert not model.phases()[0].loss(batch())["labels"].any()


def test_labels_of_the_pool_teach_the_classifier():
    model = started(CLASSES)
    state = new_state(model)
    set_learning_rate(state, 3e-3)
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    kinds = torch.tensor([0, 1, 2, 0, 1, 2, 0, 1])
    flat = (kinds.float() * 0.8 - 0.8).view(8, 1, 1, 1).expand(8, 3, 16, 16).contiguous()
    told = torch.where(torch.arange(8) < 3, kinds, HIDDEN)
    for _ in range(60):
        execute.step(Pictures(images=flat, labels=told), model.schedule().at(0))
        state.nimg += 8
    assert torch.equal(model.classify(flat).argmax(1), kinds)


def test_a_picture_of_a_class_is_decoded_from_its_one_hot_code():
    model = started(CLASSES)
    z = model.latents(3, stream(0, "z"))
    drawn = model.decode(z, torch.tensor([2, 0, 1]))
    expected = model.autoencoder.decoder(torch.cat([z, torch.eye(3)[[2, 0, 1]]], 1))
    assert_close(drawn, expected)
    assert_close(model.decode(z), model.autoencoder.decoder(torch.cat([z, torch.full((3, 3), 1 / 3)], 1)))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"num_classes": 1}, "one class tells no picture from another"),
        ({"prior": "mixture", "latent_size": 1}, "latent_size=1: the mixture lies around a ring"),
        ({"num_classes": 3, "labelled_pool": 7}, "labelled_pool=7 must hold the pictures of a batch, batch_size=8"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_are_refused(change, why):
    with pytest.raises(UserError, match=why):
        replace(TINY, **change)
