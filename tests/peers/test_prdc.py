"""prdc (clovaai): precision, recall, density, coverage."""

import numpy as np
import pytest
import torch

from ganvas.metrics import density_coverage, precision_recall

prdc = pytest.importorskip("prdc", reason="needs prdc: make peers")


def results(module, reals, fakes, *, k):
    sides = [module.Accumulator(config=module.Config(k=k)) for _ in range(2)]
    for side, rows in zip(sides, (reals, fakes), strict=True):
        side.update(torch.as_tensor(rows))
    return {one.metric.rpartition(".")[2]: one.value for one in module.compare(*sides)}


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("n", "m", "d", "k"), [(200, 200, 16, 5), (150, 260, 64, 3), (120, 90, 512, 1)])
def test_all_four_are_theirs_exactly(n, m, d, k, dtype):
    random = np.random.default_rng(n)
    reals = random.normal(size=(n, d)).astype(dtype)
    fakes = (0.96 * random.normal(size=(m, d)) + 2 / d).astype(dtype)
    their = prdc.compute_prdc(reals, fakes, nearest_k=k)
    found = results(precision_recall, reals, fakes, k=k) | results(density_coverage, reals, fakes, k=k)
    # Shares and counts: whole numbers over whole numbers.
    assert {name: round(found[name] * n * m * k) for name in their} == {
        name: round(float(value) * n * m * k) for name, value in their.items()
    }
    assert 0 < found["recall"] < 1


def test_copies_of_the_reals_are_inside_here_and_outside_there():
    random = np.random.default_rng(0)
    once = random.normal(size=(30, 8))
    reals = np.repeat(once, 2, axis=0)  # Every real twice: the ball to the first neighbour has the radius 0.
    their = prdc.compute_prdc(reals, reals, nearest_k=1)
    found = results(precision_recall, reals, reals, k=1) | results(density_coverage, reals, reals, k=1)
    assert (found["precision"], found["recall"], found["coverage"]) == (1, 1, 1)
    assert their["coverage"] < 1  # `<` leaves out what lies on the ball, the point itself included.
