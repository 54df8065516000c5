"""Bits per dimension of packed pictures: the mean over pictures whatever the batch, and what its protocol says."""

import math
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from ganvas.core.errors import UserError
from ganvas.data.packing import prepare
from ganvas.losses.capabilities import HasDensity
from ganvas.metrics.likelihood import density


class BrightnessOnly:
    """A toy whose bits per dimension are 8 plus the mean colour in [-1, 1]."""

    density = "exact"

    def log_prob(self, images, rng):
        d = images[0].numel()
        return -math.log(2) * d * (8 + images.double().mean((1, 2, 3)))


@pytest.fixture
def packed(tmp_path):
    pictures = np.random.default_rng(0).integers(0, 256, (91, 5, 6, 3), dtype=np.uint8)  # Enough for a Gaussian.
    np.savez(tmp_path / "some.npz", images=pictures)
    return prepare(str(tmp_path / "some.npz"), size=(5, 6), quiet=True)


@pytest.mark.parametrize("batch", [1, 4, 64])
def test_every_picture_counts_once_whatever_the_batch(packed, batch):
    assert isinstance(BrightnessOnly(), HasDensity)
    rows, ticks = np.array([3, 0, 10, 7, 5]), []
    device = torch.device("cpu")
    bits = density.picture_bits(BrightnessOnly(), packed, rows, device=device, seed=0, batch=batch, tick=ticks.append)
    expected = 7 + packed.read(rows).reshape(5, -1).mean(1) / 127.5
    assert bits.tolist() == pytest.approx(expected.tolist(), abs=1e-6)
    assert ticks[-1] == 5
    (result,) = density.results(bits, "way", seed=0)
    assert result.value == pytest.approx(expected.mean(), abs=1e-6)
    assert result.standard_error == pytest.approx(expected.std(ddof=1) / math.sqrt(5), rel=1e-5)
    assert (result.n, result.better) == (5, "lower")


def test_yardsticks_are_parts_of_the_same_result_and_are_not_better_nor_worse(packed):
    found = density.yardstick_results(packed, packed, np.arange(11), "way", seed=0)
    assert [one.metric for one in found] == [
        f"bits_per_dimension.{name}" for name in ("gaussian", "histogram", "png", "webp")
    ]
    assert {(one.n, one.better, one.protocol) for one in found} == {(11, "neither", "way")}


def test_a_gaussian_that_is_left_out_says_how_many_pictures_would_do(packed):
    assert density.about_gaussian(packed) == density.about_gaussian(None) == ""
    assert "90 numbers cannot be found from 90 training pictures. 91 would do" in density.about_gaussian(
        packed, most=90
    )


@pytest.mark.parametrize(("suffix", "jpeg"), [("jpg", True), ("JPEG", True), ("png", False)])
def test_pictures_that_were_jpeg_are_told_by_their_names(tmp_path: Path, suffix, jpeg):
    folder = tmp_path / "files"
    folder.mkdir()
    for number in range(2):
        Image.new("RGB", (8, 8), (40 * number, 90, 10)).save(folder / f"{number}.{suffix}")
    packed = prepare(str(folder), size=(8, 8), quiet=True)
    assert density.were_jpeg(packed) == jpeg
    assert density.protocol_of(BrightnessOnly(), packed, n=2).endswith(":jpeg") == jpeg


class Reduced(BrightnessOnly):
    """A toy that sees 32 colours."""

    levels = 32


def test_beside_a_model_of_fewer_colours_stand_codes_of_the_same_reduced_pictures(packed):
    assert density.levels_of(Reduced()) == 32
    assert ":bin1of32:" in density.protocol_of(Reduced(), packed, n=11)
    rows = np.arange(11)
    whole, reduced = (
        {one.metric: one.value for one in density.yardstick_results(packed, packed, rows, "way", seed=0, levels=levels)}
        for levels in (256, 32)
    )
    # Uniform colours: of 5 bits they need 5 and not 8, and a hundred pictures tell a histogram little more.
    assert 4 < reduced["bits_per_dimension.histogram"] < 5.1
    assert 7 < whole["bits_per_dimension.histogram"] < 8.1
    for name in ("gaussian", "png", "webp"):
        assert reduced[f"bits_per_dimension.{name}"] < whole[f"bits_per_dimension.{name}"]


class Strays:
    """A toy whose way back is off by a given number."""

    def __init__(self, off):
        self.off = off

    def inverse_error(self, images):
        return torch.full((len(images),), self.off)


def test_an_inverse_that_strays_is_said_and_one_that_is_lost_is_refused(packed):
    def said(model):
        return density.about_inverse(model, packed, np.arange(3), device=torch.device("cpu"))

    assert said(BrightnessOnly()) == ""
    assert said(Strays(1e-5)) == ""
    assert "changed by up to 3 whole colours" in said(Strays(3 / 127.5))
    for lost in (0.7, math.nan):
        with pytest.raises(UserError, match="has lost its inverse"):
            said(Strays(lost))
