import math

import numpy as np
import pytest

from ganvas.data.points.law import Gap
from ganvas.data.points.mixtures import MIXTURES, Gaussians, Rings, law_of

N = 40_000
GAUSSIANS = [name for name, law in MIXTURES.items() if isinstance(law, Gaussians)]


@pytest.fixture(params=MIXTURES)
def law(request):
    return MIXTURES[request.param]


def test_a_point_is_the_same_alone_in_any_order_and_in_any_block(law):
    points, labels = law.points(np.arange(100), seed=5)
    order = np.array([99, 3, 3, 0])
    again, marks = law.points(order, seed=5)
    assert again.tobytes() == points[order].tobytes()
    assert (marks == labels[order]).all()
    assert (law.points(np.array([7]), seed=5)[0] == points[7]).all()


def test_another_seed_is_another_draw(law):
    first, other = (law.points(np.arange(1000), seed=seed)[0] for seed in (0, 1))
    assert not (first == other).all(1).any()


def test_points_are_float32_of_the_laws_dimensions_and_parts(law):
    points, labels = law.points(np.arange(5000))
    assert points.shape == (5000, law.dims)
    assert points.dtype == np.float32
    assert set(labels.tolist()) == set(range(law.parts))


@pytest.mark.parametrize("name", GAUSSIANS)
def test_offsets_from_their_modes_are_standard_normal(name):
    law = MIXTURES[name]
    points, labels = law.points(np.arange(N))
    offsets = (points - law.centres[labels]) / law.sigma
    # The mean of n normal numbers has the error 1/sqrt(n), their variance sqrt(2/n), their fourth moment sqrt(96/n).
    assert np.abs(offsets.mean(0)).max() < 4 / math.sqrt(N)
    assert np.abs(offsets.var(0) - 1).max() < 4 * math.sqrt(2 / N)
    assert np.abs((offsets**4).mean(0) - 3).max() < 4 * math.sqrt(96 / N)
    if law.dims == 2:
        within = (np.hypot(*offsets.T) < 3).mean()
        assert within == pytest.approx(1 - math.exp(-4.5), abs=4 * math.sqrt(0.0111 * 0.989 / N))  # Rayleigh's law.
        assert abs((offsets[:, 0] * offsets[:, 1]).mean()) < 4 / math.sqrt(N)


@pytest.mark.parametrize("name", GAUSSIANS)
def test_parts_come_in_their_shares(name):
    law = MIXTURES[name]
    counts = np.bincount(law.points(np.arange(N))[1], minlength=law.parts)
    errors = np.sqrt(N * law.shares * (1 - law.shares))
    assert (np.abs(counts - N * law.shares) < 4.5 * errors).all()
    assert law.shares.sum() == pytest.approx(1)


def test_the_grid_and_the_ring_are_those_of_the_papers():
    grid = MIXTURES["grid25"]
    wanted = {(x, y) for x in (-4, -2, 0, 2, 4) for y in (-4, -2, 0, 2, 4)}
    assert {tuple(centre) for centre in grid.centres.tolist()} == wanted
    assert grid.sigma == 0.05
    ring = MIXTURES["ring8"]
    assert np.hypot(*ring.centres.T) == pytest.approx(np.full(8, 2.0))
    assert np.hypot(*(ring.centres - np.roll(ring.centres, 1, 0)).T) == pytest.approx(4 * math.sin(math.pi / 8))
    assert ring.sigma == 0.02


def test_each_part_of_the_unequal_ring_is_half_as_likely_as_the_one_before():
    assert MIXTURES["ring8_unequal"].shares * 255 == pytest.approx(2.0 ** np.arange(7, -1, -1))


def test_the_density_of_a_pair_at_its_middle():
    # Two Gaussians at +-2 with s = 1/2: at 0 both have exp(-8) / (s sqrt(2 pi)).
    law = MIXTURES["pair"]
    wanted = -8 - math.log(0.5 * math.sqrt(2 * math.pi))
    assert law.log_density(np.zeros((1, 1)))[0] == pytest.approx(wanted)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ring8_wide", "pair", "rings", "circle"])
def test_densities_integrate_to_one(name):
    law = MIXTURES[name]
    line = np.arange(-5, 5, 0.01) + 0.005
    mesh = [line] if law.dims == 1 else [axis.ravel() for axis in np.meshgrid(line, line)]
    total = np.exp(law.log_density(np.stack(mesh, axis=1))).sum() * 0.01**law.dims
    assert total == pytest.approx(1, abs=1e-4)


