import math

import numpy as np
import pytest

from ganvas.data.points.mixtures import MIXTURES, law_of
from ganvas.metrics.points.point_results import names_of, point_results

N = 2000


def results(points, name, **more):
    return {one.metric: one for one in point_results(points, law_of(name), name=name, seed=0, **more)}


@pytest.mark.parametrize("name", MIXTURES)
def test_a_laws_own_points_score_as_well_as_they_can(name):
    law = MIXTURES[name]
    found = results(law.points(np.arange(N), seed=9)[0], name)
    assert list(found) == names_of(law)
    if "js" in found:
        assert abs(found["js"].value) < 0.05
    if "hill" in found:
        assert found["hill"].value == pytest.approx(law.tail, abs=4 * found["hill"].standard_error)
    if name in ("segments", "squares", "parallel_lines"):
        assert found["gap_mass"].value == 0
    assert found["support_size"].value > N


def test_which_values_there_are_follows_from_the_law():
    assert names_of(MIXTURES["spiral"]) == ["support_size"]
    assert names_of(MIXTURES["pareto"]) == ["js", "js.reverse_kl", "js.forward_kl", "w1", "hill", "support_size"]
    assert "w1" not in names_of(law_of("pareto,alpha=1"))
    assert names_of(MIXTURES["parallel_lines"]) == ["gap_mass", "support_size"]


def test_a_copier_of_a_hundred_points_is_seen_by_its_support():
    points = MIXTURES["grid25"].points(np.arange(100))[0]
    copied = points[np.random.default_rng(0).integers(0, 100, N)]
    found = results(copied, "grid25")
    assert found["support_size"].value == pytest.approx(100, rel=0.1)
    assert found["modes"].value >= 24


def test_points_in_the_gap_are_counted_beside_the_bound_of_their_generator():
    # G(z) = clip(2 z, -1, 1) spreads nothing beyond its ends: the gap of the segments is reached exactly.
    z = np.random.default_rng(0).standard_normal(20_000)
    found = results(np.clip(2 * z, -1, 1)[:, None].astype(np.float32), "segments,gap=2", lipschitz=2.0)
    assert found["gap_mass"].value == pytest.approx(0.3829, abs=4 * found["gap_mass"].standard_error)
    assert found["gap_mass.bound"].value == pytest.approx(0.3829, abs=0.01)
    assert found["gap_mass.lipschitz"].value == 2
    half = results(np.clip(2 * z, -1, 1)[:, None].astype(np.float32), "segments,gap=2", lipschitz=1.0)
    assert half["gap_mass.bound"].value > found["gap_mass"].value + 0.1  # With L/2 it is violated.


def test_points_that_are_not_finite_have_values_all_the_same():
    points = MIXTURES["pair"].points(np.arange(100))[0]
    points[3] = math.nan
    found = results(points, "pair")
    assert found["js"].value == pytest.approx(math.log(2))
    assert found["w1"].value == math.inf


def test_few_points_have_the_values_that_few_points_can_have():
    found = results(MIXTURES["pareto"].points(np.arange(5))[0], "pareto")
    assert list(found) == ["w1", "support_size"]
