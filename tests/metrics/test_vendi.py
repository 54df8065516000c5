from math import exp, inf, log

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.vendi import Accumulator, Config, compare, effective, vendi


def filled(rows, **how):
    accumulator = Accumulator(**how)
    accumulator.update(rows)
    return accumulator


def normal(n, d=8, *, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def score(rows, **how):
    return compare(None, filled(rows, config=Config(**how)))[0]


def test_the_examples_of_the_authors():
    # The README of vertaix/Vendi-Score, whose digits are cut, not rounded.
    samples = torch.tensor([0.0, 0, 10, 10, 20, 20])
    assert vendi((-(samples[:, None] - samples).abs()).exp()) == pytest.approx(2.9999, abs=1e-4)
    similarity = torch.tensor([[1, 0.9, 0], [0.9, 1, 0], [0, 0, 1]])
    assert vendi(similarity) == pytest.approx(2.1573, abs=1e-4)


@pytest.mark.parametrize("q", [0.5, 1, 2, inf])
def test_n_unlike_pictures_count_n_and_alike_ones_one(q):
    assert vendi(torch.eye(7), q=q) == pytest.approx(7)
    assert vendi(torch.ones(7, 7), q=q) == pytest.approx(1)
    assert score(torch.eye(7), q=str(q)).value == pytest.approx(7)
    assert score(torch.full((7, 3), 2.0), q=str(q)).value == pytest.approx(1)


@pytest.mark.parametrize("q", [0.1, 0.5, 1, 2, 10, inf])
@pytest.mark.parametrize(("n", "d"), [(60, 8), (8, 60), (20, 19)])
def test_either_matrix_gives_the_same(n, d, q):
    # The accumulator takes the d by d matrix of 60 rows and the n by n one of 8; vendi() always n by n.
    rows = normal(n, d, seed=1)
    similarity = torch.nn.functional.cosine_similarity(rows[:, None].double(), rows[None].double(), dim=2)
    assert score(rows, q=str(q)).value == pytest.approx(vendi(similarity, q=q), rel=1e-9)


def test_orders_near_one_go_over_into_the_entropy():
    shares = torch.tensor([0.5, 0.3, 0.2], dtype=torch.float64)
    assert effective(shares, 1) == pytest.approx(exp(-(0.5 * log(0.5) + 0.3 * log(0.3) + 0.2 * log(0.2))))
    assert effective(shares, 1 + 1e-7) == pytest.approx(effective(shares, 1), rel=1e-6)
    assert effective(shares, 2) == pytest.approx(1 / (0.25 + 0.09 + 0.04))
    assert effective(shares, inf) == 2
    assert effective(shares, 1e4) == pytest.approx(2, rel=1e-3)


def test_copies_and_the_scale_and_rotation_of_features_change_nothing():
    rows = normal(40, seed=1).double()
    rotation = torch.linalg.qr(normal(8, seed=2).double()).Q
    expected = score(rows).value
    for changed in (rows.repeat(3, 1), rows * 1e200, rows * 1e-200, rows @ rotation):
        assert score(changed).value == pytest.approx(expected, rel=1e-9)


def test_rows_of_zeros_are_alike_and_like_nothing_else():
    assert score(torch.zeros(5, 3)).value == pytest.approx(1)
    rows = torch.cat([torch.zeros(5, 3), torch.ones(5, 3)])
    assert score(rows).value == pytest.approx(2)


def test_with_reals_theirs_is_told_too():
    real, fake = normal(50, seed=1), torch.ones(30, 8)
    found = compare(filled(real), filled(fake))
    assert [result.metric for result in found] == ["vendi", "vendi.real"]
    assert found[0].value == pytest.approx(1)
    assert found[1].value == pytest.approx(score(real).value)
    assert [result.n for result in found] == [30, 50]


@pytest.mark.parametrize("q", ["0", "-1", "nan", "many"])
def test_what_is_no_order_is_refused(q):
    with pytest.raises(UserError, match="no order"):
        Config(q=q)


@pytest.mark.parametrize("q", ["0.5", "1", "2", "inf"])
def test_the_error_is_that_of_a_histogram(q):
    # Pictures of three unlike kinds: the score is Hill's number of the shares p, whose deviation by the delta method
    # follows from the multinomial covariance.
    counts = torch.tensor([500, 300, 200])
    rows = torch.eye(3).repeat_interleave(counts, 0)
    p = (counts / 1000).double().requires_grad_()
    number = float(q)
    value = {1.0: lambda: torch.special.entr(p).sum().exp(), inf: lambda: 1 / p.max()}.get(
        number, lambda: p.pow(number).sum() ** (1 / (1 - number))
    )()
    (slope,) = torch.autograd.grad(value, p)
    p, value = p.detach(), float(value.detach())
    variance = float((p * slope.square()).sum() - (p * slope).sum() ** 2) / 1000
    found = score(rows, q=q)
    assert found.value == pytest.approx(value)
    assert found.standard_error == pytest.approx(variance**0.5, rel=1e-3)  # n - 1 for n.


def test_intervals_of_95_percent_hold_the_truth_in_90_to_99_of_100_experiments():
    # Kinds with shares of a half, a quarter and two eighths: the truth is exp of their entropy. The bias of an entropy,
    # -(4 - 1) / 2n, is a twentieth of the error here.
    p = torch.tensor([0.5, 0.25, 0.125, 0.125])
    truth = exp(-sum(float(x) * log(float(x)) for x in p))
    random, held = torch.Generator().manual_seed(0), 0
    for _ in range(200):
        kinds = torch.multinomial(p, 1500, replacement=True, generator=random)
        found = score(torch.eye(4)[kinds])
        held += abs(found.value - truth) <= 1.96 * found.standard_error
    assert 0.90 <= held / 200 <= 0.99
