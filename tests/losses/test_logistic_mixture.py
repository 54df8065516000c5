"""The discretised mixture of logistics: it adds up to 1, is the plain formula, and is drawn from as it says."""

import math

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.logistic_mixture import (
    LEAST_LOG_SCALE,
    LogisticMixture,
    mixture_of,
    numbers_of,
    whole_colours,
)

pytestmark = pytest.mark.usefixtures("float64")
COLOURS = 256


def a_mixture(channels, *, components=3, spread=1.0, seed=0):
    """One pixel's mixture, with components near black, in the middle and near white."""
    numbers = torch.randn(1, numbers_of(components, channels), 1, 1, generator=stream(seed, "numbers"))
    return mixture_of(numbers * spread, components=components, channels=channels)


def repeated(mixture, n):
    """The same mixture for ``n`` pixels."""
    parts = mixture.logits, mixture.means, mixture.log_scales, mixture.couplings
    return LogisticMixture(*(part.expand(n, *part.shape[1:]) for part in parts))


def probabilities(mixture, colours):
    """Of many colours of one pixel."""
    return repeated(mixture, len(colours)).log_prob(colours).flatten().exp()


def all_colours(channels):
    """Every colour of one pixel, (256^channels, channels, 1, 1) in [-1, 1]."""
    one = torch.arange(COLOURS) / 127.5 - 1
    return torch.cartesian_prod(*[one] * channels).reshape(-1, channels, 1, 1)


def plainly(mixture, colours):
    """Equations 1 to 3 of the paper as they stand, in numpy: differences of distribution functions."""
    pick = {"logits": mixture.logits, "means": mixture.means, "scales": mixture.log_scales, "by": mixture.couplings}
    logits, means, scales, by = (np.asarray(pick[name][0, ..., 0, 0]) for name in pick)
    shares = np.exp(logits) / np.exp(logits).sum()
    x = np.asarray(colours[:, :, 0, 0])
    total = np.zeros(len(x))
    for k, share in enumerate(shares):
        product = np.full(len(x), share)
        pair = 0
        for c in range(x.shape[1]):
            mean = np.full(len(x), means[k, c])
            for before in range(c):
                mean = mean + by[k, pair] * x[:, before]
                pair += 1
            above = 1 / (1 + np.exp(-(x[:, c] + 1 / 255 - mean) / np.exp(scales[k, c])))
            below = 1 / (1 + np.exp(-(x[:, c] - 1 / 255 - mean) / np.exp(scales[k, c])))
            above[x[:, c] > 0.999], below[x[:, c] < -0.999] = 1.0, 0.0
            product = product * (above - below)
        total += product
    return total


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("spread", [0.5, 3.0])
def test_the_probabilities_of_all_colours_of_a_pixel_add_up_to_1(channels, spread):
    mixture = a_mixture(channels, spread=spread)
    assert_close(probabilities(mixture, all_colours(channels)).sum(), torch.tensor(1.0), rtol=0, atol=1e-10)


@pytest.mark.parametrize("log_scale", [-7.0, -3.0, 0.0, 2.0])
def test_in_float32_they_add_up_to_1_from_the_narrowest_scale_to_a_wide_one(log_scale):
    one = torch.ones(1, 1, 1, 1, 1, dtype=torch.float32)
    mixture = LogisticMixture(one[:, :, 0], 0.1003 * one, log_scale * one, one[:, :, :0])
    total = probabilities(mixture, all_colours(1).float()).double().sum()
    assert abs(total - 1) < 256 * 2**-24, "256 roundings of one part in 2^24"


@pytest.mark.parametrize("channels", [1, 2])
def test_a_probability_is_a_sum_of_products_of_differences_of_distribution_functions(channels):
    mixture, colours = a_mixture(channels), all_colours(channels)[:: 1 if channels == 1 else 97]
    expected = torch.from_numpy(plainly(mixture, colours))
    assert_close(probabilities(mixture, colours), expected, rtol=1e-9, atol=1e-15)


def test_black_and_white_hold_the_whole_tails():
    one = torch.ones(1, 1, 1, 1, 1)
    mixture = LogisticMixture(one[:, :, 0], 5.0 * one, 0.0 * one, one[:, :, :0])  # Far beyond white.
    black, white = probabilities(mixture, torch.tensor([-1.0, 1.0]).view(2, 1, 1, 1)).tolist()
    assert white == pytest.approx(1 - 1 / (1 + math.exp(5 - 1 + 1 / 255)), rel=1e-12)
    assert black == pytest.approx(1 / (1 + math.exp(5 + 1 - 1 / 255)), rel=1e-12)


