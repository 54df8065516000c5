"""The variational bound against likelihoods that are known: with the best denoiser there is, it is exact."""

import math

import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.losses.diffusion.variational_bound import colours_told, prior_gap, variational_bound

pytestmark = pytest.mark.usefixtures("float64")
LEVELS = {"sigma_min": 0.002, "sigma_max": 80.0, "prior_std": 80.0}


def mean_and_error(values):
    return float(values.mean()), float(values.std() / math.sqrt(len(values)))


@pytest.mark.parametrize("x", [-0.2, 0.9])
def test_of_a_normal_law_with_its_best_denoiser_the_bound_is_the_density_at_every_point(x):
    middle, deviation = 0.3, 0.5

    def best(noisy, sigma):
        share = (deviation**2 / (deviation**2 + sigma**2)).view(-1, 1)
        return share * noisy + (1 - share) * middle

    points = torch.full((40_000, 1), x)
    found = variational_bound(best, points, stream(0, "bound"), draws=16, whole_colours=False, **LEVELS)
    exact = -0.5 * ((x - middle) / deviation) ** 2 - math.log(deviation * math.sqrt(2 * math.pi))
    value, error = mean_and_error(found)
    # What is left is the prior, which is wider than the noisy law by its variance: less than 1e-4 nats.
    assert value == pytest.approx(exact, abs=4 * error + 1e-4)
    assert error < 0.02


def test_of_two_colours_with_their_best_denoiser_the_bound_is_the_logarithm_of_their_shares():
    shares, colours = torch.tensor([0.3, 0.7]), torch.tensor([-1.0, 1.0])

    def best(noisy, sigma):
        square = (noisy.unsqueeze(-1) - colours).square() / sigma.view(-1, 1, 1, 1, 1).square()
        return ((shares.log() - square / 2).softmax(-1) * colours).sum(-1)

    for share, colour in zip(shares, colours, strict=True):
        pictures = colour.expand(4000, 1, 1, 1)
        found = variational_bound(best, pictures, stream(0, "bound"), draws=16, whole_colours=True, **LEVELS)
        value, error = mean_and_error(found)
        # Noise of 0.002 is half of the way to the next colour: 0.12 nats are lost to colours that the law has not.
        told = float(colours_told(pictures, torch.randn(4000, 1, 1, 1), 0.002).mean())
        assert value - told == pytest.approx(math.log(share), abs=4 * error + 2e-4)


def test_a_worse_denoiser_has_a_lower_bound():
    def nothing(noisy, sigma):
        return torch.zeros_like(noisy)

    def half(noisy, sigma):
        return noisy / (1 + sigma.view(-1, 1).square())

    points = torch.randn(512, 1, generator=stream(1, "points"))
    how = {"draws": 16, "whole_colours": False, **LEVELS}
    low = variational_bound(nothing, points, stream(0, "bound"), **how)
    assert low.mean() < variational_bound(half, points, stream(0, "bound"), **how).mean() - 100


def test_the_gap_to_the_prior_is_the_divergence_of_two_normal_laws():
    x = torch.tensor([[0.5, -1.0]])
    wide, narrow = torch.distributions.Normal(torch.zeros(2), 3.0), torch.distributions.Normal(x, 2.0)
    exact = torch.distributions.kl_divergence(narrow, wide).sum()
    assert float(prior_gap(x, 2.0, 3.0)) == pytest.approx(float(exact))


def test_without_noise_a_colour_is_told_and_black_has_neighbours_on_one_side_alone():
    black, grey = -torch.ones(1, 1, 1, 1), torch.full((1, 1, 1, 1), 2 * 128 / 255 - 1)
    still = torch.zeros(1, 1, 1, 1)
    assert float(colours_told(grey, still, 1e-4)) == pytest.approx(0)
    sigma = 2 / 255  # One deviation between colours.
    one_side = sum(math.exp(-(k**2) / 2) for k in range(1, 9))
    assert float(colours_told(black, still, sigma)) == pytest.approx(-math.log(1 + one_side))
    assert float(colours_told(grey, still, sigma)) == pytest.approx(-math.log(1 + 2 * one_side))
