"""Bits per dimension: what a uniform model has, and that a mixture of logistics keeps below or above it."""

import math

import pytest
import torch

from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.losses.bits import bits_per_dimension, density_protocol, dequantised, of_whole_colours


@pytest.mark.parametrize("dimensions", [1, 768, 3072])
def test_a_uniform_distribution_over_256_colours_has_8_bits(dimensions):
    log_prob = torch.full((3,), -dimensions * math.log(256), dtype=torch.float64)
    assert bits_per_dimension(log_prob, dimensions).tolist() == pytest.approx([8.0] * 3, abs=1e-12)


def test_a_coin_per_dimension_costs_one_bit_and_certainty_none():
    log_prob = torch.tensor([10 * math.log(0.5), 0.0], dtype=torch.float64)
    assert bits_per_dimension(log_prob, 10).tolist() == pytest.approx([1.0, 0.0])


def test_the_protocol_says_of_which_pictures_and_what_kind_of_number():
    said = density_protocol("lower bound", n=7, pictures="sha256:ab", dimensions=48)
    assert said == "bits_per_dimension:n7:d48:bin1of256:lower-bound:held-out=sha256:ab"
    detailed = density_protocol("lower bound", n=7, pictures="sha256:ab", dimensions=48, details="importance8")
    assert detailed == "bits_per_dimension:n7:d48:bin1of256:lower-bound:importance8:held-out=sha256:ab"


def test_noise_within_the_bins_of_colours_fills_them_and_no_more():
    colours = torch.arange(256, dtype=torch.uint8).repeat(40).view(1, 1, 80, 128)
    noisy = (dequantised(to_float(colours), stream(0, "u")).double() + 1) * 127.5
    within = noisy - colours.double()
    assert float(within.min()) == pytest.approx(-0.5, abs=0.01)
    assert float(within.max()) == pytest.approx(0.5, abs=0.01)
    assert float(within.var()) == pytest.approx(1 / 12, rel=0.03)


def test_a_uniform_density_of_colours_has_8_bits_too():
    # Over [-1 - 1 / 255, 1 + 1 / 255], where the bins of 256 colours lie, the density is 127.5 / 256.
    log_density = torch.full((2,), 48 * math.log(127.5 / 256), dtype=torch.float64)
    assert bits_per_dimension(of_whole_colours(log_density, 48), 48).tolist() == pytest.approx([8.0, 8.0])
