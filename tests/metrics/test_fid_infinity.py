import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import fid, fid_infinity
from ganvas.metrics.fid_infinity import Config


def filled(x, *, module=fid_infinity, **how):
    accumulator = module.Accumulator(**how)
    accumulator.update(x)
    return accumulator


def exact(d, config=None):
    """A reference without any error of its own: the moments of N(0, I)."""
    return fid_infinity.Accumulator.of_moments(torch.zeros(d), torch.eye(d), n=None, rows_of="", config=config)


def test_points_on_a_line_over_one_by_n_give_its_end():
    counts = [100, 300, 800, 2000]
    line = fid_infinity.fit(counts, 7.0 + 55.0 / np.array(counts))
    assert (line.intercept, line.slope) == pytest.approx((7.0, 55.0))
    assert line.error == pytest.approx(0.0, abs=1e-9)


def test_the_scatter_of_points_is_the_error_that_least_squares_has():
    """Against the textbook formula: s^2 (1/k + mean(u)^2 / sum (u - mean(u))^2)."""
    counts = np.array([50, 80, 200, 400, 900])
    u, values = 1 / counts, np.array([3.0, 2.5, 2.2, 2.3, 2.0])
    slope, intercept = np.polyfit(u, values, 1)
    s2 = ((values - intercept - slope * u) ** 2).sum() / 3
    line = fid_infinity.fit(counts.tolist(), values)
    assert line.intercept == pytest.approx(intercept)
    assert line.error == pytest.approx((s2 * (1 / 5 + u.mean() ** 2 / ((u - u.mean()) ** 2).sum())) ** 0.5)


def test_the_points_are_those_of_the_ports():
    for n in (20, 1000, 49_000, 50_000):
        expected = np.linspace(min(5000, max(n // 10, 2)), n, 15).astype(int)
        assert fid_infinity.sizes(n, Config()) == sorted(set(expected.tolist()))


def test_a_beginning_has_the_moments_of_its_pictures():
    x = torch.randn(60, 7, generator=torch.Generator().manual_seed(0), dtype=torch.float64) + 4
    side = filled(x)
    a, b = side.gaussian(), exact(7).gaussian()
    influence = fid_infinity.frechet.distance_and_influences(a, b)[1]
    order = torch.randperm(60, generator=fid_infinity.stream(0, "fid_infinity", "order"))
    for count, (gaussian, mean, variance) in zip(
        (5, 20, 60), fid_infinity._beginnings(side, [5, 20, 60], influence), strict=True
    ):
        some = x[order[:count]]
        assert gaussian.mean.numpy() == pytest.approx(some.mean(0).numpy(), rel=1e-12)
        assert gaussian.cov.numpy() == pytest.approx(some.T.cov().numpy(), rel=1e-9, abs=1e-12)
        own = influence.of(some)
        assert (mean, variance) == pytest.approx((float(own.mean()), float(own.var())))


@pytest.mark.slow
@pytest.mark.simulate
def test_the_extrapolated_value_has_lost_the_bias_and_its_interval_holds_the_truth(experiments):
    random = torch.Generator().manual_seed(0)
    d, n, shift, scale = 12, 600, 0.2, 1.2
    truth, found, plain = d * (shift**2 + (scale - 1) ** 2), [], []
    config = Config(points=7)
    reference = exact(d, config)
    for _ in range(experiments.count(200)):
        x = shift + scale * torch.randn(n, d, generator=random, dtype=torch.float64)
        result = fid_infinity.compare(reference, filled(x, config=config))[0]
        found.append((result.value, result.standard_error))
        own = fid.Accumulator.of_moments(torch.zeros(d), torch.eye(d), n=None, rows_of="")
        plain.append(fid.compare(own, filled(x, module=fid))[0].value)
    values, errors = np.array(found).T
    assert np.mean(plain) - truth > 0.08  # (d + d (d + 1) / 4) scale^2 / n = 0.12 with a white Gaussian of scale 1.
    left = 0.02 + 3 * values.std() / len(values) ** 0.5  # What curvature and this number of draws leave of it.
    assert abs(values.mean() - truth) < left
    experiments.require(np.mean(np.abs(values - truth) < 1.96 * errors))


def test_the_luck_of_the_subsets_is_subtracted():
    """The spread over new orders of one set: six times as large, 0.3 of the error, where the luck is left in."""
    x = 0.6 + 1.5 * torch.randn(2000, 6, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    found = [fid_infinity.compare(_seeded(exact(6), seed), filled(x, seed=seed))[0] for seed in range(8)]
    assert np.std([one.value for one in found]) < 0.1 * found[0].standard_error


def _seeded(reference, seed):
    reference.seed = seed
    return reference


def test_impossible_settings_are_refused():
    for wrong in ({"points": 2}, {"smallest": 1}):
        with pytest.raises(UserError, match="cannot be"):
            Config(**wrong)
