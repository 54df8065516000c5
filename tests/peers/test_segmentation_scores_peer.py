"""scikit-learn: the confusion matrix of label maps, and the intersection over union of their classes."""

import numpy as np
import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.label_map_counts import LabelMapCounts
from ganvas.metrics.maths.pairs.segmentation_scores import class_iu, confusion

metrics = pytest.importorskip("sklearn.metrics", reason="needs scikit-learn: make peers")

CLASSES, ABSENT = 6, 4  # Of which one occurs nowhere.


@pytest.fixture
def maps():
    """True classes and what they are called, of twenty pictures; a tenth of the pixels is not told."""
    rng = stream(0, "label maps")
    truth = torch.randint(CLASSES, (20, 9, 7), generator=rng)
    named = torch.where(torch.rand(truth.shape, generator=rng) < 0.6, truth, truth.roll(1, 0))
    truth, named = (torch.where(x == ABSENT, ABSENT + 1, x) for x in (truth, named))
    return torch.where(torch.rand(truth.shape, generator=rng) < 0.1, -1, truth), named


def told(maps):
    truth, named = (x.numpy().ravel() for x in maps)
    return truth[truth >= 0], named[truth >= 0]


def test_the_matrix_is_that_of_scikit_learn(maps):
    truth, named = told(maps)
    assert np.array_equal(confusion(*maps, CLASSES), metrics.confusion_matrix(truth, named, labels=range(CLASSES)))


def test_the_intersection_over_union_of_every_class_that_occurs_is_the_jaccard_score(maps):
    truth, named = told(maps)
    present = [k for k in range(CLASSES) if k != ABSENT]
    theirs = metrics.jaccard_score(truth, named, labels=present, average=None)
    ours = class_iu(confusion(*maps, CLASSES)).numpy()
    assert ours[present] == pytest.approx(theirs, abs=1e-12)
    assert np.isnan(ours[ABSENT])


def test_the_scores_of_a_set_in_batches_are_those_of_scikit_learn_on_all_of_it(maps):
    truth, named = told(maps)
    counts = LabelMapCounts(CLASSES)
    for true, called in zip(*(x.split(7) for x in maps), strict=True):
        counts.add(true, called)
    values, present = counts.values(), np.unique(truth)
    how = {"labels": present, "zero_division": 0}
    assert values["mean_iu"] == pytest.approx(metrics.jaccard_score(truth, named, average="macro", **how))
    assert values["frequency_weighted_iu"] == pytest.approx(
        metrics.jaccard_score(truth, named, average="weighted", **how)
    )
    assert values["pixel_accuracy"] == pytest.approx(metrics.accuracy_score(truth, named))
    assert values["mean_accuracy"] == pytest.approx(metrics.balanced_accuracy_score(truth, named))
