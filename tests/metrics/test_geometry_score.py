import itertools
import sys

import numpy as np
import pytest
import torch
from scipy.spatial.distance import cdist

from ganvas.core.errors import UserError
from ganvas.core.seeds import stream
from ganvas.metrics import geometry_score as module
from ganvas.metrics.geometry_score import TINY, Accumulator, Config, score
from ganvas.metrics.maths.neighbours import witness_complex as machinery
from ganvas.metrics.maths.neighbours.witness_complex import holes, living_times, shares, squared_distances

gudhi = pytest.importorskip("gudhi", reason="needs gudhi: pip install 'ganvas[metrics]'")


def circle(n, *, noise=0.0, dimensions=2, seed=0):
    random = np.random.default_rng(seed)
    angle = random.uniform(0, 2 * np.pi, n)
    plane = np.linalg.qr(random.normal(size=(dimensions, 2)))[0]
    points = np.stack([np.cos(angle), np.sin(angle)], 1) @ plane.T
    return torch.from_numpy(points + noise * random.normal(size=points.shape))


def disc(n, *, inner=0.0, seed=0):
    random = np.random.default_rng(seed)
    angle, radius = random.uniform(0, 2 * np.pi, n), np.sqrt(random.uniform(inner**2, 1, n))
    return torch.from_numpy(np.stack([radius * np.cos(angle), radius * np.sin(angle)], 1))


def plain_shares(intervals, alpha, most):
    """Equations 2 and 3 by a loop over the stretches between switches."""
    ends = sorted({0.0, alpha, *(min(float(end), alpha) for interval in intervals for end in interval)})
    found = np.zeros(most)
    for first, last in itertools.pairwise(ends):
        middle = (first + last) / 2
        found[sum(birth <= middle < death for birth, death in intervals)] += last - first
    return found / alpha


def plain_living_times(points, places, gamma, most):
    """Algorithm 1 for one draw: all distances, all of them sorted, every witness with its whole list."""
    apart = cdist(points, points[places])
    order = apart.argsort(1, kind="stable")
    table = np.dstack([order, np.take_along_axis(apart, order, 1)])
    alpha = gamma * apart.max()
    tree = gudhi.WitnessComplex(table).create_simplex_tree(max_alpha_square=alpha, limit_dimension=2)
    tree.persistence(homology_coeff_field=2)
    return plain_shares(tree.persistence_intervals_in_dimension(1), alpha, most)


@pytest.mark.parametrize("gamma", [0.008, 0.05, 0.4])
def test_living_times_are_those_of_the_definition_written_plainly(gamma):
    pictures = torch.randint(0, 256, (150, 1500), generator=torch.Generator().manual_seed(0)).byte()
    pictures[:, 5:] //= 32  # Some directions matter more: in a ball of high dimension nothing has a hole.
    found = living_times(pictures, draws=3, landmarks=20, gamma=gamma, most=60, seed=4)
    for draw in range(3):
        places = torch.randperm(150, generator=stream(4, "geometry_score", "landmarks", draw))[:20].numpy()
        expected = plain_living_times(pictures.double().numpy(), places, gamma, 60)
        assert found[draw].numpy() == pytest.approx(expected, abs=1e-12)


def test_shares_of_random_intervals_are_exactly_those_of_the_loop():
    random = np.random.default_rng(0)
    for count in (1, 2, 5, 40):
        births = random.uniform(0, 1, count).round(1)  # Many switches at once.
        deaths = np.where(random.random(count) < 0.3, np.inf, births + random.uniform(0.1, 1, count))
        intervals = np.stack([births, deaths], 1)
        assert shares(intervals, 1.3).tolist() == plain_shares(intervals, 1.3, 100).tolist()
    assert shares(np.empty((0, 2)), 1.3, most=3).tolist() == [1, 0, 0]


def test_more_holes_than_are_told_apart_count_as_the_most():
    whole = shares(np.array([[0.0, np.inf]] * 7), 1.0, most=4)
    assert whole.tolist() == [0, 0, 0, 1]


def test_distances_of_bytes_are_exact():
    pictures = torch.randint(0, 2, (40, 3000), generator=torch.Generator().manual_seed(0)).byte() * 255
    whole = pictures.long()
    places = torch.tensor([3, 9, 30])
    expected = (whole[:, None] - whole[places]).square().sum(2)
    assert squared_distances(pictures, places).long().tolist() == expected.tolist()


@pytest.mark.slow
@pytest.mark.parametrize("noise", [0.0, 0.001])
def test_a_noisy_circle_in_a_space_of_many_dimensions_has_one_hole_all_along(noise):
    # Of the paper's size. A thousandth of the radius in each of 784 directions is 0.028 of it in all. A hundredth for
    # stretches of the circle that happen to have no point.
    mean = living_times(circle(5000, noise=noise, dimensions=784), draws=20).mean(0)
    assert mean[1] > 0.99


def test_the_more_coarsely_a_disc_is_looked_at_the_less_of_the_time_it_has_holes():
    """Its holes are gaps between landmarks, which close at a fixed distance; that of a ring stays."""
    gammas = (0.02, 0.05, 0.2)
    of_disc, of_ring = (
        [living_times(disc(400, inner=inner), draws=4, landmarks=32, gamma=gamma, seed=1).mean(0) for gamma in gammas]
        for inner in (0.0, 0.6)
    )
    alone = [float(found[0]) for found in of_disc]
    assert alone == sorted(alone)
    assert alone[-1] > 0.8
    assert of_ring[-1][1] > 0.8


def test_the_square_of_a_difference_is_the_score_and_a_set_is_at_none_from_itself():
    one, other = torch.eye(4).double()[[0, 0, 1, 1]], torch.eye(4).double()[[2, 2, 2, 2]]
    assert score(one, other)[0] == pytest.approx(0.5**2 + 0.5**2 + 1)
    assert score(one, one)[0] == 0


