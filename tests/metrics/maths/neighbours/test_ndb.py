import math

import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.maths.neighbours.ndb import compared, ndb

pytestmark = pytest.mark.usefixtures("float64")


def rows(n, seed, scale=1.0):
    return scale * torch.randn(n, 4, generator=stream(seed, "rows"))


def test_of_samples_of_one_law_a_twentieth_of_the_bins_are_different():
    # k-means fits its cells to the reference, which makes a few more of them different than chance alone would.
    shares = [ndb(rows(2000, 2 * seed), rows(1000, 2 * seed + 1), bins=50, seed=seed).different for seed in range(6)]
    mean, error = sum(shares) / 6, math.sqrt(0.05 * 0.95 / 300)
    assert 0.05 - 3 * error < mean < 0.05 + 5 * error


def test_of_another_law_and_of_one_sample_again_and_again_many_are():
    reference = rows(1000, 0)
    assert ndb(reference, rows(500, 1, scale=0.5), bins=20, seed=0).different > 0.5
    collapsed = ndb(reference, reference[:1].expand(500, -1), bins=20, seed=0)
    assert collapsed.different > 0.9
    assert collapsed.divergence < math.log(2)


def test_shares_are_compared_by_the_test_of_two_proportions():
    # z = (.5 - .25) / sqrt(.375 .625 (1/100 + 1/100)) = 3.65, and (.1 - .12) / ... = -.45.
    found = compared(torch.tensor([50.0, 10.0, 40.0]), torch.tensor([25.0, 12.0, 63.0]))
    assert found.different == pytest.approx(2 / 3)
    p, q = torch.tensor([0.5, 0.1, 0.4]), torch.tensor([0.25, 0.12, 0.63])
    m = (p + q) / 2
    assert found.divergence == pytest.approx(float((p * (p / m).log() + q * (q / m).log()).sum() / 2))


def test_sets_apart_have_the_divergence_log_two_and_empty_bins_are_the_same_in_both():
    found = compared(torch.tensor([9.0, 0.0, 0.0]), torch.tensor([0.0, 9.0, 0.0]))
    assert found.divergence == pytest.approx(math.log(2))
    assert found.different == pytest.approx(2 / 3)
