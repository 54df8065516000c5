"""zuko, torchdiffeq and scikit-learn: what MADE connects, where a probability flow leads, densities of known laws."""

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.seeds import stream
from ganvas.data.points.mixtures import Gaussians, law_of
from ganvas.losses.diffusion.flow_density import flow_log_density
from ganvas.losses.diffusion.solvers import noise_levels, solve
from ganvas.networks.masked_network import MaskedNetwork
from ganvas.nn.layers.initialise import initialise

zuko = pytest.importorskip("zuko", reason="needs zuko: make peers")
torchdiffeq = pytest.importorskip("torchdiffeq", reason="needs torchdiffeq: make peers")
mixture = pytest.importorskip("sklearn.mixture", reason="needs scikit-learn: make peers")

pytestmark = pytest.mark.usefixtures("float64")
LEAST, MOST = 0.01, 20.0  # Noise levels between which a flow is followed.
PAIR = law_of("pair,apart=3")


def moves(network):
    """Which number moves which output."""
    x = torch.randn(6, generator=stream(1, "x"))
    return torch.autograd.functional.jacobian(network, x) != 0


def test_made_connects_what_zukos_masked_network_connects():
    ours = MaskedNetwork(6, 2, width=300, depth=2, shuffle=True, direct=True)
    initialise(ours, stream(0, "weights"))
    places = ours.places[0]
    before = (places[:, None] > places).repeat_interleave(2, 0)
    theirs = zuko.nn.MaskedMLP(before, hidden_features=(64, 64))
    found = moves(lambda x: ours(x[None], torch.tensor([0])).flatten())
    assert torch.equal(found, moves(theirs))


def denoised(x, sigma):
    """The best denoiser of the pair: its centres, weighed by how near the noisy point is (x of (n, 1))."""
    assert isinstance(PAIR, Gaussians)
    centres, wide = torch.from_numpy(PAIR.centres[:, 0]), PAIR.sigma**2 + sigma**2
    weights = torch.softmax(-((x - centres) ** 2) / (2 * wide), 1)
    means = centres + PAIR.sigma**2 / wide * (x - centres)
    return (weights * means).sum(1, keepdim=True)


def slope(x, sigma):
    return (x - denoised(x, sigma)) / sigma


def test_a_probability_flow_leads_where_torchdiffeq_says():
    x = MOST * torch.randn(50, 1, generator=stream(2, "x"))
    levels = noise_levels(800, sigma_min=LEAST, sigma_max=MOST, rho=7.0)[:-1]
    theirs = torchdiffeq.odeint(lambda sigma, x: slope(x, sigma), x, torch.tensor([MOST, LEAST]), rtol=1e-9, atol=1e-9)
    assert_close(solve(slope, x, levels, "heun"), theirs[-1], rtol=0, atol=1e-3)


def test_the_density_of_a_flow_is_torchdiffeqs_integral():
    x = torch.linspace(-3, 3, 41)[:, None]

    def grown(sigma, state):
        with torch.enable_grad():
            at = state[0].detach().requires_grad_()
            found = slope(at, sigma)
            (spread,) = torch.autograd.grad(found.sum(), at)
        return found.detach(), spread

    start = (x, torch.zeros_like(x))
    end, total = torchdiffeq.odeint(grown, start, torch.tensor([LEAST, MOST]), rtol=1e-9, atol=1e-9)
    theirs = total[-1] + torch.distributions.Normal(0.0, MOST).log_prob(end[-1])
    how = {"sigma_min": LEAST, "sigma_max": MOST, "steps": 800}
    ours = flow_log_density(lambda x, sigma: denoised(x, sigma[:, None]), x, stream(0, "signs"), **how)
    assert_close(ours, theirs[:, 0], rtol=0, atol=1e-3)


def test_the_density_of_a_law_is_that_of_scikit_learns_mixture():
    law = law_of("grid25")
    assert isinstance(law, Gaussians)
    theirs = mixture.GaussianMixture(len(law.centres), covariance_type="spherical")
    theirs.weights_, theirs.means_ = law.shares, law.centres
    theirs.covariances_ = np.full(len(law.centres), law.sigma**2)
    theirs.precisions_cholesky_ = 1 / np.sqrt(theirs.covariances_)
    points = 4 * np.random.default_rng(0).standard_normal((200, 2))
    np.testing.assert_allclose(law.log_density(points), theirs.score_samples(points), rtol=1e-10)
