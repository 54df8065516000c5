import math

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.label_accuracy import label_accuracy

CLASSES, ASKED_OF = ("cat", "dog", "fox"), ("dog", "cat")  # A run's classes stand in another order, and are fewer.


def measured(asked, seen, **changed):
    logits = torch.nn.functional.one_hot(torch.tensor([CLASSES.index(name) for name in seen]), 3).float()
    settings = {"classes": CLASSES, "asked_of": ASKED_OF, "seed": 5, "protocol": "p"} | changed
    return label_accuracy(torch.tensor([ASKED_OF.index(name) for name in asked]), logits, **settings)


def test_it_is_the_share_of_pictures_in_which_the_class_that_was_asked_for_is_seen():
    # Dogs: seen as dog, dog, fox. Cats: cat, dog. Three of five are right, two of three and one of two.
    whole, dogs, cats = measured(["dog", "cat", "dog", "cat", "dog"], ["dog", "cat", "fox", "dog", "dog"])
    assert [one.metric for one in (whole, dogs, cats)] == [
        "label_accuracy",
        "label_accuracy.dog",
        "label_accuracy.cat",
    ]
    assert [one.value for one in (whole, dogs, cats)] == pytest.approx([3 / 5, 2 / 3, 1 / 2])
    assert whole.standard_error == pytest.approx(math.sqrt(0.6 * 0.4 / 4))
    assert [one.n for one in (whole, dogs, cats)] == [5, 3, 2]
    assert (whole.seed, whole.better, whole.protocol) == (5, "higher", "p")


def test_a_class_of_one_picture_has_no_error_and_one_class_alone_no_parts():
    *_, cats = measured(["dog", "dog", "cat"], ["dog", "dog", "cat"])
    assert (cats.value, cats.standard_error) == (1.0, None)
    (whole,) = measured(["dog", "dog"], ["dog", "fox"])
    assert whole.value == 0.5


def test_a_class_that_the_classifier_does_not_know_is_refused_by_name():
    with pytest.raises(UserError, match="cat, dog, fox, and bird is asked for"):
        measured(["dog", "cat"], ["dog", "cat"], asked_of=("dog", "bird"))
    with pytest.raises(UserError, match="at least 2 pictures"):
        measured(["dog"], ["dog"])
