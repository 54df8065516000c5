import numpy as np
import pytest
import torch

from ganvas.metrics import ssim as module
from ganvas.metrics.maths.pairs import ssim_map
from ganvas.metrics.ssim import Accumulator


def noise(n, *, size=(24, 20), seed=0, channels=3):
    return torch.randint(0, 256, (n, channels, *size), generator=torch.Generator().manual_seed(seed)).byte()


def measured(real, fake, *, batch=100):
    sides = []
    for pictures in (real, fake):
        sides.append(Accumulator())
        for part in pictures.split(batch):
            sides[-1].update(part)
    return module.compare(*sides)[0]


def test_each_similarity_is_scikit_images_in_float64():
    from skimage.metrics import structural_similarity

    x = noise(5)
    y = (0.5 * x.double() + 0.5 * noise(5, seed=1)).byte()
    how = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    # Its mean is over what the window fits into: it pads, and leaves the border out again.
    expected = [
        structural_similarity(a.double().numpy(), b.double().numpy(), channel_axis=0, **how)
        for a, b in zip(x, y, strict=True)
    ]
    assert ssim_map.ssim(x.double(), y.double()).numpy() == pytest.approx(expected, rel=1e-12)
    found = measured(x, y)
    assert found.value == pytest.approx(np.mean(expected), rel=1e-12)
    assert found.standard_error == pytest.approx(np.std(expected, ddof=1) / 5**0.5, rel=1e-9)


@pytest.mark.parametrize(("a", "b"), [(60, 180), (0, 255), (0, 0), (200, 200)])
def test_constant_pictures_have_the_brightness_part_alone(a, b):
    c1 = (0.01 * 255) ** 2
    x, y = (torch.full((3, 1, 16, 16), grey, dtype=torch.uint8) for grey in (a, b))
    assert measured(x, y).value == pytest.approx((2 * a * b + c1) / (a**2 + b**2 + c1), rel=1e-11)


def test_a_set_is_itself_and_not_its_negative():
    x = noise(4)
    assert measured(x, x).value == 1.0
    assert measured(x, 255 - x).value < -0.5


def test_the_picture_of_one_place_is_the_partner():
    x = noise(8)
    assert measured(x, x.roll(1, 0)).value < 0.1
    assert measured(x, x, batch=3).value == 1.0


def test_chunks_are_put_together_in_order(monkeypatch):
    from ganvas.metrics.maths.pairs import paired

    x, y = noise(7), torch.cat([noise(3), noise(4, seed=1)])
    whole = measured(x, y)
    monkeypatch.setattr(paired, "CHUNK_PIXELS", 2 * 3 * 24 * 20)
    assert measured(x, y).value == pytest.approx(whole.value, rel=1e-12)


def test_fewer_pixels_than_the_window_are_measured():
    assert measured(noise(3, size=(5, 4)), noise(3, size=(5, 4))).value == 1.0
