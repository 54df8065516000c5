"""The bounds of a log-likelihood against decoders whose likelihood is known."""

import math
from dataclasses import replace

import pytest
import torch

from ganvas.core.errors import UserError
from ganvas.metrics import ais
from ganvas.metrics.ais import Config, log_likelihood, results, sandwich, schedule
from ganvas.metrics.likelihood.ais_variance import choose_variance, top
from ganvas.metrics.likelihood.observation_models import (
    Bernoulli,
    Decoder,
    Gaussian,
    Likelihood,
    binarised,
    dequantised,
    from_colours,
    from_uniform,
    rows_in_memory,
)

CONFIG = Config(temperatures=80, pilot=30, chains=16, leapfrog_steps=6)
VARIANCE = 0.3
SIZE, PIXELS = 2, 5


def normal(*shape, seed):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


WEIGHTS, BIAS = normal(PIXELS, SIZE, seed=1), normal(PIXELS, seed=2)
LINEAR = Decoder(decode=lambda z: z @ WEIGHTS.T + BIAS, latent_size=SIZE, dtype=torch.float64)


def near(bound, exact):
    """Within four standard errors, and half the variance of the log of a mean weight, which is what a bound is off."""
    off = bound - exact
    allowed = 4 * float(off.std()) / math.sqrt(len(off)) + 0.5 * float(off.var())
    return abs(float(off.mean())) < allowed and float(off.std()) < 0.5


def truth(variance=VARIANCE):
    """``x = W z + b + noise`` is of ``N(b, W W^T + variance I)``."""
    covariance = WEIGHTS @ WEIGHTS.T + variance * torch.eye(PIXELS, dtype=torch.float64)
    return torch.distributions.MultivariateNormal(BIAS, covariance)


def drawn(n, *, seed=3, variance=VARIANCE):
    return normal(n, SIZE, seed=seed) @ WEIGHTS.T + BIAS + math.sqrt(variance) * normal(n, PIXELS, seed=seed + 1)


def test_the_schedule_goes_from_prior_to_posterior_slowly_at_both_ends():
    betas = torch.tensor(schedule(101), dtype=torch.float64)
    assert (betas[0], betas[-1], len(betas)) == (0, 1, 101)
    assert (betas.diff() > 0).all()
    assert betas == pytest.approx(1 - betas.flip(0), abs=1e-14)
    logistic = [1 / (1 + math.exp(-t)) for t in (-4, -2, 4)]
    assert float(betas[25]) == pytest.approx((logistic[1] - logistic[0]) / (logistic[2] - logistic[0]), abs=1e-14)
    assert schedule(2) == [0, 1]


def test_a_linear_decoder_has_the_likelihood_of_its_normal_distribution():
    x = drawn(24)
    found = log_likelihood(LINEAR, x, Gaussian(variance=VARIANCE), config=CONFIG)
    assert near(found.values, truth().log_prob(x))
    assert ((found.effective > 1) & (found.effective <= 16)).all()


def test_with_few_temperatures_the_truth_lies_between_the_bounds():
    """Twelve temperatures leave a gap of nats; its two halves must have their signs, ten standard errors clear."""
    config = replace(CONFIG, temperatures=12, chains=2)
    noise = Gaussian(variance=0.01)
    found = sandwich(LINEAR, noise, n=200, config=config, seed=5)
    random = ais.stream(5, "ais", "simulated")
    z = torch.randn(200, SIZE, generator=random, dtype=torch.float64)
    exact = truth(0.01).log_prob(noise.draw(LINEAR.decode(z), random))
    for under in (exact - found.lower.values, found.upper.values - exact):
        assert float(under.mean()) > 0
        assert float(under.mean()) > 5 * float(under.std()) / math.sqrt(200)


