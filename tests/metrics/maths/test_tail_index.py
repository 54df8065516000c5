import math

import numpy as np
import pytest

from ganvas.data.points.mixtures import law_of
from ganvas.metrics.maths.tail_index import hill, hill_error, tail_size


def test_hills_index_by_hand():
    # The largest two of 1, e, e^2, e^4 over the third: (2 - 1 + 4 - 1) / 2.
    assert hill(np.exp([4.0, 0.0, 1.0, 2.0]), largest=2) == pytest.approx(2.0)


@pytest.mark.parametrize("alpha", [1.0, 2.0, 4.0])
def test_a_pareto_tail_has_one_over_its_exponent(alpha):
    numbers = law_of(f"pareto,alpha={alpha}").points(np.arange(20_000))[0][:, 0].astype(np.float64)
    largest = tail_size(20_000)
    assert largest == 1000
    found = hill(numbers, largest=largest)
    assert found == pytest.approx(1 / alpha, abs=4 * hill_error(1 / alpha, largest=largest))


def test_normal_numbers_have_a_thin_tail():
    # Mills' ratio at the threshold t of the largest 5 %: about 1 / t^2, t = 1.645, and less.
    numbers = np.abs(np.random.default_rng(0).standard_normal(20_000))
    assert hill(numbers, largest=1000) < 0.25
    assert hill(numbers, largest=20) < hill(numbers, largest=1000)


def test_the_error_is_that_of_repeated_draws():
    law = law_of("pareto,alpha=2")
    found = [
        hill(law.points(np.arange(2000), seed=seed)[0][:, 0].astype(np.float64), largest=100) for seed in range(100)
    ]
    assert np.std(found, ddof=1) == pytest.approx(hill_error(0.5, largest=100), rel=0.3)
    assert np.mean(found) == pytest.approx(0.5, abs=4 * 0.05 / math.sqrt(100))