def test_the_middle_of_the_narrowest_component_far_from_the_colour_has_a_finite_probability_and_slope():
    one = torch.ones(1, 1, 1, 1, 1, dtype=torch.float32)
    means = (0.9 * one).requires_grad_()
    mixture = LogisticMixture(one[:, :, 0], means, LEAST_LOG_SCALE * one, one[:, :, :0])
    log_prob = mixture.log_prob(whole_colours(torch.full((1, 1, 1, 1), -0.5, dtype=torch.float32))).sum()
    log_prob.backward()
    # Far from the mean ln p falls by 1 / s for each unit of distance.
    assert log_prob.item() == pytest.approx(-1.4 * math.exp(7), rel=0.01)
    assert means.grad.item() == pytest.approx(-math.exp(7), rel=1e-4)


def test_later_channels_are_moved_by_earlier_ones_and_never_the_other_way():
    # Without blue, the probabilities of red and green are those of the mixture that has no blue.
    three = a_mixture(3)
    two = LogisticMixture(three.logits, three.means[:, :, :2], three.log_scales[:, :, :2], three.couplings[:, :, :1])
    for red, green in ((0, 255), (17, 40), (200, 130)):
        start = torch.tensor([red, green]) / 127.5 - 1
        colours = torch.cat([start.expand(COLOURS, 2), torch.arange(COLOURS)[:, None] / 127.5 - 1], 1)
        summed = probabilities(three, colours.view(-1, 3, 1, 1)).sum()
        assert_close(summed, two.log_prob(start.view(1, 2, 1, 1)).exp().sum(), rtol=1e-9, atol=0)
    moved = three.log_prob(torch.tensor([0.2, 0.2, 0.2]).view(1, 3, 1, 1))
    other = LogisticMixture(three.logits, three.means, three.log_scales, three.couplings * 0)
    assert not torch.equal(moved, other.log_prob(torch.tensor([0.2, 0.2, 0.2]).view(1, 3, 1, 1)))


def test_drawn_colours_follow_the_probabilities():
    mixture, n = a_mixture(1, spread=1.5), 40_000
    many = repeated(mixture, n)
    drawn = ((many.sample(stream(3, "draws")).flatten() + 1) * 127.5).round().long()
    expected = n * probabilities(mixture, all_colours(1))
    counted = torch.bincount(drawn, minlength=COLOURS).double()
    _like_chi_square(counted, expected)


def test_a_drawn_pair_of_channels_depends_as_the_couplings_say():
    mixture, n = a_mixture(2, components=2, spread=1.5, seed=4), 40_000
    many = repeated(mixture, n)
    drawn = ((many.sample(stream(5, "draws"))[..., 0, 0] + 1) * 127.5).round().long() // 32  # 8 x 8 fields.
    counted = torch.bincount(drawn[:, 0] * 8 + drawn[:, 1], minlength=64).double()
    expected = n * probabilities(mixture, all_colours(2)).view(8, 32, 8, 32).sum((1, 3)).flatten()
    _like_chi_square(counted, expected)


def test_drawn_colours_are_whole():
    drawn = a_mixture(3).sample(stream(0, "draws"))
    levels = (drawn + 1) * 127.5
    assert_close(levels, levels.round(), rtol=0, atol=1e-10)
    assert drawn.abs().max() <= 1


def test_the_narrowest_scale_is_that_of_the_authors():
    numbers = torch.full((1, numbers_of(2, 1), 1, 1), -50.0)
    assert mixture_of(numbers, components=2, channels=1).log_scales.unique().tolist() == [-7.0]


@pytest.mark.parametrize(("channels", "numbers"), [(1, 30), (3, 100), (4, 150)])
def test_ten_components_of_three_channels_take_a_hundred_numbers(channels, numbers):
    # 10 logits; per component a mean and a scale per channel, and one number per pair of channels.
    assert numbers_of(10, channels) == numbers


def _like_chi_square(counted, expected):
    """Within five deviations of the mean of the chi-square distribution; colours under 10 expected are one class."""
    rare = expected < 10
    counted = torch.cat([counted[~rare], counted[rare].sum()[None]])
    expected = torch.cat([expected[~rare], expected[rare].sum()[None] + 1e-9])
    kept = expected > 1
    distance, freedom = ((counted - expected).square() / expected)[kept].sum(), int(kept.sum()) - 1
    assert distance < freedom + 5 * math.sqrt(2 * freedom)