@pytest.mark.slow
def test_the_pilot_finds_for_every_picture_the_step_of_its_own_posterior():
    """The decoder is steeper further out, so that the pictures' posteriors are 1 to 7 times as narrow."""
    z = torch.tensor([[0.1, 0.0], [1.0, 1.0], [2.0, -2.0]], dtype=torch.float64).repeat_interleave(3, dim=0)

    def decode(z):
        return (z @ WEIGHTS.T) * (1 + 0.25 * z.square().sum(1, keepdim=True))

    bent, config = replace(LINEAR, decode=decode), Config(temperatures=50, pilot=50, chains=16)
    likelihood = Likelihood(bent, decode(z), Gaussian(variance=0.01), chains=16)
    steps = ais.pilot(likelihood, config, seed=0)
    found = ais.forward(likelihood, steps, config, seed=0)
    assert found.acceptance == pytest.approx(torch.full((9,), 0.65, dtype=torch.float64), abs=0.12)
    back = ais.backward(likelihood, z, steps, config, seed=0)  # Calmer, since it starts where it belongs.
    assert ((back.acceptance > 0.6) & (back.acceptance < 0.9)).all()
    last = steps[:, -1].view(3, 3).mean(1)
    assert last[0] > 1.5 * last[1] > 2 * last[2]


@pytest.mark.slow
def test_with_many_temperatures_the_bounds_meet_at_the_truth():
    noise = Gaussian(variance=VARIANCE)
    found = sandwich(LINEAR, noise, n=40, config=CONFIG, seed=5)
    random = ais.stream(5, "ais", "simulated")
    z = torch.randn(40, SIZE, generator=random, dtype=torch.float64)
    exact = truth().log_prob(noise.draw(LINEAR.decode(z), random))
    for bound in (found.lower, found.upper):
        assert near(bound.values, exact)
    assert near(found.gap, torch.zeros(40))


@pytest.mark.parametrize("temperatures", [2, 3, 20])
def test_a_decoder_that_does_not_look_at_its_latents_is_exact_with_any_schedule(temperatures):
    deaf = Decoder(decode=lambda z: BIAS.expand(len(z), PIXELS), latent_size=SIZE, dtype=torch.float64)
    config = replace(CONFIG, temperatures=temperatures, chains=3)
    x = drawn(4)
    exact = torch.distributions.Normal(BIAS, math.sqrt(VARIANCE)).log_prob(x).sum(1)
    found = log_likelihood(deaf, x, Gaussian(variance=VARIANCE), config=config)
    assert found.values == pytest.approx(exact, abs=1e-10)
    assert found.effective == pytest.approx(torch.full((4,), 3.0, dtype=torch.float64))
    assert sandwich(deaf, Gaussian(variance=VARIANCE), n=4, config=config).gap == pytest.approx(
        torch.zeros(4, dtype=torch.float64), abs=1e-10
    )


@pytest.mark.slow
def test_a_decoder_of_probabilities_agrees_with_quadrature():
    """One latent: the integral over z on a grid (trapezium, 1e-12 for smooth functions that vanish at the ends)."""
    slopes = torch.tensor([2.0, -1.0, 3.0, 0.5, -2.0], dtype=torch.float64)
    decoder = Decoder(decode=lambda z: torch.sigmoid(z * slopes + 0.3), latent_size=1, dtype=torch.float64)
    x = (torch.rand(8, 5, generator=torch.Generator().manual_seed(0)) < 0.5).double()
    z = torch.linspace(-9, 9, 4001, dtype=torch.float64)[:, None]
    p = torch.sigmoid(z * slopes + 0.3)
    log_joint = (
        (x[:, None] * p.log() + (1 - x[:, None]) * (1 - p).log()).sum(2)
        - 0.5 * z.square().T
        - 0.5 * math.log(2 * math.pi)
    )
    exact = (log_joint.logsumexp(1) + math.log(18 / 4000)).double()
    found = log_likelihood(decoder, x, Bernoulli(), config=CONFIG)
    assert near(found.values, exact)
    short = replace(CONFIG, temperatures=40, leapfrog_steps=4)
    assert near(sandwich(decoder, Bernoulli(), n=16, config=short).gap, torch.zeros(16))


