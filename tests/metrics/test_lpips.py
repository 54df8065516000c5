"""LPIPS as a metric: pairs reach the network when two sets are compared, and its name stands in the protocol."""

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics.measuring.flow import measure
from ganvas.metrics.torchmetrics.adapter import torchmetric


class Brightness:
    """The difference of the mean level of two pictures."""

    identity, taps = "brightness", {}

    def extract(self, pictures, taps):
        raise AssertionError("pairs are compared, and rows are not asked for")

    def distances(self, x, y):
        return (x.double().mean((1, 2, 3)) - y.double().mean((1, 2, 3))).abs()


X = torch.full((4, 3, 16, 16), 100, dtype=torch.uint8)
Y = X + torch.tensor([0, 2, 4, 6], dtype=torch.uint8)[:, None, None, None]


def test_it_is_the_mean_over_pairs_with_its_error_and_the_networks_name():
    (found,) = measure([X], [Y], metrics=["lpips"], n=4, networks={"lpips": Brightness()}).results
    assert found.value == 3
    assert found.standard_error == pytest.approx((20 / 3) ** 0.5 / 2)  # Of 0, 2, 4, 6.
    assert found.protocol.startswith("lpips:n4:16x16x3:uint8:brightness:ref=")
    assert found.better == "lower"


def test_as_a_torchmetric_it_is_the_same_and_without_a_network_it_is_refused():
    pytest.importorskip("torchmetrics", reason="pip install torchmetrics")
    metric = torchmetric("lpips", network=Brightness())
    for start in (0, 2):
        metric.update(X[start : start + 2], real=True)
        metric.update(Y[start : start + 2], real=False)
    assert metric.compute() == 3
    with pytest.raises(UserError, match="looks through a network"):
        measure([X], [Y], metrics=["lpips"], n=4)
