import math

import numpy as np
import pytest

from ganvas.metrics.maths.distances.cell_divergences import cell_divergences, masses_of_points, with_outside


def test_two_cells_by_hand():
    found = cell_divergences(np.array([0.5, 0.5]), np.array([1.0, 0.0]))
    assert found.jensen_shannon == pytest.approx(0.311278124459 * math.log(2), abs=1e-11)  # 0.3113 bits.
    assert found.total_variation == 0.5
    assert found.pearson == pytest.approx(1 / 6 + 1 / 2)
    assert found.reverse_kl == pytest.approx(math.log(2))
    assert found.missed == 0.5


def test_bounds_and_merging_of_cells():
    random = np.random.default_rng(0)
    for _ in range(50):
        p, q = random.dirichlet(np.full(12, 0.3), size=2)
        fine = cell_divergences(p, q)
        coarse = cell_divergences(p.reshape(4, 3).sum(1), q.reshape(4, 3).sum(1))
        assert coarse.jensen_shannon <= fine.jensen_shannon + 1e-12
        assert coarse.pearson <= fine.pearson + 1e-12
        assert coarse.total_variation <= fine.total_variation + 1e-12
        assert fine.total_variation**2 / 2 <= fine.jensen_shannon <= math.log(2) * fine.total_variation + 1e-12


def test_points_fall_into_cells_and_what_is_no_number_outside():
    points = np.array([[0.5, 0.5], [1.5, 0.5], [0.5, 1.5], [9.0, 0.0], [np.nan, 0.0]])
    edges = np.array([0.0, 1.0, 2.0])
    assert masses_of_points(points, edges, edges) == pytest.approx([0.2, 0.2, 0.2, 0, 0.4])
    assert with_outside(np.array([[0.25, 0.5]])) == pytest.approx([0.25, 0.5, 0.25])