def test_two_temperatures_are_plain_importance_sampling_from_the_prior():
    x = drawn(3)
    config = replace(CONFIG, temperatures=2, chains=5)
    found = log_likelihood(LINEAR, x, Gaussian(variance=VARIANCE), config=config, seed=9)
    z = torch.randn(15, SIZE, generator=ais.stream(9, "ais", "forward"), dtype=torch.float64)
    made = LINEAR.decode(z).view(3, 5, PIXELS)
    weights = torch.distributions.Normal(made, math.sqrt(VARIANCE)).log_prob(x[:, None]).sum(2)
    assert found.values == pytest.approx(weights.exp().mean(1).log(), abs=1e-12)
    shares = weights.softmax(1)
    assert found.effective == pytest.approx(1 / shares.square().sum(1))


@pytest.mark.slow
def test_more_chains_and_more_temperatures_bring_the_bound_up():
    x = drawn(60)
    noise, few = Gaussian(variance=0.02), replace(CONFIG, temperatures=10, chains=2)
    values = [
        float(log_likelihood(LINEAR, x, noise, config=config).values.mean())
        for config in (few, replace(few, chains=16), replace(few, temperatures=100))
    ]
    assert values[0] < values[1] - 0.5
    assert values[0] < values[2] - 0.5
    assert max(values) < float(truth(0.02).log_prob(x).mean()) + 0.2


def test_a_seed_is_repeated_and_another_differs():
    x, noise = drawn(3), Gaussian(variance=VARIANCE)
    config = replace(CONFIG, temperatures=6, pilot=6)
    torch.manual_seed(5)
    untouched = torch.rand(3)
    torch.manual_seed(5)
    first, again, other = (log_likelihood(LINEAR, x, noise, config=config, seed=seed).values for seed in (1, 1, 2))
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
    assert torch.equal(torch.rand(3), untouched)


@pytest.mark.slow
@pytest.mark.parametrize("rows", [1, 7, 1000])
def test_rows_at_a_time_change_nothing(rows):
    x, noise = drawn(3), Gaussian(variance=VARIANCE)
    config = replace(CONFIG, temperatures=8, chains=4, pilot=8)
    straight = log_likelihood(LINEAR, x, noise, config=config, rows=12)
    found = log_likelihood(LINEAR, x, noise, config=config, rows=rows)
    assert found.values == pytest.approx(straight.values, abs=1e-9)
    both = [sandwich(LINEAR, noise, n=3, config=config, rows=count).gap for count in (12, rows)]
    assert both[0] == pytest.approx(both[1], abs=1e-9)


def test_gradients_are_those_of_the_density():
    likelihood = Likelihood(LINEAR, drawn(3), Gaussian(variance=VARIANCE), chains=2, rows=4)
    z = normal(6, SIZE, seed=8)
    value, gradient = likelihood(z)
    x = drawn(3).repeat_interleave(2, dim=0)
    exact = torch.distributions.Normal(LINEAR.decode(z), math.sqrt(VARIANCE)).log_prob(x).sum(1)
    assert value == pytest.approx(exact, abs=1e-12)
    assert gradient == pytest.approx((x - LINEAR.decode(z)) @ WEIGHTS / VARIANCE, abs=1e-12)


def test_the_cost_that_is_said_is_the_cost():
    config, noise = replace(CONFIG, temperatures=5, pilot=4, chains=3), Gaussian(variance=VARIANCE)
    for temperatures in (5, 2):
        config, passed, seen = replace(config, temperatures=temperatures), [], []

        def decode(z, seen=seen):
            seen.append(len(z) if torch.is_grad_enabled() else 0)
            return LINEAR.decode(z)

        counted = replace(LINEAR, decode=decode)
        log_likelihood(counted, drawn(4), noise, config=config, rows=5, tick=passed.append)
        sandwich(counted, noise, n=2, config=config, rows=5, tick=passed.append)
        assert sum(passed) == sum(seen) == config.passes(4) + config.passes(2, runs=2)


