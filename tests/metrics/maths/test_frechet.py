import warnings

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from ganvas.core.errors import UserError
from ganvas.metrics.maths import frechet
from ganvas.metrics.maths.frechet import frechet_distance, frechet_from_features, gaussian_of_moments, gaussian_of_rows


def normal(n, d, *, seed, deviation=1.0):
    return deviation * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def covariance(d, *, seed, rank=None):
    rows = normal(rank or 3 * d, d, seed=seed)
    return rows.T @ rows / len(rows)


def orthogonal(d, *, seed):
    return torch.linalg.qr(normal(d, d, seed=seed)).Q


def plain(x, y):
    """The definition by scipy's matrix square root."""
    a, b = np.cov(x.numpy().T), np.cov(y.numpy().T)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Singular products, which it can root only nearly.
        root = sqrtm(a @ b)
    return float(((x.mean(0) - y.mean(0)) ** 2).sum()) + np.trace(a) + np.trace(b) - 2 * np.trace(root).real


def test_a_covariance_and_four_times_it_are_its_trace_apart():
    cov, mean = covariance(20, seed=0), normal(1, 20, seed=1)[0]
    assert frechet_distance(mean, cov, mean, 4 * cov) == pytest.approx(float(cov.trace()), rel=1e-12)


@pytest.mark.parametrize(("s", "t"), [(1.0, 1.0), (0.5, 2.0), (3.0, 0.0)])
def test_two_round_gaussians_differ_by_their_means_and_their_deviations(s, t):
    d, shift = 12, normal(1, 12, seed=0)[0]
    expected = float(shift.square().sum()) + d * (s - t) ** 2
    found = frechet_distance(shift, s**2 * torch.eye(d), torch.zeros(d), t**2 * torch.eye(d))
    assert found == pytest.approx(expected, rel=1e-12)


def test_commuting_covariances_differ_by_the_roots_of_their_eigenvalues():
    a, b, q = normal(1, 15, seed=0)[0].square(), normal(1, 15, seed=1)[0].square(), orthogonal(15, seed=2)
    zero = torch.zeros(15)
    expected = float((a.sqrt() - b.sqrt()).square().sum())
    assert frechet_distance(zero, q @ a.diag() @ q.T, zero, q @ b.diag() @ q.T) == pytest.approx(expected, rel=1e-10)


@pytest.mark.parametrize(("rank_a", "rank_b"), [(None, None), (4, None), (4, 6)])
def test_the_distance_is_symmetric_and_does_not_turn_with_the_axes(rank_a, rank_b):
    a, b, q = covariance(10, seed=0, rank=rank_a), covariance(10, seed=1, rank=rank_b), orthogonal(10, seed=2)
    mean, zero = normal(1, 10, seed=3)[0], torch.zeros(10)
    found = frechet_distance(mean, a, zero, b)
    assert frechet_distance(zero, b, mean, a) == pytest.approx(found, rel=1e-10)
    # 1e-6 where ranks are low: turned back, a covariance of rank 4 has ten eigenvalues of rounding, whose roots count.
    turned = frechet_distance(q @ mean, q @ a @ q.T, zero, q @ b @ q.T)
    assert turned == pytest.approx(found, rel=1e-10 if rank_a is None else 1e-6)


@pytest.mark.parametrize(("n", "m", "d"), [(90, 70, 20), (70, 15, 20), (15, 70, 20), (12, 15, 20), (20, 20, 20)])
def test_the_value_is_that_of_the_matrix_square_root(n, m, d):
    x, y = normal(n, d, seed=0, deviation=1.4), normal(m, d, seed=1) + 0.3
    # Beyond full rank it is scipy that is off: it takes roots of rounding, 1e-8 of the trace each.
    assert frechet_from_features(x, y) == pytest.approx(plain(x, y), rel=1e-10 if min(n, m) > d else 1e-6)


@pytest.mark.parametrize(("n", "d"), [(40, 8), (8, 40), (2, 8), (9, 8), (8, 8)])
def test_a_set_is_no_distance_from_itself(n, d):
    x = normal(n, d, seed=0) + 5
    assert abs(frechet_from_features(x, x.clone())) < 1e-8 * float(x.var(0).sum())