def test_scaling_the_pictures_and_moving_them_changes_nothing():
    points = disc(200)
    found, other = (
        living_times(rows, draws=3, landmarks=20, gamma=0.05) for rows in (points, 1024 * points.flip(1) + 8)
    )
    assert found.numpy() == pytest.approx(other.numpy(), abs=1e-9)


def test_landmarks_may_be_drawn_with_replacement_and_are_not_by_default():
    points = circle(8)
    with pytest.raises(UserError, match="9 landmarks are to be drawn from 8 pictures"):
        living_times(points, draws=1, landmarks=9)
    assert living_times(points, draws=2, landmarks=9, gamma=0.1, with_replacement=True).sum(1).tolist() == [1, 1]
    # All eight, in whatever order: one complex.
    assert len(living_times(points, draws=6, landmarks=8, gamma=0.1).unique(dim=0)) == 1


def test_distances_asked_for_one_by_one_are_those_of_the_table(monkeypatch):
    pictures = torch.randint(0, 256, (90, 5), generator=torch.Generator().manual_seed(0)).byte()
    how = {"draws": 4, "landmarks": 16, "gamma": 0.1}
    whole = living_times(pictures, **how)
    monkeypatch.setattr(machinery, "TABLE_BYTES", 0)
    assert torch.equal(living_times(pictures, **how), whole)


@pytest.mark.parametrize("value", [0, 200])
def test_equal_pictures_have_no_hole(value):
    equal = torch.full((80, 12), value, dtype=torch.uint8)
    assert living_times(equal, draws=2, landmarks=10)[:, 0].tolist() == [1, 1]
    assert holes(torch.zeros(80, 10, dtype=torch.float64), 0.0).shape == (0, 2)


def test_points_that_are_not_numbers_are_refused():
    with pytest.raises(UserError, match="not finite"):
        living_times(circle(80).index_fill(0, torch.tensor([3]), torch.nan), draws=1)


def test_the_variance_of_the_score_covers_it_where_draws_are_the_only_chance():
    """Nominal 95 %: 90-99 % of 200 experiments around the score's own mean, whose bias is known: tr C."""
    random = np.random.default_rng(0)
    inside, (p, q) = 0, ([0.2, 0.5, 0.3], [0.4, 0.4, 0.2])
    spread = sum((np.diag(one) - np.outer(one, one)).trace() for one in (p, q)) / 100
    truth = sum((a - b) ** 2 for a, b in zip(p, q, strict=True)) + spread
    for _ in range(200):
        sides = [torch.from_numpy(np.eye(3)[random.choice(3, 100, p=one)]) for one in (p, q)]
        value, variance = score(*sides)
        inside += abs(value - truth) <= 1.96 * variance**0.5
        assert variance > 0
    assert 180 <= inside <= 198


@pytest.mark.slow
@pytest.mark.simulate
def test_the_bound_for_other_pictures_is_not_too_narrow(experiments):
    """A ring against a disc, experiments with pictures of their own around their mean: 90 % or more covered."""
    found = []
    for i in range(experiments.count(40)):
        how = {"draws": 40, "landmarks": 32, "gamma": 0.03, "most": 40, "seed": i}
        sides = (living_times(disc(300, inner=inner, seed=2 * i + (inner > 0)), **how) for inner in (0.55, 0.0))
        found.append(score(*sides, share=32 / 300))
    values, variances = np.array(found).T
    assert np.mean(abs(values - values.mean()) <= 1.96 * np.sqrt(variances)) >= 0.9
    assert np.sqrt(variances).mean() < 2 * values.std(ddof=1)


def pictures(n, *, seed=0):
    return torch.randint(0, 256, (n, 1, 4, 4), generator=torch.Generator().manual_seed(seed)).byte()


def filled(data, config):
    side = Accumulator(seed=3, config=config)
    side.update(data)
    return side


def test_of_many_pictures_the_first_are_taken_and_that_is_said():
    how = Config(landmarks=12, draws=4, gamma=0.05, pictures=70)
    many, few = ([filled(pictures(n, seed=seed)[:n], how) for seed in (0, 1)] for n in (90, 70))
    few = [filled(pictures(90, seed=seed)[:70], how) for seed in (0, 1)]
    found, expected = module.compare(*many)[0], module.compare(*few)[0]
    assert (found.value, found.n, expected.n) == (expected.value, 90, 70)
    assert ":pictures70:" in found.protocol
    assert "pictures70" not in expected.protocol


def test_living_times_are_found_once_and_again_when_pictures_come(monkeypatch):
    side, calls = filled(pictures(70), TINY), []
    whole = machinery.living_times
    monkeypatch.setattr(module, "living_times", lambda *args, **how: calls.append(1) or whole(*args, **how))
    side.living()
    side.living()
    side.update(pictures(4, seed=1))
    side.living()
    assert len(calls) == 2


@pytest.mark.parametrize("wrong", [{"landmarks": 3}, {"draws": 1}, {"gamma": 0.0}, {"gamma": 2.0}, {"pictures": -1}])
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(UserError, match="cannot be"):
        Config(**wrong)


def test_without_gudhi_one_line_says_how_to_get_it(monkeypatch):
    from ganvas.metrics.measuring.flow import why_not

    sides = [filled(pictures(70), TINY) for _ in range(2)]
    monkeypatch.setitem(sys.modules, "gudhi", None)
    with pytest.raises(UserError, match=r"needs the package gudhi: pip install 'ganvas\[metrics\]'"):
        module.compare(*sides)
    assert "needs the package gudhi" in (why_not("geometry_score", alone=False) or "")
