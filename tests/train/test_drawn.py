import pytest
import torch

from ganvas.train.drawn import drawn_labels


def test_classes_are_drawn_with_their_shares_of_the_data():
    found = drawn_labels(20_000, seed=3, counts=[1, 0, 3]).bincount(minlength=3) / 20_000
    # A share of 20,000 draws has a standard error of 0.003: four of them.
    assert found.tolist() == pytest.approx([0.25, 0.0, 0.75], abs=0.0125)


def test_neighbours_are_of_one_class_as_often_as_two_pictures_of_the_data():
    # Metrics of pairs pair neighbours: in turn, a class would never meet itself. With shares p, sum p^2 of the pairs.
    labels = drawn_labels(20_000, seed=0, counts=[10] * 10)
    same = (labels[0::2] == labels[1::2]).double().mean()
    assert float(same) == pytest.approx(0.1, abs=0.012)


def test_the_draw_is_a_function_of_the_seed():
    one, again, other = (drawn_labels(50, seed=seed, counts=[1, 2]) for seed in (1, 1, 2))
    assert torch.equal(one, again)
    assert not torch.equal(one, other)
