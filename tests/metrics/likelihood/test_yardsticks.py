"""Yardsticks of bits per dimension against closed forms and plain sums."""

import io
import math

import numpy as np
import pytest
import torch
from PIL import Image
from torch.testing import assert_close

from ganvas.metrics.likelihood import yardsticks


def pictures(n, *, channels=1, seed=0, height=2, width=1):
    """Neighbours that resemble each other, away from black and white."""
    random = np.random.default_rng(seed)
    base = random.normal(128, 25, (n, 1, 1, 1))
    return (base + random.normal(0, 8, (n, height, width, channels))).round().clip(0, 255).astype(np.uint8)


def test_the_probabilities_of_all_pictures_under_the_gaussian_add_up_to_1():
    one = np.arange(256, dtype=np.uint8)
    every = np.stack(np.meshgrid(one, one, indexing="ij"), -1).reshape(-1, 2, 1, 1)
    bits = yardsticks.gaussian_bits(pictures(100), every)
    assert_close((2 ** (-2 * bits)).sum(), torch.tensor(1.0, dtype=torch.float64), rtol=0, atol=1e-10)


def test_the_gaussian_of_wide_colours_has_the_bits_of_its_differential_entropy():
    # Far wider than a colour, the rounded normal distribution's entropy is that of the normal one: ln sqrt(2 pi e) s.
    wide = np.random.default_rng(0).normal(128, 20, (20_000, 1, 1, 1)).round().clip(0, 255).astype(np.uint8)
    expected = math.log2(math.sqrt(2 * math.pi * math.e) * 20)
    found = yardsticks.gaussian_bits(wide[:10_000], wide[10_000:])
    assert abs(float(found.mean()) - expected) < 4 * float(found.std()) / math.sqrt(len(found))


def test_the_gaussian_of_two_colours_saves_what_the_correlation_is_worth():
    found = yardsticks.gaussian_bits(pictures(20_000), pictures(20_000, seed=1))
    each = math.log2(math.sqrt(2 * math.pi * math.e) * math.hypot(25, 8))
    saved = 0.5 * math.log2(1 - (625 / 689) ** 2) / 2  # Half per colour; 625 / 689 is the correlation.
    assert float(found.mean()) == pytest.approx(each + saved, abs=0.02)


def test_the_gaussian_is_finite_for_constant_pictures_and_for_colours_far_away():
    grey = np.full((5, 2, 2, 3), 100, dtype=np.uint8)
    far = np.full((1, 2, 2, 3), 180, dtype=np.uint8)
    assert yardsticks.gaussian_bits(grey, far).isfinite().all()
    # Rounding's deviation is sqrt(1 / 12): half a colour is sqrt(3) deviations, and 12 of 12 colours cost this.
    certain = -math.log2(math.erf(math.sqrt(3) / math.sqrt(2)))
    assert float(yardsticks.gaussian_bits(grey, grey).mean()) == pytest.approx(certain, rel=1e-9)


def test_a_histogram_counts_each_place_of_the_training_pictures_apart():
    train = np.array([[[[7], [9]]], [[[7], [7]]], [[[7], [9]]]], dtype=np.uint8)  # Three pictures of 1 x 2.
    held = np.array([[[[7], [9]]], [[[8], [7]]]], dtype=np.uint8)
    first = -(math.log2(4 / 259) + math.log2(3 / 259)) / 2
    second = -(math.log2(1 / 259) + math.log2(2 / 259)) / 2
    assert yardsticks.histogram_bits(train, held).tolist() == pytest.approx([first, second])


@pytest.mark.parametrize("kind", ["png", "webp"])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_the_bits_of_a_file_are_eight_times_its_bytes_and_it_gives_the_picture_back(kind, channels):
    held = pictures(2, channels=channels, height=8, width=12)
    bits = yardsticks.file_bits(held, kind)
    for picture, found in zip(held, bits.tolist(), strict=True):
        file = io.BytesIO()
        image = Image.fromarray(picture[..., 0] if channels == 1 else picture)
        image.save(file, format=kind, **yardsticks.FILES[kind])
        assert found == pytest.approx(8 * len(file.getvalue()) / picture.size)
        back = np.asarray(Image.open(file).convert(image.mode)).reshape(picture.shape)
        assert np.array_equal(back, picture)


def test_all_yardsticks_are_of_the_same_pictures_and_a_huge_covariance_is_left_out(monkeypatch):
    train, held = pictures(30, channels=3), pictures(4, channels=3, seed=1)
    found = yardsticks.yardsticks(train, held)
    assert [(one.name, one.fitted_on) for one in found] == [
        ("gaussian", 30),
        ("histogram", 30),
        ("png", 0),
        ("webp", 0),
    ]
    assert {one.bits.shape for one in found} == {(4,)}
    monkeypatch.setattr(yardsticks, "MOST_DIMENSIONS", 5)
    assert [one.name for one in yardsticks.yardsticks(train, held)] == ["histogram", "png", "webp"]


def test_a_gaussian_of_fewer_pictures_than_numbers_is_left_out():
    """Of 6 numbers: a covariance of 7 pictures has full rank, and of 6 it has not."""
    held = pictures(4, channels=3, seed=1)
    for count in (6, 7):
        train = pictures(count, channels=3)
        covariance = np.cov(train.reshape(count, 6).astype(float), rowvar=False)
        names = {one.name for one in yardsticks.yardsticks(train, held)}
        assert ("gaussian" in names) == (np.linalg.matrix_rank(covariance) == 6) == (count == 7)
