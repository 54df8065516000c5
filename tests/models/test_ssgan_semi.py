"""The semi-supervised GAN: its losses by hand, its pool of labels, and pictures of a class that are found by trying."""

import dataclasses
import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import HIDDEN, Pictures
from ganvas.losses.capabilities import Classifies, TakesHiddenLabels
from ganvas.models.gan.ssgan_semi import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

LABELLED = torch.tensor([2, 0])


def started(**changes):
    model = Model(dataclasses.replace(TINY, **({"num_classes": 3} | changes)))
    initialise(model, stream(0, "weights"))
    return model.eval()  # Nothing is dropped, and batch norm is a fixed map.


def batch(n=2, labels=None):
    images = torch.rand(n, 3, 16, 16, generator=stream(1, "images")) * 2 - 1
    labels = torch.full((n,), HIDDEN) if labels is None else labels
    return Pictures(images=images, labels=labels, rng=stream(2, "noise"))


def worked(logits):
    """Z and D = Z / (Z + 1) of three logits, in plain numbers."""
    z = sum(math.exp(float(logit)) for logit in logits)
    return z, z / (z + 1)


def test_the_game_of_two_pictures_is_the_papers_with_the_logit_of_fakes_at_zero():
    model, given = started(), batch()
    with torch.no_grad():
        fakes = model.generator(2 * given.rand(TINY.latent_size) - 1)
        real, fake = model.classify(given.images), model.classify(fakes)
        found = model.phases()[0].loss(given.with_rng(stream(2, "noise")))
    # Salimans et al. 2016, section 5: L_unsupervised of K + 1 classes, each half of it as in the authors' code.
    assert_close(found["real"], torch.tensor([-0.5 * math.log(worked(logits)[1]) for logits in real]))
    assert_close(found["fake"], torch.tensor([-0.5 * math.log(1 - worked(logits)[1]) for logits in fake]))


def test_pictures_of_the_pool_teach_by_the_cross_entropy_of_their_classes():
    model, given = started(), batch()
    pictures = torch.rand(2, 3, 16, 16, generator=stream(4, "labelled")) * 2 - 1
    model.pool.take(pictures, LABELLED)
    with torch.no_grad():
        found = model.phases()[0].loss(given)["labels"]
        logits = model.classify(pictures)
    by_hand = [math.log(worked(row)[0]) - float(row[label]) for row, label in zip(logits, LABELLED, strict=True)]
    assert sorted(set(found.tolist())) == pytest.approx(sorted({by_hand[i] for i in chosen()}), rel=1e-5)


def chosen():
    """Which of two pictures the coins of the step fall on: the loss draws latents first."""
    rng = stream(2, "noise")
    torch.rand(2, TINY.latent_size, generator=rng)
    return (torch.rand(2, generator=rng) * 2).long().tolist()


def test_without_any_label_nothing_is_learnt_of_classes():
    assert not started().phases()[0].loss(batch())["labels"].any()


def test_the_weight_of_hidden_labels_leaves_the_labelled_loss_alone():
    heavy, light = started(hidden_weight=2.0), started(hidden_weight=0.5)
    for model in (heavy, light):
        model.pool.take(batch().images, LABELLED)
    one, other = (model.phases()[0].loss(batch()) for model in (heavy, light))
    assert_close(one["real"], 4 * other["real"])
    assert_close(one["fake"], 4 * other["fake"])
    assert_close(one["labels"], other["labels"])


def test_the_generator_descends_the_distance_of_mean_features():
    model, given = started(), batch()
    with torch.no_grad():
        fakes = model.generator(2 * given.rand(TINY.latent_size) - 1)
        real, fake = model.classifier.features(given.images), model.classifier.features(fakes)
        found = model.phases()[1].loss(given.with_rng(stream(2, "noise")))["feature_matching"]
    by_hand = [abs(float(real[0, i] + real[1, i] - fake[0, i] - fake[1, i]) / 2) for i in range(real.shape[1])]
    assert float(found) == pytest.approx(sum(by_hand) / len(by_hand), rel=1e-4)


def test_few_labels_become_a_pool_that_teaches_the_classifier():
    labels = torch.arange(8) % 3
    colours = torch.linspace(-0.8, 0.8, 3)[labels].view(8, 1, 1, 1).expand(8, 3, 16, 16)
    told = torch.where(torch.arange(8) < 3, labels, HIDDEN)  # One picture of each class.
    model = started(input_dropout=0.0, dropout=0.0, average_decay=0.5).train()
    state = new_state(model)
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    set_learning_rate(state, 3e-3)
    for _ in range(60):
        execute.step(Pictures(images=colours.contiguous(), labels=told), model.schedule().at(0))
        state.nimg += 8
        state.step += 1
    with torch.no_grad():
        assert model.eval().classify(colours).argmax(1).tolist() == labels.tolist()
    assert int(model.pool.count) == 180


def test_a_picture_of_a_class_is_the_first_that_is_found_to_be_of_it():
    model = started()
    z = model.latents(32, stream(3, "z"))
    with torch.no_grad():
        model.classifier.logits.bias -= model.classify(model.generator(z)).mean(0)  # So that all classes are found.
        rolled = torch.stack([model.generator(z.roll(k, 1)) for k in range(TINY.latent_size)], 1)
        found = torch.stack([model.classify(pictures).argmax(1) for pictures in rolled])
        wanted = found[:, -1]  # Surely among those that are tried: rolls repeat after as many as there are numbers.
        drawn = model.decode(z, wanted)
    assert (found != wanted[:, None]).any(1).sum() > 10, "most are tried for more than once"
    expected = torch.stack(
        [rows[(classes == label).nonzero()[0, 0]] for rows, classes, label in zip(rolled, found, wanted, strict=True)]
    )
    assert_close(drawn, expected, rtol=1e-5, atol=1e-5)


def test_without_labels_a_picture_is_that_of_its_latent():
    model = started()
    z = model.latents(3, stream(3, "z"))
    assert torch.equal(model.decode(z), model.generator(z))


def test_it_classifies_and_takes_hidden_labels():
    model = started()
    assert isinstance(model, Classifies)
    assert isinstance(model.config, TakesHiddenLabels)
    assert model.classify(batch().images).shape == (2, 3)


def test_without_classes_it_is_a_game_of_one_logit():
    model = started(num_classes=0)
    terms = model.phases()[0].loss(batch())
    assert set(terms) == {"real", "fake"}
    assert_close(model.judge(batch().images), model.classifier(batch().images)[:, 0])


def test_a_fitted_learning_rate_is_held_for_two_thirds():
    # The authors' code: 800 of 1,200 passes at the full rate, then a line to 0.
    schedule = Model(TINY.fitted(12.0)).schedule()
    assert [schedule.at(nimg).lr / TINY.lr for nimg in (8000, 10_000, 12_000)] == pytest.approx([1, 0.5, 0])


@pytest.mark.parametrize(
    "change", [{"num_classes": 1}, {"hidden_weight": -1.0}, {"labelled_pool": 0}, {"dropout": 1.0}], ids=str
)
def test_impossible_settings_are_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        Config(**change)
