"""Scores of label maps from one matrix, against counting by hand."""

import math

import numpy as np
import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.accumulators.label_map_counts import LabelMapCounts
from ganvas.metrics.maths.pairs.colour_table import ColourClasses
from ganvas.metrics.maths.pairs.segmentation_scores import boundary, class_iu, confusion, scores


def maps(n=40, classes=4, size=9, seed=0):
    generator = stream(seed, "maps")
    truth = torch.randint(classes, (n, size, size), generator=generator)
    named = torch.where(
        torch.rand(truth.shape, generator=generator) < 0.7,
        truth,
        torch.randint(classes, truth.shape, generator=generator),
    )
    return truth, named


def test_the_scores_are_those_of_counting_pixel_sets():
    truth, named = (x.numpy() for x in maps())
    found = scores(confusion(torch.from_numpy(truth), torch.from_numpy(named), 4))
    iu = [((truth == k) & (named == k)).sum() / ((truth == k) | (named == k)).sum() for k in range(4)]
    share = [(truth == k).mean() for k in range(4)]
    assert found.mean_iu == pytest.approx(np.mean(iu))
    assert found.pixel_accuracy == pytest.approx((truth == named).mean())
    assert found.mean_accuracy == pytest.approx(np.mean([(named[truth == k] == k).mean() for k in range(4)]))
    assert found.frequency_weighted_iu == pytest.approx(np.dot(share, iu))


def test_a_class_that_is_called_but_nowhere_true_has_no_overlap_and_one_that_is_neither_is_left_out():
    truth, named = torch.tensor([0, 0, 1, 1]), torch.tensor([0, 2, 1, 1])
    counts = confusion(truth, named, 4)
    assert class_iu(counts).tolist()[:3] == [0.5, 1.0, 0.0]
    assert math.isnan(class_iu(counts)[3])
    assert scores(counts).mean_iu == pytest.approx((0.5 + 1 + 0) / 3)
    assert scores(counts).mean_accuracy == pytest.approx((0.5 + 1) / 2)


def test_pixels_that_are_not_told_are_not_counted():
    counts = confusion(torch.tensor([-1, 0, 1]), torch.tensor([0, 0, 0]), 2)
    assert counts.tolist() == [[1, 0], [1, 0]]


def test_matrices_of_parts_add_up_to_that_of_the_whole():
    truth, named = maps()
    whole, first, second = (LabelMapCounts(4) for _ in range(3))
    whole.add(truth, named)
    first.add(truth[:16], named[:16])
    second.add(truth[16:], named[16:])
    first.merge(second)
    assert torch.equal(first.all_pixels.sum(0), whole.all_pixels.sum(0))
    assert first.values() == whole.values()
    results = whole.results(seed=0, protocol="p")
    assert results[0].metric == "mean_iu"
    assert all(0 < one.standard_error < 0.05 for one in results)


def test_a_boundary_pixel_has_a_neighbour_of_another_class_and_what_is_not_told_is_none():
    truth = torch.tensor([[[0, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, -1]]])
    assert boundary(truth)[0].int().tolist() == [[0, 1, 0, 0], [1, 1, 1, 0], [0, 1, 0, 0]]


def test_a_table_of_colours_names_every_pixel_whose_colour_tells_its_class():
    truth = torch.randint(3, (5, 8, 8), generator=stream(0, "truth"))
    pictures = (truth * 100)[:, None].expand(-1, 3, -1, -1).to(torch.uint8)
    table = ColourClasses(3, 3)
    table.add(pictures, truth)
    assert torch.equal(table.named(pictures), truth)
    unseen = torch.full((1, 3, 1, 1), 255, dtype=torch.uint8)
    assert int(table.named(unseen)) == int(truth.flatten().bincount().argmax())
