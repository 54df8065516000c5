"""A run of two classes whose pictures and classifier are worked by hand: a class is a grey level."""

from pathlib import Path

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.tasks.measuring import asked_classes
from ganvas.tasks.measuring.picture_options import PictureOptions
from ganvas.tasks.measuring.sides import Side
from ganvas.train.trained import Trained

FILE = Path("c.safetensors")


class ByLevel:
    """Sees "light" where a picture is light; a third class stands before the two."""

    class config:
        classes = ("none", "light", "dark")

    identity = "by-level@1"

    def extract(self, pictures, taps):
        light = pictures.float().mean((1, 2, 3)) > 100
        return {"logits": torch.stack([torch.zeros(len(pictures)), light.float(), (~light).float()], 1)}


@pytest.fixture
def packed(tmp_path):
    """Six dark pictures and four light ones."""
    labels = np.array([0, 1, 0, 0, 1, 0, 1, 0, 1, 0])
    images = np.full((10, 8, 8, 3), 1, np.uint8) * np.array([0, 200], np.uint8)[labels][:, None, None, None]
    np.savez(tmp_path / "own.npz", images=images, labels=labels)
    return prepare(str(tmp_path / "own.npz"), quiet=True)


@pytest.fixture
def side(packed, monkeypatch):
    """A run that draws light pictures for dark ones at every fourth place."""

    class Run(Trained):
        class_names = ("dark", "light")
        conditional = True

        def __init__(self):
            pass

        def labels(self, n, *, seed, label):
            return torch.arange(n) % 2 if label is None else torch.full((n,), self.class_names.index(label))

        def reals(self, *, quiet):
            return packed

    def batches(start, stop, of):
        levels = torch.tensor([0, 200]).repeat(of)[:of]
        levels[::4] = 200
        yield levels.to(torch.uint8)[:, None, None, None].expand(of, 3, 8, 8)

    monkeypatch.setattr(asked_classes, "_classifier", lambda task, file: ByLevel())
    return Side(spec="run", shape=(8, 8, 3), count=None, batches=batches, trained=Run())


def share(side, **changed):
    settings = {"beside": None, "n": 8, "seed": 0, "label": None} | changed
    return asked_classes.share_of_right_classes(PictureOptions(quiet=True), FILE, side, **settings)


def test_every_fourth_wrong_is_three_quarters_right_and_reals_are_all_right(side):
    # Of eight, places 0 and 4 are asked to be dark and drawn light: two of the four dark ones.
    found, reals = share(side)
    assert {one.metric: one.value for one in found} == {
        "label_accuracy": 0.75,
        "label_accuracy.dark": 0.5,
        "label_accuracy.light": 1.0,
    }
    assert {one.value for one in reals} == {1.0}
    assert found[0].protocol == "label_accuracy:n8:by-level@1:classes-as-in-data"


def test_of_one_class_the_reals_of_that_class_stand_beside(side):
    found, reals = share(side, n=4, label="light")
    assert [one.metric for one in found] == ["label_accuracy"]
    assert found[0].protocol.endswith(":class-light")
    assert [(one.value, one.n) for one in reals] == [(1.0, 4)]


def test_a_side_that_is_asked_for_no_class_is_refused(side):
    with pytest.raises(UserError, match="--label CLASS"):
        asked_classes.require_classes(FILE, Side(spec="photos", shape=None, count=9), label=None)
    side.trained.conditional = False
    with pytest.raises(UserError, match="trained without labels"):
        asked_classes.require_classes(FILE, side, label=None)


def test_pictures_that_are_to_pass_for_a_class_stand_beside_what_they_were_made_of(monkeypatch):
    monkeypatch.setattr(asked_classes, "_classifier", lambda task, file: ByLevel())

    def pictures(*levels):
        held = torch.tensor(levels, dtype=torch.uint8)[:, None, None, None].expand(len(levels), 3, 8, 8)
        return Side(spec="p", shape=(8, 8, 3), count=len(levels), batches=lambda start, stop, of: iter([held]))

    made, contents = share(pictures(200, 0, 200, 200), beside=pictures(0, 0, 200, 0), n=4, label="light")
    assert [(one.metric, one.value, one.n) for one in made] == [("label_accuracy", 0.75, 4)]
    assert [one.value for one in contents] == [0.25]
    with pytest.raises(UserError, match="knows the classes none, light, dark, and red is asked for"):
        share(pictures(200, 0), n=2, label="red")
