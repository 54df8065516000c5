import math

import pytest
import torch

from ganvas.metrics import fld as module
from ganvas.metrics.fld import Accumulator, compare, fld


def normal(n, d=4, *, seed, scale=1.0):
    return scale * torch.randn(n, d, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def filled(rows):
    accumulator = Accumulator()
    accumulator.update(rows)
    return accumulator


def slow(generated, centres, fitted, unseen):
    """The construction with torch.distributions, autograd and torch.optim.Adam."""
    mean, deviation = unseen.mean(0), unseen.std(0)
    generated, centres, fitted, unseen = ((x - mean) / deviation for x in (generated, centres, fitted, unseen))

    def nll(middles, known):
        d = known.shape[1]
        nearest = torch.cdist(middles, known, compute_mode="donot_use_mm_for_euclid_dist").amin(1).square()
        log_variance = ((nearest + 1e-3) / d).log().requires_grad_()
        log_other = torch.zeros((), dtype=torch.float64, requires_grad=True)
        optimizer = torch.optim.Adam([log_variance, log_other], lr=0.5)

        def log_parts(rows):
            scale = (log_variance / 2).exp()[:, None].expand(-1, d)
            each = torch.distributions.Independent(torch.distributions.Normal(middles, scale), 1)
            return each.log_prob(rows[:, None]) - math.log(len(middles))

        for _ in range(50):
            optimizer.zero_grad()
            other = (
                torch.distributions.Normal(0.0, (log_other / 2).exp()).log_prob(0.9 * (known - known.mean(0))).sum(1)
            )
            total = torch.cat([log_parts(known), other[:, None]], 1).logsumexp(1)
            (-total.mean() / d).backward()
            optimizer.step()
            log_variance.data.clamp_(-40, 20)
        return -log_parts(unseen).logsumexp(1).mean().item() / d

    return 100 * (nll(generated, torch.cat([centres, fitted])) - nll(centres, fitted))


@pytest.mark.parametrize("scale", [1.0, 1.5])
def test_it_is_that_of_a_slow_construction(scale):
    parts = [normal(n, seed=seed, scale=s) for seed, (n, s) in enumerate([(30, scale), (25, 1), (25, 1), (40, 1)])]
    value = fld(*parts)
    assert value == pytest.approx(slow(*parts), rel=1e-6)


def test_blocks_and_single_precision_change_no_more_than_rounding(monkeypatch):
    parts = [normal(n, seed=seed) for seed, n in enumerate((30, 25, 25, 40))]
    expected = fld(*parts)
    monkeypatch.setattr(module, "CHUNK", 70)
    assert fld(*parts) == pytest.approx(expected, rel=1e-9)
    monkeypatch.setattr(module, "ROOM", 0)
    assert fld(*parts) == pytest.approx(expected, rel=1e-2)


def test_a_shift_and_a_scale_of_every_feature_change_nothing():
    parts = [normal(n, seed=seed) for seed, n in enumerate((30, 25, 25, 40))]
    scale, shift = torch.tensor([1.0, 10, 0.1, 3]).double(), torch.tensor([0.0, 5, -3, 100]).double()
    assert fld(*(part * scale + shift for part in parts)) == pytest.approx(fld(*parts), rel=1e-6)


@pytest.mark.slow
def test_a_good_model_beats_a_blurred_a_collapsed_and_a_memorising_one():
    # Sixteen kinds. Of a single round one, a collapsed model would be as good: one wide Gaussian is the law itself.
    def kinds(seed, noise=0.3):
        return 3 * normal(240, seed=seed).sign() + noise * normal(240, seed=100 + seed)

    real, good, wide = kinds(1), kinds(2), kinds(3, noise=1.5)
    collapsed = 3 + 0.3 * normal(240, seed=4)
    value = {
        name: compare(filled(real), filled(rows))[0].value
        for name, rows in {"good": good, "wide": wide, "collapsed": collapsed, "copies": real}.items()
    }
    assert value["good"] < min(value["wide"], value["collapsed"], value["copies"]) - 5


@pytest.mark.slow
def test_a_feature_that_does_not_vary_is_left_alone():
    real, fake = normal(60, seed=1), normal(60, seed=2)
    real[:, 0] = fake[:, 0] = 7
    assert math.isfinite(compare(filled(real), filled(fake))[0].value)
    flat = torch.ones(60, 4, dtype=torch.float64)
    for a, b in ((flat, flat), (flat, fake), (real, flat)):
        (result,) = compare(filled(a), filled(b))
        assert math.isfinite(result.value)
        assert math.isfinite(result.standard_error)


def test_how_many_unseen_and_how_many_centres_are_said():
    (result,) = compare(filled(normal(90, seed=1)), filled(normal(20, seed=2)))
    assert result.protocol == "fld:n20:reals90:unseen30:centres20"


def test_halves_for_the_error_share_no_row(monkeypatch):
    given = []

    def noted(generated, *parts, report):
        given.append((generated[:, 0].tolist(), torch.cat(parts)[:, 0].tolist()))
        return float(len(given))

    monkeypatch.setattr(module, "fld", noted)
    monkeypatch.setattr(module, "SPLITS", 2)
    rows = torch.arange(240, dtype=torch.float64).view(60, 4)  # No two begin alike.
    compare(filled(rows), filled(rows + 1000))
    whole, *halves = given
    assert len(halves) == 4
    for first, second in (halves[:2], halves[2:]):
        for all_of_them, one, other in zip(whole, first, second, strict=True):
            assert not set(one) & set(other)
            assert set(one) | set(other) <= set(all_of_them)
            assert len(one) + len(other) > 0.8 * len(all_of_them)


@pytest.mark.slow
@pytest.mark.simulate
@pytest.mark.parametrize("d", [16, 64])
def test_intervals_of_95_percent_hold_the_mean_in_90_to_99_of_100_experiments(d, experiments):
    experiments.only_in_full()  # A second each.
    # All is drawn anew, known reals too: they fit the widths of both constructions.
    found = [
        compare(filled(normal(200, d, seed=2 * i)), filled(normal(200, d, seed=2 * i + 1)))[0]
        for i in range(experiments.count(200))
    ]
    values = torch.tensor([one.value for one in found], dtype=torch.float64)
    errors = torch.tensor([one.standard_error for one in found], dtype=torch.float64)
    held = float(((values - values.mean()).abs() < 1.96 * errors).double().mean())
    experiments.require(held)


@pytest.mark.slow
def test_sets_too_small_for_halves_have_no_error():
    (without,) = compare(filled(normal(11, seed=1)), filled(normal(11, seed=2)))
    assert without.standard_error is None
    (having,) = compare(filled(normal(12, seed=1)), filled(normal(12, seed=2)))
    assert math.isfinite(having.standard_error)
    assert having.error_method == "10 random splits of reals and centres into halves, each fitted anew"
