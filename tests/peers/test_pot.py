"""POT: sliced Wasserstein distances along given directions."""

import numpy as np
import pytest
import torch

from ganvas.metrics import mind
from ganvas.metrics.maths.distances import sliced_wasserstein

ot = pytest.importorskip("ot", reason="needs POT: make peers")


def rows(n, d, *, seed):
    rng = torch.Generator().manual_seed(seed)
    return (1 + seed / 4) * torch.randn(n, d, generator=rng, dtype=torch.float64) + seed / 5


@pytest.fixture
def directions():
    drawn = torch.randn(40, 12, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    return drawn / drawn.norm(dim=1, keepdim=True)


def test_the_sliced_w1_of_patches_is_theirs(directions):
    x, y = (rows(300, 12, seed=seed) for seed in (1, 2))
    clouds = [sliced_wasserstein.cloud(side.unflatten(0, (30, 10))) for side in (x, y)]  # 30 pictures of 10 patches.
    found = sliced_wasserstein.wasserstein(*clouds, directions).distances
    their = ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), projections=directions.T.numpy(), p=1)
    assert float(found.mean()) == pytest.approx(float(their), rel=1e-12)
    each = [ot.wasserstein_1d(x.numpy() @ u, y.numpy() @ u, p=1) for u in directions.numpy()]
    np.testing.assert_allclose(found, np.array(each).ravel(), rtol=1e-10)


@pytest.mark.parametrize("m", [300, 220, 7])
def test_the_sliced_squared_w2_of_mind_is_theirs_also_for_sets_of_two_sizes(directions, m):
    x, y = rows(300, 12, seed=1), rows(m, 12, seed=2)
    their = ot.sliced_wasserstein_distance(x.numpy(), y.numpy(), projections=directions.T.numpy(), p=2)
    assert mind.mind(x, y, directions) == pytest.approx(3 * 12 * float(their) ** 2, rel=1e-10)
