"""The model of n-grams, in numbers worked by hand."""

import math

import numpy as np
import pytest

from ganvas.core.sample_sizes.line_size import END
from ganvas.metrics.text.line_bits import bits_result
from ganvas.metrics.text.ngram_model import NgramModel

A, B = 2, 3


def test_probabilities_are_those_of_witten_and_bell_by_hand():
    # "ab" and "b" in lines of 3: the tokens a b END b END.
    model = NgramModel(np.array([[A, B, END], [B, END, END]]), 4, order=2)
    # No history: 5 tokens of 3 kinds over a uniform 1/4: p(b) = (2 + 3/4) / 8; p(a) = (1 + 3/4) / 8.
    unigram_b, unigram_a, unigram_end = 2.75 / 8, 1.75 / 8, 2.75 / 8
    # At the start stood a once and b once: 2 of 2 kinds. After a: b, once. After b: END, twice, of one kind.
    start_b, start_a = (1 + 2 * unigram_b) / 4, (1 + 2 * unigram_a) / 4
    a_b, b_end = (1 + unigram_b) / 2, (2 + unigram_end) / 3
    found = model.log_prob(np.array([[A, B, END], [B, END, END]]))
    assert found == pytest.approx([math.log(start_a * a_b * b_end), math.log(start_b * b_end)], rel=1e-12)


def test_the_probabilities_of_what_may_follow_sum_to_one():
    rng = np.random.default_rng(0)
    rows = rng.integers(0, 5, (40, 6))
    model = NgramModel(rows, 5, order=4)
    for given in ([], [3], [3, 2], [4, 4, 1, 2]):
        following = np.array([[*given, token, END, END, END, END, END][:6] for token in range(5)])
        assert np.exp(model.token_log_probs(following)[:, len(given)]).sum() == pytest.approx(1, rel=1e-12)


def test_an_order_whose_numbers_would_not_fit_is_lowered():
    assert NgramModel(np.array([[5000, 2]]), 6000, order=9).order == 5


def test_bits_are_all_bits_over_all_tokens_with_the_error_of_a_ratio():
    rows = np.array([[A, END, END], [A, B, A]])  # Two tokens and three.
    nats = np.log(2) * np.array([4.0, 3.0])
    found = bits_result("bits_per_character", nats, rows, "p", seed=0)
    assert found.value == pytest.approx(7 / 5)
    # Residuals 4 - 2.8 and 3 - 4.2, squares 1.44 each, over n (n - 1) = 2, over the mean of 2.5 tokens.
    assert found.standard_error == pytest.approx(math.sqrt(2.88 / 2) / 2.5)
