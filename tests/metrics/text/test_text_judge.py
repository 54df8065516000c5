"""Values of lines worked by hand, by nltk's definition, and on lines that are copied, repeated and disjoint."""

import math

import numpy as np
import pytest

from ganvas.core.sample_sizes.line_size import LineSize
from ganvas.data.text.oracle import Oracle, oracle_of
from ganvas.data.text.packed_text import prepare_text
from ganvas.metrics.text import copies
from ganvas.metrics.text.bleu import References
from ganvas.metrics.text.ngram_divergence import ngram_js
from ganvas.metrics.text.ngrams import NgramCounts, windows
from ganvas.metrics.text.text_judge import TextJudge

A, B, C, D, E, F = range(2, 8)
# Also held against sentence_bleu of nltk (method 1, equal weights) where it is installed.
HYPOTHESES = np.array([[A, B, C, D, 0, 0], [A, A, A, A, A, 0], [E, F, 0, 0, 0, 0]])
OTHERS = np.array([[A, B, C, E, F, 0], [A, B, B, D, 0, 0]])


def test_disjoint_sets_of_n_grams_have_one_bit_and_equal_ones_none():
    one, other = np.array([[A, A, A, B]] * 3), np.array([[C, C, D, C]] * 2)
    for order in (1, 2, 3):
        assert ngram_js(one, NgramCounts.of(windows(other, order, 8).ravel()), order, 8) == pytest.approx(1)
        assert ngram_js(one, NgramCounts.of(windows(one, order, 8).ravel()), order, 8) == 0


def test_a_divergence_is_that_of_its_shares_by_hand():
    # p = (1/2, 1/2, 0), q = (1/2, 0, 1/2), m = (1/2, 1/4, 1/4): each half is 1/2 * 1/2 * log2(2) = 1/4.
    drawn, reference = np.array([[A, B]]), NgramCounts.of(np.array([A, C]))
    assert ngram_js(drawn, reference, 1, 8) == pytest.approx(0.5)


def bleu_by_hand(line, references, order):
    """The definition, counted with strings."""
    logs = 0.0
    for size in range(1, order + 1):
        own = [tuple(line[at : at + size]) for at in range(len(line) - size + 1)]
        there = [[tuple(ref[at : at + size]) for at in range(len(ref) - size + 1)] for ref in references]
        match = sum(min(own.count(gram), max(ref.count(gram) for ref in there)) for gram in set(own))
        if size == 1 and not match:
            return 0.0
        logs += math.log((match or 0.1) / max(len(own), 1))
    closest = min((len(ref) for ref in references), key=lambda size: (abs(size - len(line)), size))
    return min(1.0, math.exp(1 - closest / len(line))) * math.exp(logs / order)


def lines(rows):
    return [[token for token in row if token] for row in rows.tolist()]


@pytest.mark.parametrize("order", [1, 2, 3, 4])
def test_bleu_is_its_definition_and_that_of_nltk(order):
    found = References(OTHERS, 8, order=order).bleu(HYPOTHESES)
    assert found == pytest.approx([bleu_by_hand(line, lines(OTHERS), order) for line in lines(HYPOTHESES)], rel=1e-12)
    nltk = pytest.importorskip("nltk.translate.bleu_score", reason="needs nltk, which is a peer")
    smooth, weights = nltk.SmoothingFunction().method1, [1 / order] * order
    theirs = [nltk.sentence_bleu(lines(OTHERS), line, weights, smoothing_function=smooth) for line in lines(HYPOTHESES)]
    assert found == pytest.approx(theirs, rel=1e-12)


def test_self_bleu_leaves_a_line_out_of_its_own_references():
    rows = np.random.default_rng(0).integers(0, 6, (12, 7))
    rows[3] = rows[8]
    rows = np.where((rows == 0).cumsum(1) > 0, 0, rows)
    rows = rows[(rows != 0).any(1)]
    found, texts = References(rows, 6, order=3).bleu(rows, own=True), lines(rows)
    expected = [bleu_by_hand(line, texts[:at] + texts[at + 1 :], 3) for at, line in enumerate(texts)]
    assert found == pytest.approx(expected, rel=1e-12)


def test_self_bleu_of_one_line_repeated_is_one_and_of_lines_that_share_nothing_none():
    assert References(np.array([[A, B, C, D]] * 3), 8, order=4).bleu(
        np.array([[A, B, C, D]] * 3), own=True
    ).tolist() == [1, 1, 1]
    apart = np.array([[A, B, C], [D, E, F]])
    assert References(apart, 8, order=2).bleu(apart, own=True).tolist() == [0, 0]