def test_memory_of_a_row_is_what_the_way_back_needs():
    """A dense layer keeps its input, tanh its output; a pass is given half of the memory for as many rows."""
    weights = torch.randn(1000, SIZE, dtype=torch.float64)
    decoder = Decoder(decode=lambda z: (z @ weights.T).tanh(), latent_size=SIZE, dtype=torch.float64)
    kept = 8 * (1000 + 1000)  # The tanh, and the picture itself.
    assert rows_in_memory(decoder) == pytest.approx((1 << 28) / (2 * kept), rel=0.01)


@pytest.mark.slow
def test_error_bars_cover_the_mean_of_endless_pictures():
    """The mean of log p over the model's own pictures is minus the entropy of N(b, W W^T + variance I)."""
    sets, n = 200, 24
    config = Config(temperatures=40, pilot=20, chains=4, leapfrog_steps=4)
    x = drawn(sets * n, seed=20)
    found = log_likelihood(LINEAR, x, Gaussian(variance=VARIANCE), config=config)
    inside = 0
    for part in found.values.split(n):
        estimate = ais.Estimate(part, part, part)
        how = {"dimensions": PIXELS, "simulated": None, "protocol": "", "seed": 0}
        result = results(estimate, Gaussian(variance=VARIANCE), **how)[0]
        inside += (
            abs(result.value + float(truth().entropy())) < 2.07 * result.standard_error
        )  # Student's t, 23 degrees.
    assert 0.90 <= inside / sets <= 0.99


def test_results_are_in_nats_and_in_bits():
    """A uniform byte costs 8 bits: density 1 of colours in [0, 1]."""
    found = ais.Estimate(torch.tensor([0.0, 0.0]), torch.ones(2), torch.ones(2))
    how = {"dimensions": 10, "simulated": None, "protocol": "p", "seed": 4}
    nats, bits = results(found, Gaussian(variance=1.0), **how)
    assert (nats.value, bits.value, nats.metric, bits.metric) == (0, 8, "ais", "ais.bits_per_dim")
    coin = ais.Estimate(torch.tensor([-20 * math.log(2), 0.0]).double(), torch.ones(2), torch.ones(2))
    nats, bits = results(coin, Bernoulli(), **how)
    assert bits.value == pytest.approx(1.0)
    assert (bits.standard_error, nats.standard_error) == pytest.approx((1.0, 10 * math.log(2)))
    assert (nats.better, bits.better, nats.n, nats.seed, nats.protocol) == ("higher", "lower", 2, 4, "p")


def test_bytes_become_colours_with_a_density():
    every = torch.arange(256, dtype=torch.uint8).view(1, 1, 16, 16).expand(100, -1, -1, -1).contiguous()
    made = dequantised(every, torch.Generator().manual_seed(0)).double()
    byte = every.double()
    assert ((made * 256 - byte >= -1e-4) & (made * 256 - byte <= 1 + 1e-4)).all()  # Float32 of colours near 1.
    assert made.mean(0) * 256 == pytest.approx(byte.mean(0) + 0.5, abs=6 / math.sqrt(12 * 100))
    assert from_colours(byte / 127.5 - 1) * 256 == pytest.approx(byte + 0.5, abs=1e-10)
    assert binarised(every)[0].flatten().tolist() == [0.0] * 128 + [1.0] * 128


def test_normal_latents_become_uniform_ones():
    z = torch.distributions.Normal(0.0, 1.0).icdf(torch.tensor([[0.1, 0.25, 0.5, 0.9]], dtype=torch.float64))
    assert from_uniform(z) == pytest.approx(torch.tensor([[-0.8, -0.5, 0.0, 0.8]], dtype=torch.float64), abs=1e-12)


def test_draws_are_of_the_density():
    random = torch.Generator().manual_seed(0)
    grey = torch.full((1, 20_000), 0.3, dtype=torch.float64)
    noisy = Gaussian(variance=0.25).draw(grey, random)
    assert float(noisy.mean()) == pytest.approx(0.3, abs=4 * 0.5 / math.sqrt(20_000))
    assert float(noisy.var()) == pytest.approx(0.25, abs=4 * 0.25 * math.sqrt(2 / 20_000))
    dots = Bernoulli().draw(grey, random)
    assert set(dots.unique().tolist()) == {0.0, 1.0}
    assert float(dots.mean()) == pytest.approx(0.3, abs=4 * math.sqrt(0.21 / 20_000))


