import numpy as np
import pytest
import torch

from ganvas.metrics import fd_dinov2, fid
from ganvas.metrics.measuring import metric_catalogue

EXPERIMENTS = 200  # Slow only because every call is checked for shapes: seconds in all.


def experiment(n, m, d, *, random, shift=0.0, scale=1.0, spectrum=0.0):
    """A value with its error, of x ~ N(shift, (scale s)^2) and y ~ N(0, s^2)."""
    s = torch.arange(1, d + 1, dtype=torch.float64) ** -spectrum
    real, fake = fid.Accumulator(), fid.Accumulator()
    fake.update(shift + scale * s * torch.randn(n, d, generator=random, dtype=torch.float64))
    real.update(s * torch.randn(m, d, generator=random, dtype=torch.float64))
    result = fid.compare(real, fake)[0]
    return result.value, result.standard_error


def cover(found, truth):
    values, errors = np.array(found).T
    return float(np.mean(np.abs(values - truth) < 1.96 * errors))


@pytest.mark.slow
def test_the_interval_holds_the_truth_as_often_as_it_says():
    random = torch.Generator().manual_seed(0)
    d, shift, scale = 4, 0.5, 1.5
    found = [experiment(1500, 1000, d, random=random, shift=shift, scale=scale) for _ in range(EXPERIMENTS)]
    assert 0.90 <= cover(found, d * (shift**2 + (scale - 1) ** 2)) <= 0.99  # The bias is a tenth of the error here.


@pytest.mark.slow
def test_the_interval_without_the_references_pictures_is_of_the_generated_ones():
    random = torch.Generator().manual_seed(1)
    d, found = 3, []
    reference = fid.Accumulator.of_moments(torch.zeros(d), torch.eye(d), n=None, rows_of="")
    for _ in range(EXPERIMENTS):
        fake = fid.Accumulator()
        fake.update(0.4 + 1.3 * torch.randn(1500, d, generator=random, dtype=torch.float64))
        result = fid.compare(reference, fake)[0]
        found.append((result.value, result.standard_error))
    assert 0.90 <= cover(found, d * (0.4**2 + 0.3**2)) <= 0.99


@pytest.mark.slow
@pytest.mark.parametrize(
    ("n", "m", "d", "how"),
    [
        (100, 80, 40, {"shift": 0.2, "scale": 1.2}),
        (40, 40, 60, {"shift": 0.2, "scale": 1.2, "spectrum": 1.0}),
        (40, 300, 60, {"shift": 0.2, "scale": 1.2}),
        (300, 300, 8, {}),
    ],
)
def test_with_few_pictures_the_error_is_of_the_value_at_this_number_and_not_too_small(n, m, d, how):
    """Below d and near it the value is mostly bias; its error bar must still cover its mean, and stay of its size."""
    random = torch.Generator().manual_seed(2)
    found = [experiment(n, m, d, random=random, **how) for _ in range(80)]
    values, errors = np.array(found).T
    assert cover(found, values.mean()) >= 0.88  # Two deviations of a share of 80 below 0.95.
    assert 0.85 <= errors.mean() / values.std() <= 1.8


def test_fd_dinov2_is_the_same_distance_of_other_features():
    random = torch.Generator().manual_seed(0)
    x, y = (torch.randn(30, 5, generator=random) for _ in range(2))
    found = []
    for module in (fid, fd_dinov2):
        real, fake = module.Accumulator(), module.Accumulator()
        real.update(x)
        fake.update(y)
        found.append(module.compare(real, fake)[0])
    assert found[0].value == found[1].value
    assert [result.metric for result in found] == ["fid", "fd_dinov2"]


def test_each_says_which_network_it_is_of():
    networks = {
        name: (metric_catalogue.load(name).NETWORK, metric_catalogue.load(name).SEES)
        for name in ("fid", "sfid", "fd_dinov2")
    }
    assert networks == {
        "fid": ("inception", "features"),
        "sfid": ("inception", "spatial"),
        "fd_dinov2": ("dinov2", "features"),
    }
    assert metric_catalogue.load("fd_dinov2").FIXED