def test_copies_are_whole_lines_and_the_longest_runs_of_them():
    train = np.array([[A, B, C, D, 0], [E, F, 0, 0, 0]])
    drawn = np.array([[A, B, C, D, 0], [F, B, C, E, 0], [0, 0, 0, 0, 0], [A, B, C, D, D]])
    assert copies.copied(drawn, train).tolist() == [True, False, False, False]
    assert copies.longest_runs(drawn, train).tolist() == [1, 0.5, 0, 0.8]
    assert copies.unique_share(np.array([[A], [A], [B], [C]])) == 0.75


@pytest.fixture(scope="module")
def judge(tmp_path_factory):
    rng, path = np.random.default_rng(1), tmp_path_factory.mktemp("text") / "lines.txt"
    path.write_text("".join("".join(rng.choice(list("abcdef"), 6)) + "\n" for _ in range(400)))
    size = LineSize(length=6, alphabet=8, unit="characters")
    held_out = prepare_text(
        f"{path}::held-out", size, alphabet=(train := prepare_text(f"{path}::train", size)).alphabet
    )
    return TextJudge(train, held_out, seed=0)


def test_copied_lines_beat_held_out_ones_in_divergence_and_are_named_by_the_share_of_copies(judge):
    floor, copied = ({one.metric: one.value for one in found} for found in (judge.floor(40), judge.of_copies(40)))
    assert list(floor) == judge.metrics
    assert copied["ngram_js.4.copies"] < floor["ngram_js.4"]
    assert (copied["copied.copies"], copied["copied.run.copies"], copied["bleu.4.copies"]) == (1, 1, 1)
    assert floor["copied"] == 0
    assert floor["copied.run"] < 1
    # Six letters that say nothing of each other have 2.58 bits each, whoever counts them elsewhere.
    assert min(floor["lm.reverse"], floor["lm.forward"], copied["lm.reverse.copies"]) > 2.5


def test_one_line_again_and_again_wins_forward_and_loses_unique_and_reverse(judge):
    one, floor = judge.reference[:1].repeat(40, 0), {found.metric: found.value for found in judge.floor(40)}
    found = {result.metric: result.value for result in judge.judge(one)}
    assert found["bleu.4"] == 1
    assert found["lm.forward"] < floor["lm.forward"]
    assert found["unique"] == pytest.approx(1 / 40)
    assert found["self_bleu.4"] == 1
    assert found["lm.reverse"] > floor["lm.reverse"]


def test_an_oracle_of_seqgans_size_has_the_entropy_of_fresh_ones_and_knows_its_lines_best():
    # Measured of fresh oracles of all weights N(0, 1): 5.84 to 5.98 nats per token; the authors' own has 5.75.
    oracle = oracle_of("oracle:5000,seed=1")
    own = oracle.draw(300, part=0)
    nll = -oracle.log_prob(own) / oracle.length
    assert 5.5 < nll.mean() < 6.2
    uniform = np.random.default_rng(0).integers(5000, size=(100, 20))
    assert (-oracle.log_prob(uniform) / 20).mean() > 10
    assert (oracle.draw(5, part=0) == oracle.draw(5, part=0)).all()
    assert (oracle.draw(5, part=0) != Oracle(5000, seed=2).draw(5, part=0)).any()


def test_the_probabilities_of_an_oracles_lines_sum_to_one_and_it_draws_by_them():
    oracle = Oracle(3, length=2, seed=4)
    every = np.array([[a, b] for a in range(3) for b in range(3)])
    probable = np.exp(oracle.log_prob(every))
    assert probable.sum() == pytest.approx(1, rel=1e-12)
    drawn = oracle.draw(4000, part=0)
    often = (drawn[:, None] == every).all(2).mean(0)
    assert (np.abs(often - probable) < 4 * np.sqrt(probable * (1 - probable) / 4000) + 1e-12).all()


def test_an_oracle_gives_no_chance_to_what_it_cannot_say():
    oracle = Oracle(3, length=2, seed=4)
    assert np.isinf(oracle.nll(np.array([[2, 0], [2, 1]]))).all()
    assert oracle.nll(np.array([[2, 4]])) == pytest.approx(-oracle.log_prob(np.array([[0, 2]])) / 2)