def test_the_density_of_separate_modes_gives_their_entropy():
    # Modes 100 sigmas apart: H = log 25 + log(2 pi e s^2).
    law = MIXTURES["grid25"]
    points = law.points(np.arange(N))[0].astype(np.float64)
    exact = math.log(25) + math.log(2 * math.pi * math.e * 0.05**2)
    assert -law.log_density(points).mean() == pytest.approx(exact, abs=4 / math.sqrt(N))  # The log has variance 1.


def test_the_ring_of_a_tenth_has_the_entropy_and_the_reach_of_eight_separate_modes():
    law = law_of("ring8,sigma=0.1")
    points = law.points(np.arange(N))[0].astype(np.float64)
    # Its neighbours are 15 s apart: H = log 8 + log(2 pi e s^2) = .3121 nats, and exp(-9/2) lie beyond 3 s.
    assert -law.log_density(points).mean() == pytest.approx(0.3121, abs=4 / math.sqrt(N))
    away = np.sqrt(((points[:, None] - law.centres) ** 2).sum(2)).min(1)
    assert (away <= 0.3).mean() == pytest.approx(0.9889, abs=4 * math.sqrt(0.011 / N))


def test_a_pair_is_as_far_apart_as_it_is_set_and_its_gap_is_between_three_deviations_of_each():
    law = law_of("pair,apart=5")
    assert law.centres[:, 0].tolist() == [-2.5, 2.5]
    assert law.gap == Gap(low=-1.0, high=1.0)


def test_far_points_have_a_density_and_no_overflow():
    assert MIXTURES["grid25"].log_density(np.array([[1e3, 0.0]]))[0] == pytest.approx(
        -((996 / 0.05) ** 2) / 2, rel=1e-5
    )


def test_radii_of_rings_are_normal_around_theirs():
    law = MIXTURES["rings"]
    assert isinstance(law, Rings)
    points, labels = law.points(np.arange(N))
    offsets = (np.hypot(*points.T) - law.radii[labels]) / law.sigma
    assert abs(offsets.mean()) < 4 / math.sqrt(N)
    assert abs(offsets.var() - 1) < 4 * math.sqrt(2 / N)


def test_arms_of_a_spiral_are_turned_against_each_other():
    law = MIXTURES["spiral"]
    points, labels = law.points(np.arange(N))
    at = np.hypot(*points.T)
    outer = (at > 2.0) & (at < 2.2)  # The arms are at 1.5 turns * (r - 0.2) / 3.8, and half a turn apart.
    angle = np.arctan2(points[outer, 1], points[outer, 0]) - 2 * np.pi * 1.5 * (at[outer] - 0.2) / 3.8
    turned = np.exp(1j * (angle - np.pi * labels[outer]))
    assert abs(np.angle(turned.mean())) < 0.01
    spread = 0.08**2 * ((2 * np.pi * 1.5 / 3.8) ** 2 + 1 / 2.1**2)  # Of the angle: noise along the radius, and across.
    assert np.abs(turned.mean()) == pytest.approx(math.exp(-spread / 2), abs=0.004)


def test_what_has_no_closed_density_says_so():
    assert MIXTURES["spiral"].log_density(np.zeros((1, 2))) is None


@pytest.mark.parametrize("name", ["ring8_wide", "ring8_unequal", "grid25", "squares"])
def test_the_mass_of_a_cell_is_the_share_of_points_in_it(name):
    law, n = MIXTURES[name], 20_000
    x, y = np.array([-9.0, -1.9, -0.1, 1.0, 2.05, 9.0]), np.array([-9.0, -0.3, 0.2, 1.4, 9.0])
    masses = law.cell_masses(x, y)
    points = law.points(np.arange(n))[0]
    shares = np.histogram2d(points[:, 1], points[:, 0], bins=(y, x))[0] / n
    assert masses.sum() == pytest.approx(1, abs=1e-12)
    assert (np.abs(shares - masses) <= 5 * np.sqrt(masses * (1 - masses) / n) + 1e-9).all()


@pytest.mark.parametrize("name", ["rings", "spiral", "parallel_lines", "pair", "pareto_plane"])
def test_a_law_without_a_closed_form_of_cells_says_so(name):
    assert MIXTURES[name].cell_masses(np.array([0.0, 1.0]), np.array([0.0, 1.0])) is None
