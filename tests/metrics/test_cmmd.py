import math

import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import cmmd


def measured(x, y, **settings):
    real, fake = (cmmd.Accumulator(config=cmmd.Config(**settings)) for _ in range(2))
    real.update(y)
    fake.update(x)
    return cmmd.compare(real, fake)[0]


def plain(x, y, sigma=10.0):
    x, y = (rows.double().numpy() / np.linalg.norm(rows.double().numpy(), axis=1, keepdims=True) for rows in (x, y))

    def mean(a, b):
        return np.exp(-((a[:, None] - b[None]) ** 2).sum(2) / (2 * sigma**2)).mean()

    return 1000 * (mean(x, x) + mean(y, y) - 2 * mean(x, y))


def test_two_single_directions_by_hand():
    """All x are e1, all y are e2: 2 - 2 exp(-2 / (2 * 100)), times 1000; the length of the rows does not count."""
    x, y = torch.tensor([[3.0, 0.0]]).repeat(5, 1), torch.tensor([[0.0, 0.5]]).repeat(4, 1)
    assert measured(x, y).value == pytest.approx(1000 * (2 - 2 * math.exp(-0.01)), rel=1e-12)
    assert measured(x, y).standard_error == pytest.approx(0, abs=1e-9)


def test_the_value_is_the_definition(rng):
    x, y = (torch.randn(n, 6, generator=rng) + 1 for n in (40, 30))
    # Its differences of kernels near 1 cost the plain form six of sixteen digits.
    assert measured(x, y).value == pytest.approx(plain(x, y), rel=1e-8)
    assert measured(x, y, sigma=0.7).value == pytest.approx(plain(x, y, 0.7), rel=1e-10)


def test_a_normal_shift_has_its_closed_form(rng):
    """E exp(-|z|^2 / (2 s^2)) for z ~ N(c, 2 I) is (s^2 / (s^2 + 2))^(d/2) exp(-|c|^2 / (2 (s^2 + 2)))."""
    d, shift, sigma, n = 3, 0.8, 2.0, 2500
    x, y = (torch.randn(n, d, generator=rng, dtype=torch.float64) + c for c in (shift, 0.0))
    level = (sigma**2 / (sigma**2 + 2)) ** (d / 2)
    expected = 2 * level * (1 - math.exp(-d * shift**2 / (2 * (sigma**2 + 2))))
    bias = 2 * (1 - level) / n
    assert cmmd.gaussian_mmd(x, y, sigma=sigma) == pytest.approx(expected + bias, rel=0.08)  # Of 2,500 draws.


@pytest.mark.slow
@pytest.mark.simulate
def test_the_interval_holds_the_mean_as_often_as_it_says(rng, experiments):
    found = []
    for _ in range(experiments.count(120)):
        x, y = (torch.randn(80, 4, generator=rng, dtype=torch.float64) + c for c in (0.6, 0.0))
        found.append((lambda one: (one.value, one.standard_error))(measured(x, y)))
    values, errors = np.array(found).T
    experiments.require(np.mean(np.abs(values - values.mean()) < 1.96 * errors))


def test_two_halves_of_one_distribution_score_the_bias_that_the_page_says(rng):
    x, y = (torch.randn(400, 1024, generator=rng) for _ in range(2))
    assert measured(x, y).value == pytest.approx(
        20 / 400, rel=0.1
    )  # Random directions are sqrt(2) apart: 1 - k = 0.01.


def test_rows_of_zeros_stay_and_rows_that_are_no_numbers_are_refused():
    assert math.isfinite(measured(torch.zeros(5, 3), torch.ones(5, 3)).value)
    with pytest.raises(UserError, match="nan or infinity"):
        measured(torch.full((5, 3), torch.nan), torch.ones(5, 3))
    with pytest.raises(UserError, match="positive"):
        cmmd.Config(sigma=0.0)
