import math

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.maths.neighbours import knn_balls, knn_error
from ganvas.metrics.precision_recall import Accumulator, Config, compare


def filled(rows, **how):
    accumulator = Accumulator(**how)
    accumulator.update(rows)
    return accumulator


def normal(n, d=8, *, seed):
    return torch.randn(n, d, generator=torch.Generator().manual_seed(seed))


def measured(real, fake, **how):
    return {r.metric.partition(".")[2]: r for r in compare(filled(real, **how), filled(fake, **how))}


def by_definition(real, fake, k):
    """Kynkäänniemi et al. 2019, section 3, with every distance in one table."""

    def inside(x, y):
        apart = torch.cdist(x.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")
        radius = apart.kthvalue(k + 1, 1).values  # Itself is the first.
        across = torch.cdist(y.double(), x.double(), compute_mode="donot_use_mm_for_euclid_dist")
        return float((across <= radius).any(1).double().mean())

    return inside(real, fake), inside(fake, real)


@pytest.mark.parametrize(("n", "m", "d", "k"), [(300, 300, 8, 3), (200, 90, 40, 5), (60, 200, 2, 1)])
def test_both_are_those_of_the_definition(n, m, d, k):
    real, fake = normal(n, d, seed=1), 1.2 * normal(m, d, seed=2) + 0.2
    found = measured(real, fake, config=Config(k=k))
    precision, recall = by_definition(real, fake, k)
    assert found["precision"].value == precision
    assert found["recall"].value == recall
    assert found[""].value == pytest.approx(2 / (1 / precision + 1 / recall))
    assert found[""].n == m


def three(real, fake, k):
    precision, recall = by_definition(real, fake, k)
    f1 = 2 * precision * recall / (precision + recall) if precision + recall else 0.0
    return torch.tensor([f1, precision, recall], dtype=torch.float64)


def jackknifed(real, fake, k):
    """Efron & Stein 1981, (n - 1) / n sum (T_i - mean)^2 for both sets, every T_i measured anew."""
    total = torch.zeros(3, dtype=torch.float64)
    for mine, value in ((real, lambda rows: three(rows, fake, k)), (fake, lambda rows: three(real, rows, k))):
        n = len(mine)
        without = torch.stack([value(torch.cat([mine[:i], mine[i + 1 :]])) for i in range(n)])
        total += (without - without.mean(0)).square().sum(0) * (n - 1) / n
    return total


@pytest.mark.parametrize(("shift", "k"), [(0.0, 3), (1.5, 2), (2.5, 1), (50.0, 3)])
def test_what_leaving_out_each_picture_does_is_what_measuring_without_it_says(shift, k):
    real, fake = normal(40, 3, seed=1), normal(30, 3, seed=2) + shift
    censuses = knn_balls.tallies(filled(real), filled(fake), k=k, both=True, title="")
    for sides in (
        (torch.ones(40, dtype=torch.bool), torch.ones(30, dtype=torch.bool)),
        (torch.arange(40) % 3 > 0, torch.arange(30) % 2 > 0),
    ):
        parted = [census.parted(*order) for census, order in zip(censuses, (sides, sides[::-1]), strict=True)]
        parts = knn_error.precision_jackknives(censuses, parted, sides)
        sets = [(real[x], fake[y]) for x, y in (sides, tuple(~side for side in sides)) if x.any()]
        for part, pair in zip(parts, sets, strict=True):
            assert part.tolist() == pytest.approx(jackknifed(*pair, k).tolist(), rel=1e-9, abs=1e-12)


def test_the_error_is_that_of_halves_and_what_the_jackknife_grows_by():
    n, k = 16, 3  # Few enough that all neighbours are kept, whichever half they fall into.
    real, fake = normal(n, 30, seed=3), normal(n, 30, seed=4) + 0.2
    censuses = knn_balls.tallies(filled(real), filled(fake), k=k, both=True, title="")
    squares, halved = [], []
    for x, y in knn_error.halvings(n, n, seed=0, splits=knn_error.SPLITS):
        squares.append((three(real[x], fake[y], k) - three(real[~x], fake[~y], k)).square() / 4)
        halved += [jackknifed(real[x], fake[y], k) / 2, jackknifed(real[~x], fake[~y], k) / 2]
    growth = (jackknifed(real, fake, k) - torch.stack(halved).mean(0)).clamp_min(0)
    expected = torch.stack(squares).mean(0) + growth
    precision, recall = by_definition(real, fake, k)
    expected[1:] += torch.tensor([knn_error.rare(share, n) for share in (precision, recall)])
    found = knn_error.of_precision_and_recall(censuses, seed=0)
    assert growth.max() > 0
    assert found[1:] == pytest.approx(expected[1:].sqrt().tolist(), rel=1e-9)
    assert found[0] >= expected[0].sqrt()


def test_a_set_against_itself_is_all_inside():
    found = measured(normal(50, seed=1), normal(50, seed=1))
    assert [result.value for result in found.values()] == [1, 1, 1]


def test_sets_far_apart_have_nothing_in_common():
    found = measured(normal(50, seed=1), normal(50, seed=2) + 100)
    assert [result.value for result in found.values()] == [0, 0, 0]
    # Every half says the same. Jeffreys: (x + 1/2) / (n + 1) of n; of F1 both.
    error = (0.5 / 51 * (1 - 0.5 / 51) / 50) ** 0.5
    assert [result.standard_error for result in found.values()] == pytest.approx([2**0.5 * error, error, error])


def test_copies_of_a_few_reals_are_precise_and_recall_little():
    # Every copy has three copies at distance 0, so that its ball is a point.
    real = normal(200, seed=1)
    found = measured(real, real[:10].repeat(20, 1))
    assert found["precision"].value == 1
    assert found["recall"].value == 10 / 200


def test_precision_of_a_known_geometry():
    # Reals on a line at distance 1: every ball has radius 2 (k = 3, but at the ends), so that the line from -3 to 102
    # is inside: of points spread over twice that length, the half.
    real = torch.arange(100.0)[:, None]
    fake = torch.linspace(-3, 207, 421)[:, None]
    assert measured(real, fake)["precision"].value == pytest.approx(0.5, abs=1 / 421)


def test_swapping_the_sets_swaps_the_two():
    real, fake = normal(80, seed=1), 2 * normal(80, seed=2)
    one, other = measured(real, fake), measured(fake, real)
    assert (one["precision"].value, one["recall"].value) == (other["recall"].value, other["precision"].value)


def test_too_few_for_k_neighbours_are_refused():
    with pytest.raises(UserError, match="at least 9 pictures"):
        measured(normal(8, seed=1), normal(20, seed=2), config=Config(k=8))
    with pytest.raises(UserError, match="at least the first"):
        Config(k=0)


@pytest.mark.parametrize("n", [4, 5, 7, 8, 9])
def test_few_pictures_have_values_and_no_error_where_halves_are_too_small(n):
    found = measured(normal(n, seed=1), normal(n, seed=2))
    assert all((result.standard_error is None) == (n // 2 <= 3) for result in found.values())


def test_f1_is_the_harmonic_mean():
    found = knn_balls.f1(torch.tensor([0.5, 0.0], dtype=torch.float64), torch.tensor([1.0, 0.0], dtype=torch.float64))
    assert found.tolist() == pytest.approx([2 / 3, 0])


def test_halves_are_counted_as_if_each_were_measured_alone():
    from ganvas.metrics.maths.neighbours import nearest_neighbours

    real, fake = normal(200, seed=1), 1.3 * normal(200, seed=2)
    censuses = knn_balls.tallies(filled(real), filled(fake), k=3, both=True, title="")
    left_real = torch.rand(200, generator=torch.Generator().manual_seed(3)) < 0.5
    left_fake = torch.rand(200, generator=torch.Generator().manual_seed(4)) < 0.5
    halves = [
        censuses[0].halves(left_real, left_fake),
        censuses[1].halves(left_fake, left_real),
    ]
    for side, (x, y) in enumerate(((left_real, left_fake), (~left_real, ~left_fake))):
        precision, recall = by_definition(real[x], fake[y], 3)
        assert halves[0][side].covered == precision
        assert halves[1][side].covered == recall
    assert nearest_neighbours.SPARE > 0


def test_beyond_the_bound_on_pairs_some_points_stand_for_all(monkeypatch):
    real, fake = normal(200, 2, seed=1), normal(200, 2, seed=2) + 1.5
    whole = measured(real, fake)
    monkeypatch.setattr(knn_balls, "PAIRS", 800)
    monkeypatch.setattr(knn_balls, "CHUNK", 100)
    thinned = measured(real, fake)
    for name, result in thinned.items():
        assert result.value == whole[name].value
        assert 0.5 * whole[name].standard_error < result.standard_error < 5 * whole[name].standard_error


@pytest.mark.slow
@pytest.mark.simulate
@pytest.mark.parametrize(("n", "d", "missing"), [(160, 12, False), (100, 64, False), (100, 16, True)])
def test_intervals_of_95_percent_hold_the_mean_in_90_to_99_of_100_experiments(n, d, missing, experiments):
    if not missing:
        experiments.only_in_full()
    # Two hundred draws of both sets; what is held is the mean over the draws, of the value at this n.
    random = torch.Generator().manual_seed(0)
    draws = []
    for _ in range(experiments.count(200)):
        real = torch.randn(n, d, generator=random)
        fake = 0.9 * torch.randn(n, d, generator=random) + 0.2
        if missing:  # Reals of two kinds.
            real[:, 0] += 4 * d**0.25 * torch.randint(2, (n,), generator=random)
        draws.append([(r.value, r.standard_error) for r in compare(filled(real), filled(fake))])
    values, errors = torch.tensor(draws, dtype=torch.float64).unbind(2)
    held = ((values - values.mean(0)).abs() <= 1.96 * errors).double().mean(0)
    experiments.require(held)
    assert not math.isnan(float(errors.sum()))
