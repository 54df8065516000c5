"""The share of held-out pictures that a classifier names rightly, while it trains."""

import dataclasses
import math

import numpy as np
import pytest
import torch

from ganvas.core import catalogue
from ganvas.core.seeds import stream
from ganvas.data.packing import prepare
from ganvas.nn.layers.initialise import initialise
from ganvas.train.examinations.class_examination import ClassExamination
from ganvas.train.loop import train
from ganvas.train.plan import Plan
from ganvas.train.state import new_state

NAMES = ("0", "1", "2")
LABELS = np.array([2, 1, 1, 0, 1, 2, 1, 1, 0, 1])  # Six of ten are of class 1.


@pytest.fixture
def held_out(tmp_path):
    pictures = np.random.default_rng(5).integers(0, 256, (10, 16, 16, 3), dtype=np.uint8)
    np.savez(tmp_path / "held.npz", images=pictures, labels=LABELS)
    return prepare(str(tmp_path / "held.npz"), size=(16, 16), quiet=True)


def state_that_always_names(label, model="gan/ssgan_semi"):
    module = catalogue.load("models", model)
    network = module.Model(dataclasses.replace(module.TINY, num_classes=3))
    initialise(network, stream(0, "weights"))
    with torch.no_grad():
        network.classifier.logits.weight.zero_()
        network.classifier.logits.bias.copy_(torch.arange(3) == label)
    return new_state(network)


@pytest.mark.parametrize(("label", "share"), [(0, 0.2), (1, 0.6), (2, 0.2)])
def test_what_always_names_one_class_is_right_as_often_as_that_class_comes(held_out, label, share):
    state = state_that_always_names(label)
    (right, commonest), floor = ClassExamination(Plan(), NAMES, held_out).measure(state, state.model.schedule().at(0))
    assert (right.metric, right.value, right.n) == ("accuracy", pytest.approx(share), 10)
    assert right.standard_error == pytest.approx(math.sqrt(share * (1 - share) / 10))
    assert (commonest.metric, commonest.value) == ("accuracy.commonest_class", pytest.approx(0.6))
    assert floor == []


def test_classes_are_known_by_their_names_whatever_their_order(held_out):
    state = state_that_always_names(2)
    (right, _), _ = ClassExamination(Plan(), ("2", "0", "1"), held_out).measure(state, state.model.schedule().at(0))
    assert right.value == pytest.approx(0.6)  # The third class is named 1.


def test_it_says_why_it_cannot_be_carried_out(held_out, tiny_packed):
    assert "--held-out SRC" in ClassExamination(Plan(), NAMES, None).refusal
    assert "2 is none" in ClassExamination(Plan(), ("0", "1"), held_out).refusal
    assert ClassExamination(Plan(), NAMES, held_out).refusal == ""


@pytest.mark.slow
def test_a_run_with_held_out_classes_notes_their_accuracy_and_may_keep_the_best(tiny_setup, held_out):
    made = tiny_setup(
        model="gan/ssgan_semi", steps=4, config={"num_classes": 3}, measure_kimg=0.016, keep_best="accuracy"
    )
    train(dataclasses.replace(made, data=dataclasses.replace(made.data, held_out=held_out)))
    lines = made.run.lines("measures.jsonl")
    assert [line["nimg"] for line in lines] == [0, 16, 32]
    for line in lines:
        results = {one["metric"]: one for one in line["results"]}
        assert 0 <= results["accuracy"]["value"] <= 1
        assert results["accuracy"]["n"] == 10
