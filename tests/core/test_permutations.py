import numpy as np
import pytest

from ganvas.core.hashes.permutations import permuted


def test_every_number_is_met_once_whatever_the_count():
    for count in [*range(1, 300), 1023, 1024, 1025, 4095, 4096, 4097, 5000]:
        assert np.array_equal(np.sort(permuted(np.arange(count), count, key=count)), np.arange(count)), count


def test_a_part_is_what_it_is_in_the_whole():
    whole = permuted(np.arange(1000), 1000, key=5)
    places = np.array([999, 3, 3, 500])
    assert np.array_equal(permuted(places, 1000, key=5), whole[places])


def test_numbers_of_a_hundred_million_rows_are_apart_and_inside():
    places = np.random.default_rng(0).choice(100_000_000, 20_000, replace=False)
    sent = permuted(places, 100_000_000, key=1)
    assert len(np.unique(sent)) == len(places)
    assert sent.min() >= 0
    assert sent.max() < 100_000_000


@pytest.mark.parametrize("lag", [1, 2, 7])
def test_neighbours_are_sent_apart(lag):
    # Of n pairs at random the correlation has the deviation 1 / sqrt(n) = .01.
    sent = permuted(np.arange(10_000), 10_000, key=2).astype(float)
    assert abs(np.corrcoef(sent[:-lag], sent[lag:])[0, 1]) < 0.04


def test_every_place_is_as_likely_as_another():
    # Chi-square of 24 permutations of 4 over 2,400 keys: mean 23, deviation sqrt(46) = 6.8.
    seen = {}
    for key in range(2400):
        order = tuple(permuted(np.arange(4), 4, key=key).tolist())
        seen[order] = seen.get(order, 0) + 1
    assert len(seen) == 24
    assert sum((count - 100) ** 2 / 100 for count in seen.values()) < 23 + 5 * 6.8
