"""The variational autoencoder against closed forms: its two terms, and a linear one whose likelihood is known."""

import math

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal, kl_divergence
from torch.testing import assert_close

from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.vae.vae import FLOOR, TINY, Model, divergence_from_standard_normal, gaussian_log_density
from ganvas.nn.layers.initialise import initialise
from ganvas.train.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

pytestmark = pytest.mark.usefixtures("float64")


def started():
    model = Model(TINY)
    initialise(model, stream(0, "weights"))
    return model


def test_the_divergence_is_that_of_two_normal_distributions():
    mean, log_variance = (torch.randn(5, 4, generator=stream(at, "x")) for at in range(2))
    peer = kl_divergence(Normal(mean, (0.5 * log_variance).exp()), Normal(torch.zeros(()), torch.ones(()))).sum(1)
    assert_close(divergence_from_standard_normal(mean, log_variance), peer, rtol=1e-12, atol=1e-12)
    assert_close(divergence_from_standard_normal(torch.zeros(2, 4), torch.zeros(2, 4)), torch.zeros(2))


def test_the_log_density_is_that_of_a_normal_distribution_summed_over_all_values():
    x, mean = (torch.randn(3, 2, 4, 5, generator=stream(at, "x")) for at in range(2))
    peer = Normal(mean, math.exp(0.5 * -1.3)).log_prob(x).sum((1, 2, 3))
    assert_close(gaussian_log_density(x, mean, torch.tensor(-1.3)), peer, rtol=1e-12, atol=1e-12)


def test_the_two_terms_are_the_negative_lower_bound():
    model, images = started(), torch.rand(6, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    (phase,) = model.phases()
    terms = phase.loss(Pictures(images=images, rng=stream(2, "noise")))
    mean, log_variance = model.encode(images)
    z = mean + (0.5 * log_variance).exp() * torch.randn(6, 4, generator=stream(2, "noise"))
    likelihood = Normal(model.decode(z), (0.5 * model.decoder.log_variance()).exp()).log_prob(images).sum((1, 2, 3))
    assert_close(terms["reconstruction"], -likelihood, rtol=1e-11, atol=1e-9)
    assert_close(model.elbo(images, stream(2, "noise")), likelihood - terms["kl"], rtol=1e-11, atol=1e-9)
    assert phase.player is model


class LinearEncoder(nn.Module):
    """The same variances for all pictures, and means linear in them."""

    def __init__(self, matrix, offset, log_variance):
        super().__init__()
        self.matrix, self.offset, self.log_variance = matrix, offset, log_variance

    def forward(self, images):
        mean = (images.flatten(1) - self.offset) @ self.matrix.T
        return mean, self.log_variance.expand_as(mean)


class LinearDecoder(nn.Module):
    def __init__(self, matrix, offset, log_variance):
        super().__init__()
        self.matrix, self.offset, self._log_variance = matrix, offset, log_variance

    def forward(self, z):
        return (z @ self.matrix.T + self.offset).view(-1, 1, 4, 3)

    def log_variance(self):
        return self._log_variance


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_with_a_linear_decoder_the_bound_misses_the_exact_likelihood_by_the_divergence_from_the_true_posterior(shift):
    # p(x) = N(b, W W' + s^2 I). With orthogonal columns of W the posterior of z is diagonal: precision
    # 1 + W'W / s^2, mean W'(x - b) / (s^2 precision); an encoder that is off by `shift` loses its divergence from it.
    generator, variance = stream(3, "linear"), 0.3
    columns = torch.linalg.qr(torch.randn(12, 2, generator=generator)).Q * torch.tensor([1.5, 0.7])
    offset = torch.randn(12, generator=generator)
    precision = 1 + columns.square().sum(0) / variance
    model = started()
    model.config = type(TINY)(resolution=16, latent_size=2)
    model.decoder = LinearDecoder(columns, offset, torch.tensor(variance).log())
    model.encoder = LinearEncoder(columns.T / (variance * precision)[:, None], offset - shift, -precision.log())
    x = torch.randn(3, 1, 4, 3, generator=generator)
    covariance = columns @ columns.T + variance * torch.eye(12)
    exact = MultivariateNormal(offset, covariance).log_prob(x.flatten(1))
    moved = model.encoder.matrix @ torch.full((12,), shift)
    missing = 0.5 * (moved.square() * precision).sum()  # Same variances: only the means differ.
    estimates = model.elbo(x.repeat(2000, 1, 1, 1), stream(0, "noise")).view(2000, 3)
    error = 5 * estimates.std(0) / 2000**0.5  # Five standard errors.
    assert ((estimates.mean(0) - (exact - missing)).abs() < error).all()
    assert shift == 0 or (missing > 2 * error).all()


def test_the_learnt_variance_starts_at_its_start_and_never_falls_below_half_a_grey_level():
    decoder = started().decoder
    assert_close(decoder.log_variance(), torch.tensor(-2.0), rtol=1e-3, atol=0)
    with torch.no_grad():
        decoder.unscaled_log_variance.fill_(-100.0)
    assert_close(decoder.log_variance(), torch.tensor(FLOOR), rtol=1e-12, atol=0)


def test_the_best_variance_is_the_mean_squared_error_of_the_reconstructions():
    # Rybkin et al. 2021, section 3: there the gradient of the bound by log sigma^2 is zero.
    model = started()
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    with torch.no_grad():
        mean, _ = model.encode(images)
        optimal = (model.decode(mean) - images).square().mean()
    log_variance = optimal.log().clone().requires_grad_()
    with torch.no_grad():
        decoded = model.decode(mean)
    gaussian_log_density(images, decoded, log_variance).sum().backward()
    assert_close(log_variance.grad, torch.zeros(()), rtol=0, atol=1e-8)


def test_a_few_steps_on_two_kinds_of_pictures_tell_them_apart():
    model = started()
    state = new_state(model)
    set_learning_rate(state, 3e-3)
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    flat = torch.tensor([-0.8, 0.8]).repeat(4).view(8, 1, 1, 1).expand(8, 3, 16, 16).contiguous()
    stage = model.schedule().at(0)
    before = model.elbo(flat, stream(1, "noise")).mean()
    for _ in range(40):
        execute.step(Pictures(images=flat), stage)
        state.nimg += 8
    with torch.no_grad():
        decoded = model.decode(model.encode(flat)[0])
    assert model.elbo(flat, stream(1, "noise")).mean() > before + 100
    assert (decoded - flat).abs().mean() < 0.2
