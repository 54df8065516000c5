"""The likelihood of fresh draws of a law: entropies and divergences of normal laws in closed form."""

import math

import numpy as np
import pytest
import torch

from ganvas.data.points.mixtures import _gaussians, law_of
from ganvas.metrics.points.exact_likelihood import likelihood_results, names_of_likelihood

CPU = torch.device("cpu")
LAW = _gaussians("One Gaussian in a plane", np.array([[1.0, -2.0]]), 0.5)


def normal(mean, spread):
    law = torch.distributions.Normal(torch.tensor(mean), spread)
    return lambda points: law.log_prob(points).sum(1)


def values(log_density, law=LAW, n=20_000):
    return {one.metric: one for one in likelihood_results(log_density, law, name="law", n=n, seed=0, device=CPU)}


def test_the_law_itself_has_its_entropy_and_no_divergence():
    found = values(normal([1.0, -2.0], 0.5))
    entropy = math.log(2 * math.pi * math.e * 0.25)
    assert found["nats"].value == pytest.approx(entropy, abs=4 * found["nats"].standard_error)
    assert found["nats"].standard_error == pytest.approx(1 / math.sqrt(20_000), rel=0.05)  # The variance of |z|^2 / 2.
    assert found["kl"].value == pytest.approx(0, abs=1e-6)


def test_another_normal_law_diverges_as_the_closed_form_says():
    found = values(normal([1.3, -2.0], 1.0))
    wanted = 2 * (math.log(1.0 / 0.5) + 0.25 / 2 - 0.5) + 0.3**2 / 2
    assert found["kl"].value == pytest.approx(wanted, abs=4 * found["kl"].standard_error)


def test_draws_are_fresh_and_a_law_without_a_density_has_no_divergence():
    assert names_of_likelihood(law_of("spiral")) == ("nats",)
    assert set(values(normal([0.0, 0.0], 3.0), law_of("spiral"), n=100)) == {"nats"}
