from math import prod

import pytest
import torch

from ganvas.metrics import manifolds
from ganvas.metrics.density_coverage import Accumulator, Config, compare


def filled(rows, **how):
    accumulator = Accumulator(**how)
    accumulator.update(rows)
    return accumulator


def normal(n, d=8, *, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def measured(real, fake, **how):
    return {r.metric.partition(".")[2]: r for r in compare(filled(real, **how), filled(fake, **how))}


@pytest.mark.parametrize(("n", "m", "d", "k"), [(300, 300, 8, 5), (200, 90, 40, 3), (60, 200, 2, 1)])
def test_both_are_those_of_the_definition(n, m, d, k):
    real, fake = normal(n, d, seed=1), 0.9 * normal(m, d, seed=2) + 0.2
    apart = (real.double()[:, None] - real.double()[None]).square().sum(2).fill_diagonal_(torch.inf)
    inside = (real.double()[:, None] - fake.double()[None]).square().sum(2) <= apart.kthvalue(k, 1).values[:, None]
    found = measured(real, fake, config=Config(k=k))
    assert found["density"].value == pytest.approx(float(inside.sum()) / (k * m), rel=1e-15)
    assert found["coverage"].value == found[""].value == float(inside.any(1).double().mean())


def test_expectations_for_two_sets_of_one_law_are_known_whatever_the_features():
    # Naeem et al. 2020: coverage 1 - prod (N - i) / (N + M - i), density 1. Means over draws, within four of their
    # errors; heavy tails and few dimensions on purpose.
    n, m, k = 60, 40, 5
    random = torch.Generator().manual_seed(0)
    draws = []
    for _ in range(60):
        real, fake = torch.randn(n, 3, generator=random) ** 3, torch.randn(m, 3, generator=random) ** 3
        (census,) = manifolds.tallies(filled(real), filled(fake), k=k, both=False, title="")
        draws.append((census.whole.density, census.whole.occupied))
    draws = torch.tensor(draws, dtype=torch.float64)
    expected = torch.tensor([1.0, 1 - prod((n - i) / (n + m - i) for i in range(1, k + 1))], dtype=torch.float64)
    assert ((draws.mean(0) - expected).abs() < 4 * draws.std(0) / 60**0.5).all(), (draws.mean(0), expected)


def test_identical_sets_are_wholly_covered():
    # Each ball holds its k neighbours and its own copy.
    found = measured(normal(50, seed=1), normal(50, seed=1))
    assert found["coverage"].value == 1
    assert found["density"].value == pytest.approx((5 + 1) / 5)


def test_sets_far_apart_have_nothing_in_common():
    found = measured(normal(50, seed=1), normal(50, seed=2) + 100)
    assert [result.value for result in found.values()] == [0, 0, 0]


def test_all_equal_rows_are_copies_of_each_other():
    found = measured(torch.ones(20, 4), torch.ones(30, 4))
    assert (found["coverage"].value, found["density"].value) == (1, 20 / 5)


def test_one_outlier_does_not_make_pictures_good():
    # A hundred generated pictures around one far real one lie in its huge ball: density counts that ball once.
    real = torch.cat([normal(99, seed=1), torch.full((1, 8), 30.0)])
    fake = torch.full((100, 8), 30.0) + normal(100, seed=2)
    assert measured(real, fake)["density"].value == pytest.approx(1 / 5)


@pytest.mark.slow
def test_intervals_of_95_percent_hold_the_truth_in_90_to_99_of_100_experiments():
    n, k = 160, 5
    truth = torch.tensor([1.0, 1 - prod((n - i) / (2 * n - i) for i in range(1, k + 1))], dtype=torch.float64)
    random = torch.Generator().manual_seed(0)
    draws = []
    for _ in range(200):
        found = measured(torch.randn(n, 3, generator=random), torch.randn(n, 3, generator=random))
        draws.append([(found[name].value, found[name].standard_error) for name in ("density", "coverage")])
    values, errors = torch.tensor(draws, dtype=torch.float64).unbind(2)
    held = ((values - truth).abs() <= 1.96 * errors).double().mean(0)
    assert ((held >= 0.90) & (held <= 0.99)).all(), held


@pytest.mark.slow
def test_the_example_of_the_prdc_package():
    # Its README: standard normal sets of 10,000 x 1000, k = 5: density 1.0555, coverage .9735, precision .4772, recall
    # .4705, "may fluctuate". 4000 rows here: density and coverage have known means; the hubs of 1000 dimensions show
    # in the deviation.
    found = measured(normal(4000, 1000, seed=1), normal(4000, 1000, seed=2))
    assert abs(found["density"].value - 1) < 4 * found["density"].standard_error
    assert abs(found["coverage"].value - (1 - 2**-5)) < 4 * found["coverage"].standard_error
