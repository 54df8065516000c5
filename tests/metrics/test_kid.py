import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import kid
from ganvas.metrics.kid import Config, polynomial_mmd
from ganvas.metrics.maths.distances import mmd


def normal(n, d, *, random, deviation=1.0):
    return deviation * torch.randn(n, d, generator=random, dtype=torch.float64)


def measured(x, y, **settings):
    real, fake = (kid.Accumulator(config=Config(**settings), seed=1) for _ in range(2))
    real.update(y)
    fake.update(x)
    return kid.compare(real, fake)[0]


def plain(x, y):
    """The definition with whole kernel matrices in numpy."""
    x, y = x.double().numpy(), y.double().numpy()
    d, n, m = x.shape[1], len(x), len(y)
    xx, yy, xy = ((a @ b.T / d + 1) ** 3 for a, b in ((x, x), (y, y), (x, y)))
    within = (xx.sum() - np.trace(xx)) / (n * (n - 1)) + (yy.sum() - np.trace(yy)) / (m * (m - 1))
    return within - 2 * xy.mean()


def test_two_points_against_two_points_by_hand():
    x, y = torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.tensor([[1.0, 1.0], [-1.0, 0.0]])
    # x1.x2 = 0 -> 1; y1.y2 = -1 -> (1/2)^3; x.y = 1, -1, 1, 0 -> (3/2)^3, (1/2)^3, (3/2)^3, 1.
    expected = 1 + 1 / 8 - 2 * (27 / 8 + 1 / 8 + 27 / 8 + 1) / 4
    assert polynomial_mmd(x, y) == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("read", [16, 512])
def test_all_pairs_are_the_definition(read, rng, monkeypatch):
    monkeypatch.setattr(mmd, "READ", read)
    x, y = normal(70, 6, random=rng) + 0.5, normal(50, 6, random=rng, deviation=1.3)
    assert polynomial_mmd(x, y) == pytest.approx(plain(x, y), rel=1e-11)
    assert measured(x, y).value == pytest.approx(plain(x, y), rel=1e-11)
    assert measured(x, y).protocol == "kid:n70:reals50:poly3:all-pairs"
    assert measured(x, y, block=20, all_pairs=True) == measured(x, y)


def test_other_kernels_have_other_degrees(rng):
    x, y = normal(30, 4, random=rng), normal(30, 4, random=rng) + 0.4
    linear = polynomial_mmd(x, y, degree=1, gamma=1.0, coef0=0.0)
    means = float((x.mean(0) - y.mean(0)).square().sum())
    bias = float(x.var(0).sum() / 30 + y.var(0).sum() / 30)  # What the biased estimate has more.
    assert linear == pytest.approx(means - bias, rel=1e-10)


@pytest.mark.slow
def test_sets_larger_than_a_block_average_over_blocks_without_a_bias(rng):
    """N(0, s^2 I) and N(0, t^2 I) are 3 (s^2 - t^2)^2 / d apart, at any size of the block."""
    d, s, t = 4, 1.0, 1.4
    found = [
        measured(normal(60, d, random=rng, deviation=s), normal(50, d, random=rng, deviation=t), block=20)
        for _ in range(80)
    ]
    values = np.array([one.value for one in found])
    truth = 3 * (s**2 - t**2) ** 2 / d
    assert values.mean() == pytest.approx(truth, abs=4 * values.std() / 80**0.5)
    assert found[0].protocol == "kid:n60:reals50:poly3:blocks3"


def test_large_sets_are_near_the_closed_form(rng):
    d, s, t = 10, 1.0, 1.3
    x, y = normal(1500, d, random=rng, deviation=s), normal(1500, d, random=rng, deviation=t)
    result = measured(x, y)
    assert result.value == pytest.approx(3 * (s**2 - t**2) ** 2 / d, abs=3 * result.standard_error)
    assert result.standard_error < 0.2 * result.value


