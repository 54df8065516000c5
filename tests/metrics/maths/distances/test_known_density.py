import math

import numpy as np
import pytest

from ganvas.data.points.mixtures import Gaussians
from ganvas.metrics.maths.distances.known_density import divergence_errors, divergences

N = 2000


def normal(dims, *, at=0.0, sigma=1.0):
    return Gaussians(summary="", dims=dims, parts=1, centres=np.full((1, dims), at), sigma=sigma, shares=np.ones(1))


def drawn(law, seed, n=N):
    return law.points(np.arange(n), seed=seed)[0].astype(np.float64)


@pytest.mark.parametrize("dims", [1, 2])
def test_normal_laws_have_the_divergences_of_their_closed_forms(dims):
    p, q = normal(dims), normal(dims, at=0.5, sigma=1.5)
    found = divergences(drawn(q, 1), drawn(p, 2), p.log_density)
    # KL(N(m, s^2) || N(0, 1)) = (s^2 + m^2 - 1) / 2 - log s per dimension.
    reverse = dims * ((1.5**2 + 0.25 - 1) / 2 - math.log(1.5))
    forward = dims * ((1 + 0.25) / (2 * 1.5**2) - 0.5 + math.log(1.5))
    errors = divergence_errors(drawn(q, 1), drawn(p, 2), p.log_density, seed=0)
    assert found.reverse_kl == pytest.approx(reverse, abs=4 * errors.reverse_kl)
    assert found.forward_kl == pytest.approx(forward, abs=4 * errors.forward_kl)
    assert errors.reverse_kl < 0.06 * dims
    assert errors.js < 0.02


def test_js_is_the_integral_of_its_definition():
    p, q = normal(1), normal(1, at=1.0, sigma=3.0)
    grid = np.arange(-20, 22, 1e-3)[:, None]
    a, b = np.exp(p.log_density(grid)), np.exp(q.log_density(grid))
    middle = (a + b) / 2
    wanted = float((a * np.log(a / middle) + b * np.log(b / middle)).sum() * 1e-3 / 2)
    found = divergences(drawn(q, 1), drawn(p, 2), p.log_density)
    assert found.js == pytest.approx(wanted, abs=0.02)


def test_a_law_does_not_diverge_from_itself():
    p = normal(2)
    values = [divergences(drawn(p, seed), drawn(p, seed + 50), p.log_density) for seed in range(10)]
    # No bias is left beyond the error of ten draws.
    for name in ("reverse_kl", "forward_kl", "js"):
        found = [getattr(one, name) for one in values]
        assert abs(np.mean(found)) < 4 * np.std(found) / math.sqrt(10) + 0.005


def test_laws_apart_have_the_js_of_log_two():
    p, q = normal(2), normal(2, at=100.0)
    found = divergences(drawn(q, 1), drawn(p, 2), p.log_density)
    assert found.js == pytest.approx(math.log(2), abs=1e-5)
    assert found.reverse_kl == pytest.approx(2 * 100**2 / 2, rel=0.01)


def test_errors_are_those_of_repeated_draws():
    p, q = normal(2), normal(2, at=0.7)
    sets = [(drawn(q, seed, 500), drawn(p, seed + 100, 500)) for seed in range(40)]
    values = [divergences(x, y, p.log_density) for x, y in sets]
    errors = [divergence_errors(x, y, p.log_density, seed=0) for x, y in sets[:10]]
    for name in ("reverse_kl", "forward_kl", "js"):
        spread = np.std([getattr(one, name) for one in values], ddof=1)
        told = math.sqrt(np.mean([getattr(one, name) ** 2 for one in errors]))
        assert told == pytest.approx(spread, rel=0.4)