@pytest.mark.parametrize("copies", [1, 3])
def test_moments_of_few_pictures_say_what_their_rows_say(copies):
    """A statistics file of fewer pictures than features has a covariance that Cholesky cannot take."""
    x, y = normal(6, 16, seed=0).repeat(copies, 1), normal(9, 16, seed=1).repeat(copies, 1)
    scale = float(x.var(0).sum())
    found = frechet_distance(x.mean(0), x.T.cov(), y.mean(0), y.T.cov())
    assert found == pytest.approx(frechet_from_features(x, y), abs=1e-8 * scale)


def test_directions_without_any_spread_cost_nothing_and_leave_no_rounding():
    x, y = (torch.cat([normal(50, 3, seed=seed), torch.zeros(50, 9)], 1) for seed in (0, 1))
    assert frechet_from_features(x, y) == pytest.approx(frechet_from_features(x[:, :3], y[:, :3]), rel=1e-12)


@pytest.mark.parametrize("faint", [1e-6, 1e-7, 1e-8, 1e-9])
def test_a_rank_that_is_full_by_the_letter_alone_leaves_no_rounding_in_the_value(faint):
    """Around the point where Cholesky gives up: 200 roots of 1e-16 would be 1e-8 of the traces."""
    scales = torch.cat([torch.ones(4), torch.full((200,), faint)]).double()
    x = (normal(400, 204, seed=0) * scales) @ orthogonal(204, seed=1)
    assert abs(frechet_from_features(x, x.clone())) < 1e-9 * float(x.var(0).sum())


@pytest.mark.parametrize(("n", "m"), [(60, 50), (6, 50), (50, 6), (5, 7)])
def test_the_influence_is_the_derivative_by_a_pictures_weight(n, m):
    d, step = 10, 1e-6
    x, y = normal(n, d, seed=0, deviation=1.3), normal(m, d, seed=1) + 0.4

    def at(rows, which, by):
        """The Gaussian with the weight of one picture raised, the rest shared out again."""
        weights = torch.full((len(rows),), (1 - by) / len(rows), dtype=torch.float64)
        weights[which] += by
        mean = weights @ rows
        return frechet.Gaussian(mean=mean, matrix=weights.sqrt()[:, None] * (rows - mean), from_rows=True)

    def biased(rows):
        return at(rows, 0, 0.0)

    _, of_x, of_y = frechet.distance_and_influences(biased(x), biased(y))
    for rows, influence, moved in (
        (x, of_x, lambda i, by: frechet.distance(at(x, i, by), biased(y))),
        (y, of_y, lambda i, by: frechet.distance(biased(x), at(y, i, by))),
    ):
        found = influence.of(rows)
        expected = [(moved(i, step) - moved(i, -step)) / (2 * step) for i in range(4)]
        # A central difference is right to its step squared and to the rounding of the value by the step: 1e-8.
        assert (found - found.mean())[:4].numpy() == pytest.approx(expected, rel=1e-5, abs=1e-5)


def test_the_value_beside_the_influences_is_the_distance():
    for n, m in ((60, 50), (6, 50), (50, 6), (5, 7)):
        a, b = gaussian_of_rows(normal(n, 10, seed=0)), gaussian_of_rows(normal(m, 10, seed=1))
        assert frechet.distance_and_influences(a, b)[0] == pytest.approx(frechet.distance(a, b), rel=1e-10)


def test_the_bias_of_two_draws_of_one_white_gaussian_is_the_known_one():
    d, n, m = 8, 400, 250
    found = [frechet_from_features(normal(n, d, seed=2 * i), normal(m, d, seed=2 * i + 1)) for i in range(150)]
    expected = (1 / n + 1 / m) * (d + d * (d + 1) / 4)
    # Four standard errors of the mean of 150 draws; the formula itself is right to about d / n.
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 150**0.5 + expected * d / m)


def test_what_cannot_be_compared_is_refused():
    eye, zero = torch.eye(3), torch.zeros(3)
    with pytest.raises(UserError, match="Features of 3 and of 2 numbers"):
        frechet.distance(gaussian_of_moments(zero, eye), gaussian_of_moments(zero[:2], eye[:2, :2]))
    with pytest.raises(UserError, match="nan or infinity"):
        gaussian_of_moments(zero, eye * torch.nan)
    with pytest.raises(UserError, match="at least 2 pictures"):
        gaussian_of_rows(torch.zeros(1, 3))
