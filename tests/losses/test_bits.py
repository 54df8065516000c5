"""Bits per dimension: what a uniform model has, and that a mixture of logistics keeps below or above it."""

import math

import pytest
import torch

from ganvas.core.pixels import to_float
from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.bits import (
    UniformNoise,
    bits_per_dimension,
    bound_of_whole_colours,
    density_protocol,
    dequantised,
    of_whole_colours,
    spread,
)


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


# --- Fewer colours, other noise, more draws ---


@pytest.mark.parametrize("levels", [256, 32, 2])
def test_a_uniform_density_has_as_many_bits_as_its_colours_need(levels):
    log_density = torch.full((2,), 48 * math.log(127.5 / 256), dtype=torch.float64)
    bits = bits_per_dimension(of_whole_colours(log_density, 48, levels=levels), 48)
    assert bits.tolist() == pytest.approx([math.log2(levels)] * 2)


@pytest.mark.parametrize("levels", [256, 32, 2])
def test_colours_are_spread_over_the_bin_of_their_level_and_all_bins_fill_the_range(levels):
    colours = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16)
    for share in (0.0, 0.25, 1.0):
        found = spread(to_float(colours).double(), torch.full((1, 1, 16, 16), share), levels=levels)
        unit = ((found + 1) * 127.5 + 0.5) / 256
        wanted = (torch.arange(256) * levels // 256 + share) / levels
        assert torch.allclose(unit.flatten(), wanted.double(), atol=1e-6)


def coin(images):
    """A density of one number in [-1, 1] that is linear: ``(1 + x) / 2``, of which a bin's probability is known."""
    return torch.log((1 + images.flatten(1)) / 2).sum(1)


def exactly(colours):
    """``ln`` of that density's integral over a colour's bin."""
    low, high = 2 * (colours - 0.5) / 255, 2 * (colours + 0.5) / 255  # Of 1 + x.
    return torch.log((high**2 - low**2) / 4)


def test_more_draws_of_noise_tighten_the_bound_up_to_the_probability_itself():
    colours = torch.tensor([1, 2, 5], dtype=torch.uint8).repeat(20_000)
    images = to_float(colours.view(-1, 1, 1, 1)).double()
    bounds = {
        samples: bound_of_whole_colours(coin, images, stream(0, "u"), noise=UniformNoise(), samples=samples).mean()
        for samples in (1, 4, 64)
    }
    exact = exactly(colours.double()).mean()
    # Jensen's gap of one draw: 1 + ln of 1/2 to 3/2 for colour 1 is .045, .011 for colour 2, .002 for colour 5.
    assert bounds[1] < bounds[4] < bounds[64]
    assert float(bounds[1] - exact) == pytest.approx(-(0.0452 + 0.0106 + 0.0017) / 3, abs=0.003)
    assert float(bounds[64] - exact) == pytest.approx(0, abs=0.002)


class Proportional:
    """Noise within a bin whose density is the model's own share of it."""

    name = "own"

    def draw(self, images, rng):
        colour = ((images + 1) * 127.5).round()
        low, high = colour - 0.5, colour + 0.5
        place = torch.sqrt(low**2 + torch.rand(images.shape, generator=rng).double() * (high**2 - low**2))
        return place - low, torch.log(2 * place / (high**2 - low**2)).flatten(1).sum(1)


def test_noise_of_the_models_own_shape_makes_the_bound_exact_with_a_single_draw():
    colours = torch.tensor([1, 2, 5, 200], dtype=torch.uint8)
    images = to_float(colours.view(-1, 1, 1, 1)).double()
    found = bound_of_whole_colours(coin, images, stream(0, "u"), noise=Proportional())
    assert found.tolist() == pytest.approx(exactly(colours.double()).tolist(), abs=1e-6)


def test_the_protocol_of_fewer_colours_says_how_many():
    said = density_protocol(
        "exact density", n=7, pictures="p", dimensions=48, details="dequantised-uniform1", levels=32
    )
    assert said == "bits_per_dimension:n7:d48:bin1of32:exact-density:dequantised-uniform1:held-out=p"
