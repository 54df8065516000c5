"""The density of a flow with noise around its pictures, against closed forms: the sum of two normal distributions."""

import math

import pytest
import torch

from ganvas.core.seeds import stream
from ganvas.metrics.likelihood.observation_models import from_colours
from ganvas.metrics.likelihood.smoothed_density import Smoothed, shortfall_results, smoothed_log_density, to_inside

CPU = torch.device("cpu")
UNIT = 127.5 / 256  # Of [-1, 1] in [0, 1].


def normal(spread):
    """A density of pictures in [-1, 1] that is N(0, spread^2) in each number."""
    return lambda images: torch.distributions.Normal(0.0, spread).log_prob(images.double()).flatten(1).sum(1)


@pytest.mark.parametrize("sigma", [0.01, 0.05])
def test_a_normal_density_with_normal_noise_is_normal_with_both_variances(sigma):
    x = 0.3 * torch.randn(5, 1, 2, 2, generator=stream(0, "x"), dtype=torch.float64)
    found = smoothed_log_density(normal(0.3), from_colours(x), sigma**2, seed=0, device=CPU, draws=4096)
    both = math.sqrt((0.3 * UNIT) ** 2 + sigma**2)
    wanted = torch.distributions.Normal(0.0, both).log_prob(x * UNIT).flatten(1).sum(1)
    # The logarithm of a mean of 4,096 weights that vary by a few per cent to a factor of two.
    assert found.values.tolist() == pytest.approx(wanted.tolist(), abs=0.06)
    assert (found.effective > 1000).all()
    assert (found.effective <= 4096.001).all()


def test_a_density_with_ends_gets_noise_that_stays_within_them_and_all_of_its_weight():
    low, high, sigma = -1.1, 1.1, 0.2

    def uniform(images):
        outside = ((images < low) | (images > high)).flatten(1).any(1)
        return torch.where(outside, -math.inf, -images[0].numel() * math.log(high - low))

    # Black pictures: nearly half of all noise goes beyond an end; of 64 numbers, plain draws would all but never stay.
    x = torch.full((2, 1, 8, 8), -1.0, dtype=torch.float64)
    found = smoothed_log_density(uniform, from_colours(x), sigma**2, seed=0, device=CPU, reach=(low, high), draws=64)
    width = (high - low) * UNIT
    within = torch.special.ndtr(torch.tensor([(high + 1) * UNIT, (low + 1) * UNIT], dtype=torch.float64) / sigma)
    wanted = 64 * (math.log(float(within[0] - within[1])) - math.log(width))
    assert found.values.tolist() == pytest.approx([wanted] * 2, abs=1e-5)  # Equal weights, of densities in float32.
    assert found.effective.tolist() == pytest.approx([64] * 2)


def test_a_picture_that_no_draw_makes_possible_has_a_density_of_0_and_no_draw_that_counts():
    found = smoothed_log_density(
        lambda images: torch.full((len(images),), -math.inf), torch.rand(1, 1, 2, 2), 0.01, seed=0, device=CPU
    )
    assert found.values.tolist() == [-math.inf]
    assert found.effective.tolist() == [0]


def test_noise_as_wide_as_the_density_leaves_few_draws_that_count():
    x = torch.zeros(2, 1, 4, 4)
    found = smoothed_log_density(normal(0.02), from_colours(x), 0.05**2, seed=0, device=CPU, draws=256)
    assert float(found.effective.max()) < 20


def test_colours_come_back_from_the_unit_range():
    x = torch.rand(2, 3, 2, 2, generator=stream(0, "x")) * 2 - 1
    torch.testing.assert_close(to_inside(from_colours(x)), x)


def test_what_an_estimate_is_short_of_is_found_picture_by_picture():
    exact = Smoothed(torch.tensor([10.0, 20.0, 33.0], dtype=torch.float64), torch.ones(3))
    estimated = torch.tensor([9.0, 18.0, 30.0], dtype=torch.float64)
    above, short = shortfall_results(estimated, exact, draws=256, protocol="p", seed=0, metric="ais")
    assert (above.metric, above.value) == ("ais.exact", 21.0)
    assert (short.metric, short.value) == ("ais.shortfall", 2.0)
    assert short.standard_error == pytest.approx(1 / math.sqrt(3))  # Of differences 1, 2 and 3.
    assert short.protocol == "p:smoothed-exact256"