@pytest.mark.slow
@pytest.mark.parametrize(
    ("settings", "experiments"), [({}, 200), ({"block": 50}, 120), ({"subsets": 6, "subset_size": 40}, 120)]
)
def test_the_interval_holds_the_truth_as_often_as_it_says(settings, experiments, rng):
    d, s, t, found = 8, 1.0, 1.8, []
    for _ in range(experiments):
        result = measured(normal(120, d, random=rng, deviation=s), normal(160, d, random=rng, deviation=t), **settings)
        found.append((result.value, result.standard_error))
    values, errors = np.array(found).T
    truth = 3 * (s**2 - t**2) ** 2 / d
    assert 0.90 <= np.mean(np.abs(values - truth) < 1.96 * errors) <= 0.99
    # The draws of the subsets are not the set's own luck alone: their variance is counted with that of all pairs.
    assert errors.mean() == pytest.approx(values.std(), rel=0.2)


def test_subsets_are_the_mean_of_the_same_over_random_parts(rng):
    x, y = normal(60, 5, random=rng), normal(50, 5, random=rng) + 0.3
    result = measured(x, y, subsets=3, subset_size=20)
    parts = []
    for i in range(3):
        a, b = (
            torch.randperm(n, generator=kid.stream(1, "kid", f"{side}.{i}"))[:20]
            for n, side in ((60, "fake"), (50, "real"))
        )
        parts.append(plain(x[a], y[b]))
    assert result.value == pytest.approx(np.mean(parts), rel=1e-11)
    assert result.protocol == "kid:n60:reals50:poly3:subsets3x20"


def test_rows_of_float32_are_multiplied_in_float64_where_float32_is_not_near_enough(rng, monkeypatch):
    monkeypatch.setattr(kid, "PROBE", 25)
    monkeypatch.setattr(kid, "AGREES", 1e-10)
    x, y = normal(300, 8, random=rng).float(), normal(300, 8, random=rng).float() + 0.02
    assert measured(x, y).value == pytest.approx(plain(x, y), rel=1e-11)


def test_where_the_rows_lie_costs_float32_no_digits(rng, monkeypatch):
    """Kernels of 7e8, of which the plain form in float32 has one digit behind the point."""
    monkeypatch.setattr(kid, "PROBE", 25)
    monkeypatch.setattr(kid, "AGREES", 1e-4)
    x, y = normal(300, 8, random=rng).float() + 30, normal(300, 8, random=rng).float() + 30.02
    assert measured(x, y).value == pytest.approx(plain(x, y), rel=1e-5)


def test_products_are_taken_in_float32_where_the_value_is_large_beside_its_rounding(rng, monkeypatch):
    x, y = normal(100, 8, random=rng).float(), normal(100, 8, random=rng).float() + 2
    seen = []
    of_tiles = kid.Polynomial.__call__
    monkeypatch.setattr(
        kid.Polynomial, "__call__", lambda self, u, v: seen.append(u.rows.dtype) or of_tiles(self, u, v)
    )
    monkeypatch.setattr(kid, "AGREES", 1e-4)
    monkeypatch.setattr(kid, "PROBE", 12)
    value = measured(x, y).value
    assert seen[-1] == torch.float32
    assert value == pytest.approx(plain(x, y), rel=1e-5)


def test_sorted_sets_are_no_different_when_blocks_are_drawn(rng):
    """A set sorted by class, cut in order, would compare one class with another."""
    x = torch.cat([normal(100, 4, random=rng) + 5 * i for i in range(3)])
    y = x[torch.randperm(300, generator=rng)]
    assert abs(measured(x, y, block=60).value) < 4 * measured(x, y, block=60).standard_error
    assert abs(measured(x, y, block=60).value) < 0.2 * plain(x[:60], x[-60:])


@pytest.mark.parametrize("wrong", [{"block": 3}, {"block": -1}, {"subsets": -1}, {"subset_size": 3}])
def test_impossible_settings_are_refused(wrong):
    with pytest.raises(UserError, match="cannot be"):
        Config(**wrong)


def test_subsets_larger_than_a_set_are_refused(rng):
    with pytest.raises(UserError, match="a side has 30"):
        measured(normal(40, 2, random=rng), normal(30, 2, random=rng), subsets=2, subset_size=35)


@pytest.mark.parametrize("value", [torch.nan, torch.inf, 1e60])
def test_features_that_are_no_numbers_are_refused(value, rng):
    x = normal(30, 2, random=rng)
    with pytest.raises(UserError, match="nan, infinity or numbers too large"):
        measured(x.index_fill(0, torch.tensor([7]), value), x)
