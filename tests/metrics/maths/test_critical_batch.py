"""The law of batches: against a noisy bowl whose critical batch has a closed form, and its limits."""

import math

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.metrics.maths.critical_batch import best_rates, critical_batch, interval, samples_to

SIZES = (4, 16, 64, 256, 1024)


def steps_down_a_noisy_bowl(batch, *, start, end, noise, dims=4000, share=0.02, seed=0):
    """Steps of stochastic descent on ``|x|^2 / 2`` from one loss to another, by a fixed share of the best step.

    A sample's gradient is x and normal noise of variance ``noise`` in every dimension. The best step of a batch is
    ``1 / (1 + B_noise / B)`` with ``B_noise = dims noise / |x|^2``.
    """
    rng = np.random.default_rng((seed, batch))
    x = rng.standard_normal(dims)
    x *= math.sqrt(2 * start) / np.linalg.norm(x)
    losses = [start]
    while losses[-1] > end:
        best = 1 / (1 + dims * noise / (x @ x) / batch)
        x -= share * best * (x + math.sqrt(noise / batch) * rng.standard_normal(dims))
        losses.append(float(x @ x) / 2)
    return samples_to(end, range(len(losses)), losses)


def test_the_critical_batch_of_a_noisy_bowl_is_its_closed_form():
    # One step of the share s of the best takes (2 s - s^2) / (1 + B_noise / B) of the loss L, with B_noise = d v / 2 L:
    # so dL / dS = -L (2 s - s^2) / (1 + d v / (2 L B)), and S = S_min (1 + B* / B) between two losses, with
    # B* = d v / 2 (1 / L1 - 1 / L0) / ln(L0 / L1), whatever the share; here steps are small, as for an integral.
    start, end, noise, dims = 8.0, 1.0, 0.05, 4000
    expected = dims * noise / 2 * (1 / end - 1 / start) / math.log(start / end)
    fewest = math.log(start / end) / (2 * 0.02 - 0.02**2)
    took = {size: {1.0: [size * steps_down_a_noisy_bowl(size, start=start, end=end, noise=noise)]} for size in SIZES}
    found = critical_batch(took)
    assert found.batch == pytest.approx(expected, rel=0.05)
    assert found.least_steps == pytest.approx(fewest, rel=0.05)
    assert found.is_among(SIZES)


def test_steps_and_samples_of_the_law_lie_on_the_hyperbola():
    found = critical_batch({size: {1.0: [size * 70 * (1 + 90 / size)]} for size in SIZES})
    for size in SIZES:
        steps = found.steps(size)
        assert (steps / found.least_steps - 1) * (size * steps / found.least_samples - 1) == pytest.approx(1, rel=1e-9)
    assert found.steps(found.batch) == pytest.approx(2 * found.least_steps)


def test_every_size_counts_at_the_rate_whose_median_comes_first_and_one_that_never_comes_not_at_all():
    took = {16: {0.5: [5.0, 9.0, 5.0], 1.0: [6.0, 6.0, 6.0]}, 64: {1.0: [8.0, math.inf, math.inf], 2.0: [math.inf] * 3}}
    assert best_rates(took) == {16: 0.5}
    with pytest.raises(UserError, match="these did: 16"):
        critical_batch(took)


def test_the_interval_covers_the_truth_about_as_often_as_it_says():
    rng = np.random.default_rng(3)
    truth, covered, rounds = 100.0, 0, 20
    for _ in range(rounds):
        took = {
            size: {1.0: (size * 50 * (1 + truth / size) * rng.lognormal(0, 0.2, 8)).tolist()} for size in (16, 64, 256)
        }
        low, high = interval(took, rng=rng)
        covered += low <= truth <= high
    assert covered >= 15  # 95 % by name, of 8 seeds about 91 %; fewer than 15 of 20 then come once in 100 times.
    assert interval({size: {1.0: [1.0]} for size in (16, 64, 256)}, rng=rng) is None


def test_where_a_value_first_comes_down_is_on_the_line_before_it_and_nowhere_if_it_does_not():
    assert samples_to(3.0, [0, 10, 20, 30], [5.0, 4.0, 2.0, 4.0]) == 15.0
    assert samples_to(6.0, [7, 10], [5.0, 4.0]) == 7.0
    assert samples_to(1.0, [0, 10], [5.0, 4.0]) == math.inf
