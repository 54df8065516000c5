import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import mind
from ganvas.metrics.mind import Config


def normal(n, d, *, random):
    return torch.randn(n, d, generator=random, dtype=torch.float64)


def measured(x, y, *, directions=200, seed=0):
    real, fake = (mind.Accumulator(config=Config(directions=directions), seed=seed) for _ in range(2))
    real.update(y)
    fake.update(x)
    return mind.compare(real, fake)[0]


@pytest.mark.slow
def test_a_shift_is_three_times_its_square(rng):
    """E (c.u)^2 = |c|^2 / d over the sphere: exact in the mean over directions, and for each set of these its own."""
    x, shift = normal(50, 6, random=rng), normal(1, 6, random=rng)
    result = measured(x + shift, x, directions=1000)
    directions = mind.unit_directions(1000, 6, seed=0)
    exact = 3 * 6 * float((directions @ shift[0]).square().mean())
    assert result.value == pytest.approx(exact, rel=1e-10)
    assert result.value == pytest.approx(3 * float(shift.square().sum()), rel=0.12)  # 1,000 directions: 3 %.


def test_a_scaled_set_is_three_times_fid(rng):
    """Each projection of s x and t x is s p and t p: (s - t)^2 E p^2, and in the mean 3 (s - t)^2 tr E x x'."""
    x = normal(300, 5, random=rng)
    value = measured(1.5 * x, 1.1 * x, directions=1000).value
    assert value == pytest.approx(3 * 0.4**2 * float(x.square().sum()) / 300, rel=0.05)


def test_round_gaussians_are_three_d_times_the_square_of_their_deviations(rng):
    d, s, t = 8, 1.0, 1.5
    result = measured(s * normal(4000, d, random=rng), t * normal(4000, d, random=rng))
    assert result.value == pytest.approx(3 * d * (s - t) ** 2, abs=4 * result.standard_error)
    assert result.standard_error < 0.05 * result.value


def test_sets_of_two_sizes_are_compared_as_if_both_were_repeated_to_one(rng):
    x, y = normal(4, 3, random=rng), normal(6, 3, random=rng)
    assert measured(x, y).value == pytest.approx(measured(x.repeat(3, 1), y.repeat(2, 1)).value, rel=1e-12)


def test_the_pure_function_is_the_definition_and_what_is_measured(rng):
    x, y = normal(40, 3, random=rng), normal(40, 3, random=rng) * 2
    directions = mind.unit_directions(50, 3, seed=0)
    a, b = (np.sort(rows.numpy() @ directions.numpy().T, axis=0) for rows in (x, y))
    expected = 9 * ((a - b) ** 2).mean()
    assert mind.mind(x, y, directions) == pytest.approx(expected, rel=1e-12)
    assert measured(x, y, directions=50).value == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "m"), [(6, 6), (6, 9), (9, 6)])
def test_the_potential_is_the_derivative_by_a_pictures_weight(n, m, rng):
    """On the line: more of the weight on one value moves the squared distance by its potential."""
    x, y = np.sort(normal(n, 1, random=rng)[:, 0].numpy()), np.sort(normal(m, 1, random=rng)[:, 0].numpy() + 4)
    _, potential, _ = mind._explain(x, y, mind.coupling(n, m))

    def squared(weights):
        """By a fine grid of quantiles."""
        u = (np.arange(200_000) + 0.5) / 200_000
        return np.mean((x[np.searchsorted(np.cumsum(weights), u).clip(max=n - 1)] - y[(u * m).astype(int)]) ** 2)

    step = 1e-2
    for i in (0, n - 1):
        weights = np.full(n, (1 - step) / n)
        weights[i] += step
        moved = (squared(weights) - squared(np.full(n, 1 / n))) / step
        # The trapezoid rule between values is right to the second order of their distances: n is small here.
        assert moved == pytest.approx(potential[i] - potential.mean(), rel=0.15)


@pytest.mark.slow
@pytest.mark.simulate
def test_the_interval_holds_the_truth_as_often_as_it_says(rng, experiments):
    d, found = 3, []
    for _ in range(experiments.count(200)):
        result = measured(normal(400, d, random=rng) + 0.7, normal(500, d, random=rng), directions=64)
        found.append((result.value, result.standard_error))
    values, errors = np.array(found).T
    experiments.require(np.mean(np.abs(values - 3 * d * 0.7**2) < 1.96 * errors))


@pytest.mark.slow
def test_the_spread_over_directions_is_in_the_error():
    """The same pictures under new directions, of which one in thirty counts: the values spread as the error says."""
    random = torch.Generator().manual_seed(0)
    x = normal(300, 30, random=random)
    x[:, 0] *= 8
    y = normal(300, 30, random=random)
    found = [measured(x, y, directions=20, seed=seed) for seed in range(40)]
    values, errors = np.array([(one.value, one.standard_error) for one in found]).T
    assert errors.mean() == pytest.approx(values.std(), rel=0.35)  # A deviation from 40 values: 11 %.


def test_the_room_for_projections_changes_nothing(rng, monkeypatch):
    x, y = normal(30, 4, random=rng), normal(50, 4, random=rng)
    whole = measured(x, y)
    monkeypatch.setattr(mind.sliced_wasserstein, "WORK_BYTES", 8 * 80 * 6)
    parts = measured(x, y)
    assert parts.value == pytest.approx(whole.value, rel=1e-12)
    assert parts.standard_error == pytest.approx(whole.standard_error, rel=1e-9)


def test_what_cannot_be_is_refused():
    with pytest.raises(UserError, match="at least 1"):
        Config(directions=0)
    with pytest.raises(UserError, match="nan or infinity"):
        measured(torch.full((4, 2), torch.inf), torch.zeros(4, 2))
