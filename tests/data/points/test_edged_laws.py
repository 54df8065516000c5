import math

import numpy as np
import pytest

from ganvas.core.errors import UserError
from ganvas.data.points.law import Gap
from ganvas.data.points.mixtures import MIXTURES, law_of

N = 40_000


@pytest.mark.parametrize("name", ["segments", "squares", "parallel_lines"])
def test_boxes_are_as_far_apart_as_they_are_set_and_have_half_of_the_points_each(name):
    law = law_of(f"{name},gap=0.5")
    points, marks = law.points(np.arange(N))
    left, right = points[marks == 0, 0], points[marks == 1, 0]
    assert law.gap == Gap(low=-0.25, high=0.25)
    assert left.max() <= -0.25 < 0.25 <= right.min()
    assert len(left) / N == pytest.approx(0.5, abs=4 * 0.5 / math.sqrt(N))


def test_segments_have_the_moments_of_uniform_numbers():
    points, _ = law_of("segments,gap=2").points(np.arange(N))
    # Around 0 with a distance of 1 to 2: E x^2 = (2^3 - 1) / 3, and E x = 0.
    assert points.mean() == pytest.approx(0, abs=4 * math.sqrt(7 / 3 / N))
    assert (points**2).mean() == pytest.approx(7 / 3, abs=4 * math.sqrt((31 / 5 - 49 / 9) / N))


def test_parallel_lines_have_no_width_and_no_density():
    law = law_of("parallel_lines,gap=0.5")
    points, _ = law.points(np.arange(N))
    assert set(np.unique(points[:, 0])) == {-0.25, 0.25}
    assert points[:, 1].mean() == pytest.approx(0, abs=4 / math.sqrt(12 * N))
    assert points[:, 1].var() == pytest.approx(1 / 12, rel=0.02)
    assert law.log_density(np.zeros((1, 2))) is None


@pytest.mark.parametrize("name", ["segments", "squares"])
def test_the_density_of_boxes_is_one_over_their_volume_inside_and_nothing_outside(name):
    law = law_of(f"{name},gap=0.5")
    inside, between = np.zeros((1, law.dims)), np.zeros((1, law.dims))
    inside[0, 0] = 0.75
    assert law.log_density(inside)[0] == pytest.approx(-math.log(2))
    assert law.log_density(between)[0] == -math.inf


@pytest.mark.parametrize("alpha", [1.5, 3.0])
@pytest.mark.parametrize("name", ["pareto", "pareto_plane"])
def test_the_logarithm_of_a_pareto_distance_is_exponential(name, alpha):
    law = law_of(f"{name},alpha={alpha}")
    points, _ = law.points(np.arange(N))
    logs = np.log(np.sqrt((points.astype(np.float64) ** 2).sum(1)))
    # float32 rounds a distance of 1 to just below it.
    assert logs.min() > -1e-6
    assert logs.mean() * alpha == pytest.approx(1, abs=4 / math.sqrt(N))
    assert (logs > math.log(2)).mean() == pytest.approx(2**-alpha, abs=4 * 0.5 / math.sqrt(N))
    assert law.tail == pytest.approx(1 / alpha)


def test_pareto_points_of_a_plane_lie_in_all_directions():
    points, _ = MIXTURES["pareto_plane"].points(np.arange(N))
    directions = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.abs(directions.mean(0)).max() < 4 / math.sqrt(2 * N)


def test_the_entropy_of_a_pareto_law_is_what_its_density_says():
    law = law_of("pareto,alpha=2")
    points = law.points(np.arange(N))[0].astype(np.float64)
    # H = 1 + 1/alpha - log alpha; the log density has the deviation (alpha + 1) / alpha.
    assert -law.log_density(points).mean() == pytest.approx(1.5 - math.log(2), abs=4 * 1.5 / math.sqrt(N))
    plane = law_of("pareto_plane,alpha=2")
    points = plane.points(np.arange(N))[0].astype(np.float64)
    # On top of it log 2 pi + E log r, and E log r = 1/alpha.
    wanted = 1.5 - math.log(2) + math.log(2 * math.pi) + 0.5
    assert -plane.log_density(points).mean() == pytest.approx(wanted, abs=4 * 2 / math.sqrt(N))


def test_a_pareto_law_has_no_density_below_one():
    assert MIXTURES["pareto"].log_density(np.array([[0.5]]))[0] == -math.inf


def test_only_two_halves_that_are_apart_have_a_gap():
    assert MIXTURES["pair"].gap == Gap(low=-0.5, high=0.5)  # Three times 0.5 from -2 and 2.
    assert MIXTURES["grid25"].gap is None
    assert MIXTURES["pareto"].gap is None


@pytest.mark.parametrize(
    ("spelled", "word"),
    [
        ("parallel_lines,gap=-1", "not understood"),
        ("parallel_lines,alpha=1", "gap=1"),
        ("parallel_lines,gap=1e400", "not understood"),
        ("pareto,alpha=0.1", "from 0.2"),
        ("grid25,gap=1", "no settings"),
        ("paralel_lines", "parallel_lines"),
    ],
)
def test_a_setting_that_a_law_has_not_is_refused(spelled, word):
    with pytest.raises(UserError, match=word):
        law_of(spelled)
