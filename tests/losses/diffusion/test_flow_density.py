"""The density of a probability flow against a normal law's."""

import math

import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.losses.diffusion.flow_density import flow_log_density

pytestmark = pytest.mark.usefixtures("float64")
DEVIATION = 0.5  # Around 0, as the prior is: at its width a middle of 0.3 would cost a hundredth of a nat.


def best(noisy, sigma):
    share = (DEVIATION**2 / (DEVIATION**2 + sigma**2)).view(-1, 1)
    return share * noisy


def found(x, steps):
    return flow_log_density(best, x, stream(0, "signs"), sigma_min=0.002, sigma_max=80.0, steps=steps)


def test_of_a_normal_law_the_flow_gives_its_density_at_every_point_and_the_sooner_the_more_steps():
    x = DEVIATION * torch.randn(16, 3, generator=stream(1, "x"))
    exact = torch.distributions.Normal(0.0, DEVIATION).log_prob(x).sum(1)
    # Left are the noise of 0.002 and the prior, whose variance lacks DEVIATION^2: some 1e-4 nats.
    assert_close(found(x, 512), exact, rtol=0, atol=2e-3)
    errors = [(found(x, steps) - exact).abs().max() for steps in (32, 64)]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(2, abs=0.4)
