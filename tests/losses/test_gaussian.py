"""Normal distributions in losses against torch's own."""

import math

import pytest
import torch
from torch.distributions import Normal, kl_divergence
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.likelihoods.gaussian import divergence_from_standard_normal, gaussian_log_density, normal_log_ratio

pytestmark = pytest.mark.usefixtures("float64")


def test_the_divergence_is_that_of_two_normal_distributions():
    mean, log_variance = (torch.randn(5, 4, generator=stream(at, "x")) for at in range(2))
    peer = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros(()), torch.ones(()))).sum(1)
    assert_close(divergence_from_standard_normal(mean, log_variance), peer, rtol=1e-12, atol=1e-12)
    assert_close(divergence_from_standard_normal(torch.zeros(2, 4), torch.zeros(2, 4)), torch.zeros(2))


def test_the_log_density_is_that_of_a_normal_distribution_summed_over_all_values():
    x, mean = (torch.randn(3, 2, 4, 5, generator=stream(at, "x")) for at in range(2))
    peer = Normal(mean, math.exp(0.5 * -1.3)).log_prob(x).sum((1, 2, 3))
    assert_close(gaussian_log_density(x, mean, torch.tensor(-1.3)), peer, rtol=1e-12, atol=1e-12)


def test_the_log_ratio_is_that_of_the_prior_to_the_posterior_at_the_latent():
    z, mean, log_variance = (torch.randn(5, 4, generator=stream(at, "x")) for at in range(3))
    prior, posterior = Normal(0.0, 1.0), Normal(mean, (0.5 * log_variance).exp())
    peer = (prior.log_prob(z) - posterior.log_prob(z)).sum(1)
    assert_close(normal_log_ratio(z, mean, log_variance), peer, rtol=1e-12, atol=1e-12)
