"""The variational autoencoder against closed forms: its two terms, and a linear one whose likelihood is known."""

import math
from dataclasses import replace

import pytest
import torch
from torch import nn
from torch.distributions import MultivariateNormal, Normal
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.likelihoods.gaussian import gaussian_log_density
from ganvas.models.vae.vae import FLOOR, TINY, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

pytestmark = pytest.mark.usefixtures("float64")


def started(config=TINY):
    model = Model(config)
    initialise(model, stream(0, "weights"))
    return model


def test_the_two_terms_are_the_negative_lower_bound():
    model, images = started(), torch.rand(6, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    (phase,) = model.phases()
    terms = phase.loss(Pictures(images=images, rng=stream(2, "noise")))
    mean, log_variance = model.encode(images)
    z = mean + (0.5 * log_variance).exp() * torch.randn(6, 4, generator=stream(2, "noise"))
    likelihood = Normal(model.decode(z), (0.5 * model.log_variance()).exp()).log_prob(images).sum((1, 2, 3))
    assert_close(terms["reconstruction"], -likelihood, rtol=1e-11, atol=1e-9)
    assert_close(model.log_prob_bound(images, stream(2, "noise")), likelihood - terms["kl"], rtol=1e-11, atol=1e-9)
    assert phase.player is model


class LinearEncoder(nn.Module):
    """The same variances for all pictures, and means linear in them."""

    def __init__(self, matrix, offset, log_variance):
        super().__init__()
        self.matrix, self.offset, self.log_variance = matrix, offset, log_variance

    def forward(self, images):
        mean = (images.flatten(1) - self.offset) @ self.matrix.T
        return torch.cat([mean, self.log_variance.expand_as(mean)], 1)


class LinearDecoder(nn.Module):
    def __init__(self, matrix, offset):
        super().__init__()
        self.matrix, self.offset = matrix, offset

    def forward(self, z):
        return (z @ self.matrix.T + self.offset).view(-1, 1, 4, 3)


class KnownNoise(nn.Module):
    def __init__(self, log_variance):
        super().__init__()
        self.log_variance = log_variance

    def forward(self):
        return self.log_variance


def linear(*, shift=0.0, widen=1.0, variance=0.3):
    """A linear model whose likelihood is known, p(x) = N(b, W W' + s^2 I), and an encoder that is off as asked for.

    With orthogonal columns of W the posterior of z is diagonal: precision 1 + W'W / s^2, mean W'(x - b) / (s^2
    precision). The encoder's means miss by what ``shift`` of x makes, its variances by the factor ``widen``.
    """
    generator = stream(3, "linear")
    columns = torch.linalg.qr(torch.randn(12, 2, generator=generator)).Q * torch.tensor([1.5, 0.7])
    offset = torch.randn(12, generator=generator)
    precision = 1 + columns.square().sum(0) / variance
    model = started()
    model.config = type(TINY)(resolution=16, latent_size=2)
    model.decoder = LinearDecoder(columns, offset)
    model.noise = KnownNoise(torch.tensor(variance).log())
    model.encoder = LinearEncoder(
        columns.T / (variance * precision)[:, None], offset - shift, math.log(widen) - precision.log()
    )
    covariance = columns @ columns.T + variance * torch.eye(12)
    return model, MultivariateNormal(offset, covariance), precision


@pytest.mark.parametrize("shift", [0.0, 0.5])
def test_with_a_linear_decoder_the_bound_misses_the_exact_likelihood_by_the_divergence_from_the_true_posterior(shift):
    model, truth, precision = linear(shift=shift)
    x = torch.randn(3, 1, 4, 3, generator=stream(4, "linear"))
    exact = truth.log_prob(x.flatten(1))
    moved = model.encoder.matrix @ torch.full((12,), shift)
    missing = 0.5 * (moved.square() * precision).sum()  # Same variances: only the means differ.
    estimates = model.log_prob_bound(x.repeat(2000, 1, 1, 1), stream(0, "noise")).view(2000, 3)
    error = 5 * estimates.std(0) / 2000**0.5  # Five standard errors.
    assert ((estimates.mean(0) - (exact - missing)).abs() < error).all()
    assert shift == 0 or (missing > 2 * error).all()


def test_with_the_true_posterior_any_number_of_latents_gives_the_exact_likelihood():
    # Every weight p(x, z) / q(z | x) is then p(x) itself, whatever z is.
    model, truth, _ = linear()
    x = torch.randn(5, 1, 4, 3, generator=stream(4, "linear"))
    for samples in (2, 7):
        bound = model.log_prob_bound(x, stream(samples, "noise"), samples)
        assert_close(bound, truth.log_prob(x.flatten(1)), rtol=1e-11, atol=1e-9)


def test_the_bound_grows_with_its_samples_towards_the_exact_likelihood():
    model, truth, _ = linear(shift=0.3, widen=1.3)
    x = torch.randn(1, 1, 4, 3, generator=stream(4, "linear"))
    many = x.repeat(4000, 1, 1, 1)
    means, errors = [], []
    for samples in (1, 2, 8, 64):
        estimates = model.log_prob_bound(many, stream(samples, "noise"), samples)
        means.append(estimates.mean())
        errors.append(estimates.std() / 4000**0.5)
    exact = truth.log_prob(x.flatten(1))[0]
    assert all(
        b - a > 4 * (da**2 + db**2) ** 0.5 for a, b, da, db in zip(means, means[1:], errors, errors[1:], strict=False)
    )
    assert means[0] < exact - 0.2
    assert abs(means[-1] - exact) < 0.02


def test_a_bound_of_one_latent_is_the_evidence_lower_bound_on_average():
    # With one weight the logarithm is inside of the mean already; the closed divergence only takes noise away.
    model, _, _ = linear(shift=0.3, widen=1.3)
    x = torch.randn(1, 1, 4, 3, generator=stream(4, "linear")).repeat(4000, 1, 1, 1)
    closed = model.log_prob_bound(x, stream(0, "noise"))
    noise = [torch.randn(4000, 2, generator=stream(0, "noise"))]
    drawn = model._importance_bound(x, noise)
    difference = closed - drawn
    assert difference.std() > 0.05
    assert abs(difference.mean()) < 4 * difference.std() / 4000**0.5


def test_training_on_several_latents_descends_the_importance_weighted_bound():
    config = replace(TINY, samples=3)
    model, images = started(config), torch.rand(4, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    (phase,) = model.phases()
    terms = phase.loss(Pictures(images=images, rng=stream(2, "noise")))
    mean, log_variance = model.encode(images)
    noise = torch.randn(4, 3, 4, generator=stream(2, "noise"))
    posterior = Normal(mean, (0.5 * log_variance).exp())
    weights = []
    for at in range(3):
        z = mean + (0.5 * log_variance).exp() * noise[:, at]
        likelihood = Normal(model.decode(z), (0.5 * model.log_variance()).exp()).log_prob(images).sum((1, 2, 3))
        weights.append(likelihood + Normal(0.0, 1.0).log_prob(z).sum(1) - posterior.log_prob(z).sum(1))
    largest = torch.stack(weights).max(0).values  # Of thousands of nats: their exponentials alone are 0.
    expected = largest + torch.stack([(weight - largest).exp() for weight in weights]).mean(0).log()
    assert terms.keys() == {"importance_bound"}
    assert_close(terms["importance_bound"], -expected, rtol=1e-9, atol=1e-9)


def test_beta_weighs_the_divergence_alone():
    plain, weighed = started(), started(replace(TINY, beta=4.0))
    images = torch.rand(4, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    one, four = (model.phases()[0].loss(Pictures(images=images, rng=stream(2, "noise"))) for model in (plain, weighed))
    assert_close(four["kl"], 4 * one["kl"])
    assert torch.equal(four["reconstruction"], one["reconstruction"])
    assert torch.equal(weighed.log_prob_bound(images, stream(5, "z")), plain.log_prob_bound(images, stream(5, "z")))
    with pytest.raises(UserError, match=r"beta=4.0.*samples=3"):
        replace(TINY, beta=4.0, samples=3)


def test_a_likelihood_of_whole_colours_is_below_the_probability_of_their_bins():
    # Of a model that ignores its latents the probability of a bin is known: a difference of normal distributions.
    model = started()
    model.decoder, model.noise = Constant(0.2), KnownNoise(torch.tensor(-7.0))
    model.encoder = Constant(0.0, shape=(8,))
    colours = torch.tensor([148, 153, 158]).repeat(64, 1).T.reshape(3, 1, 8, 8).double()
    normal = Normal(0.2, math.exp(-3.5))
    exact = (normal.cdf((colours + 0.5) / 127.5 - 1) - normal.cdf((colours - 0.5) / 127.5 - 1)).log().sum((1, 2, 3))
    found = torch.stack([model.log_prob(colours / 127.5 - 1, stream(at, "u")) for at in range(200)])
    mean, error = found.mean(0), found.std(0) / 200**0.5
    assert (mean < exact + 4 * error).all()
    assert ((exact - mean) < 0.03 * 64).all(), "a bin is narrow beside the noise, so little is lost"
    assert model.density_details == "importance1:dequantised"


class Constant(nn.Module):
    def __init__(self, value, shape=(1, 8, 8)):
        super().__init__()
        self.value, self.shape = value, shape

    def forward(self, x):
        return torch.full((len(x), *self.shape), self.value)


def test_the_learnt_variance_starts_at_its_start_and_never_falls_below_half_a_grey_level():
    model = started()
    assert_close(model.log_variance(), torch.tensor(-2.0), rtol=1e-3, atol=0)
    with torch.no_grad():
        model.noise.unscaled_log_variance.fill_(-100.0)
    assert_close(model.log_variance(), torch.tensor(FLOOR), rtol=1e-12, atol=0)


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


@pytest.mark.slow
def test_a_few_steps_on_two_kinds_of_pictures_tell_them_apart():
    model = started()
    state = new_state(model)
    set_learning_rate(state, 3e-3)
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    flat = torch.tensor([-0.8, 0.8]).repeat(4).view(8, 1, 1, 1).expand(8, 3, 16, 16).contiguous()
    stage = model.schedule().at(0)
    before = model.log_prob_bound(flat, stream(1, "noise")).mean()
    for _ in range(40):
        execute.step(Pictures(images=flat), stage)
        state.nimg += 8
    with torch.no_grad():
        decoded = model.decode(model.encode(flat)[0])
    assert model.log_prob_bound(flat, stream(1, "noise")).mean() > before + 100
    assert (decoded - flat).abs().mean() < 0.2
