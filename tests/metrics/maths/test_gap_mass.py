import math
from statistics import NormalDist

import numpy as np
import pytest

from ganvas.metrics.maths.gap_mass import equal_gap_mass, least_gap_mass, least_lipschitz


@pytest.mark.parametrize("lipschitz", [1.0, 3.0, 20.0])
def test_a_steep_line_between_the_halves_reaches_the_bound_exactly(lipschitz):
    # G(z) = clip(L z, -D/2, D/2): latents within D / 2L of 0 lie in the gap.
    distance = 1.7
    latents = np.random.default_rng(0).standard_normal(200_000)
    gap = (np.abs(latents * lipschitz) < distance / 2).mean()
    bound = equal_gap_mass(distance, lipschitz)
    assert gap == pytest.approx(bound, abs=4 * math.sqrt(bound / 200_000))
    left = (1 - bound) / 2
    assert least_gap_mass(left, distance, lipschitz) == pytest.approx(bound)
    assert least_lipschitz(left, left, distance) == pytest.approx(lipschitz)


def test_unequal_halves_need_less_of_a_gap():
    # A half space of a fifth of the latents: Phi(Phi^-1(0.2) + 1/2) - 0.2, by hand.
    normal = NormalDist()
    assert least_gap_mass(0.2, 1.0, 2.0) == pytest.approx(normal.cdf(-0.8416212 + 0.5) - 0.2, abs=1e-6)
    assert least_gap_mass(0.2, 1.0, 2.0) < equal_gap_mass(1.0, 2.0)


def test_a_flat_generator_has_everything_in_the_gap_or_one_half():
    assert least_gap_mass(0.3, 1.0, 0.0) == pytest.approx(0.7)
    assert least_gap_mass(0.0, 1.0, 1.0) == 0
    assert least_lipschitz(0.5, 0.5, 1.0) == math.inf
    assert least_lipschitz(0.0, 0.5, 1.0) == 0