@pytest.mark.slow
def test_the_variance_that_is_chosen_is_that_of_the_noise():
    """300 pictures of 5 numbers, 2 of which the latents explain, tell it to a factor of ``1 + sqrt(2 / 900)``."""
    x = drawn(300, variance=0.05)
    config = Config(temperatures=60, pilot=20, chains=4, leapfrog_steps=5)
    choice = choose_variance(LINEAR, x, config=config, start=0.4)
    assert choice.variance == pytest.approx(0.05, rel=0.33)
    assert choice.dependence == "strong"
    assert choice.halved[0] > 2 * choice.halved[1] > 0
    assert sorted(choice.tried) == list(choice.tried)
    best = max(choice.tried, key=choice.tried.get)
    exact = {v: float(truth(v).log_prob(x).mean()) for v in choice.tried}
    assert best == max(exact, key=exact.get)
    assert choice.tried[best] - choice.tried[best * 2] == pytest.approx(choice.doubled[0])


def test_a_choice_ends_where_variances_end():
    """A decoder that draws the picture itself is the better the less noise it has."""
    x = drawn(1)
    copy = Decoder(decode=lambda z: x.expand(len(z), PIXELS), latent_size=1, dtype=torch.float64)
    choice = choose_variance(copy, x.expand(2, PIXELS), config=replace(ais.TINY, temperatures=2, pilot=2))
    assert 1e-6 <= choice.variance < 2e-6
    assert math.isnan(choice.halved[0])


def test_the_top_of_a_parabola_is_found():
    assert top(*(5 - 2 * (x - 0.3) ** 2 for x in (-1, 0, 1))) == pytest.approx(0.3)
    assert top(1.0, 1.0, 1.0) == 0


def test_a_decoder_that_has_diverged_is_told_in_one_line():
    for made in (math.nan, 1e30):
        broken = Decoder(decode=lambda z, made=made: z.sum(1, keepdim=True).expand(-1, PIXELS) * made, latent_size=SIZE)
        for call in (
            lambda broken=broken: log_likelihood(broken, drawn(2), Gaussian(variance=1.0), config=ais.TINY),
            lambda broken=broken: sandwich(broken, Gaussian(variance=1.0), n=2, config=ais.TINY),
        ):
            with pytest.raises(UserError, match="not finite numbers") as told:
                call()
            assert "\n" not in str(told.value)


def test_a_decoder_with_holes_gives_numbers():
    """Where it makes no number no chain goes, and the rest is measured."""

    def decode(z):
        return torch.where(z[:, :1].abs() < 4.5, LINEAR.decode(z), torch.nan)

    holed = replace(LINEAR, decode=decode)
    found = log_likelihood(holed, drawn(4), Gaussian(variance=VARIANCE), config=replace(CONFIG, temperatures=20))
    assert found.values.isfinite().all()


def test_pictures_of_another_size_are_refused():
    with pytest.raises(UserError, match="The pictures are 4 and the decoder's are 5"):
        log_likelihood(LINEAR, drawn(2)[:, :4], Gaussian(variance=1.0), config=ais.TINY)


@pytest.mark.parametrize(
    "wrong", [{"temperatures": 1}, {"chains": 0}, {"pilot": 1}, {"acceptance": 1.0}, {"shortest": 1.0}, {"rad": 0.0}]
)
def test_settings_that_cannot_be_are_refused(wrong):
    with pytest.raises(UserError, match=next(iter(wrong))):
        Config(**wrong)


def test_sets_of_pictures_have_no_likelihood_and_the_way_to_it_is_said():
    from ganvas.metrics.measuring.flow import why_not

    assert "`ganvas likelihood RUN`" in why_not("ais", alone=False)
    assert "`ganvas likelihood RUN`" in why_not("ais", alone=True)
