import numpy as np
import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import psnr as module
from ganvas.metrics.psnr import Accumulator, psnr, squared_error


def noise(n, *, size=(12, 10), seed=0):
    return torch.randint(60, 160, (n, 3, *size), generator=torch.Generator().manual_seed(seed)).byte()


def filled(pictures, *, index=None):
    side = Accumulator()
    side.update(pictures, index)
    return side


def measured(real, fake):
    return {one.metric: one for one in module.compare(filled(real), filled(fake))}


@pytest.mark.parametrize("levels", [1, 7, 95])
def test_pictures_that_are_some_levels_brighter_have_the_known_ratio(levels):
    x = noise(5)
    found = measured(x, x + levels)
    for name in ("psnr", "psnr.of_mean_error"):
        assert found[name].value == pytest.approx(20 * np.log10(255 / levels), rel=1e-13)
        assert found[name].standard_error == pytest.approx(0, abs=1e-12)
    assert found["psnr.identical"].value == 0


def test_each_ratio_is_scikit_images():
    from skimage.metrics import peak_signal_noise_ratio

    x, y = noise(6), noise(6, seed=1)
    expected = [peak_signal_noise_ratio(a.numpy(), b.numpy(), data_range=255) for a, b in zip(x, y, strict=True)]
    assert psnr(squared_error(x, y)).numpy() == pytest.approx(expected, rel=1e-13)
    found = measured(x, y)["psnr"]
    assert found.value == pytest.approx(np.mean(expected), rel=1e-13)
    assert found.standard_error == pytest.approx(np.std(expected, ddof=1) / 6**0.5, rel=1e-9)


def test_the_ratio_of_the_mean_error_is_that_of_torchmetrics():
    metrics = pytest.importorskip("torchmetrics.image", reason="needs torchmetrics: pip install 'ganvas[metrics]'")
    x, y = noise(6), torch.cat([noise(3, seed=1), noise(3) + 2])
    peer = metrics.PeakSignalNoiseRatio(data_range=255.0)
    peer.update(y.double(), x.double())
    # Its sum is a float32.
    assert measured(x, y)["psnr.of_mean_error"].value == pytest.approx(float(peer.compute()), rel=1e-6)


def test_pictures_without_error_count_as_one_value_off_by_one_level():
    x = noise(4)
    y = torch.cat([x[:2], x[2:] + 1])
    finest, one = 10 * np.log10(255**2 * 3 * 12 * 10), 20 * np.log10(255)
    found = measured(x, y)
    assert found["psnr"].value == pytest.approx((2 * finest + 2 * one) / 4, rel=1e-13)
    assert found["psnr.of_mean_error"].value == pytest.approx(one - 10 * np.log10(0.5), rel=1e-13)
    assert found["psnr.identical"].value == 0.5
    by_one = x.clone()
    by_one[:, 0, 0, 0] += 1  # The least that can be wrong is the value of nothing wrong.
    for other in (x, by_one):
        assert measured(x, other)["psnr"].value == pytest.approx(finest, rel=1e-13)
    assert measured(x, x)["psnr.of_mean_error"].value == pytest.approx(finest + 10 * np.log10(4), rel=1e-13)


def test_the_ratio_of_the_mean_error_is_not_above_the_mean_ratio():
    found = measured(noise(8), torch.cat([noise(4) + 1, noise(4, seed=1)]))
    assert found["psnr.of_mean_error"].value < found["psnr"].value


@pytest.mark.slow
def test_the_error_of_the_ratio_of_the_mean_covers_it():
    """Nominal 95 %: 90-99 % of 200 experiments. The errors of pictures are known: squares of 1 ... 9 levels."""
    random = torch.Generator().manual_seed(0)
    truth = 10 * np.log10(255**2 / np.mean(np.arange(1, 10) ** 2.0))
    inside, base = 0, torch.full((80, 1, 2, 2), 100, dtype=torch.uint8)
    for _ in range(200):
        levels = torch.randint(1, 10, (80, 1, 1, 1), generator=random).byte()
        one = measured(base, base + levels)["psnr.of_mean_error"]
        inside += abs(one.value - truth) <= 1.96 * one.standard_error
    assert 180 <= inside <= 198


def test_pairs_go_by_place_not_by_arrival():
    x = noise(6)
    order = torch.tensor([3, 0, 5, 1, 4, 2])
    found = module.compare(filled(x), filled(x[order] + 1, index=order))
    assert found[0].value == pytest.approx(20 * np.log10(255), rel=1e-13)
    with pytest.raises(UserError, match="number 3 is at 2 of one and at 3 of the other"):
        module.compare(filled(x), filled(x, index=torch.tensor([0, 1, 7, 3, 4, 5])))
