"""Bits per dimension: what a uniform model has, and that a mixture of logistics keeps below or above it."""

import math

import pytest
import torch

from ganvas.losses.bits import bits_per_dimension, density_protocol


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
