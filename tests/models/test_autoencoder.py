"""The autoencoder against principal components, what it damages, and the codes that it draws."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.vae.autoencoder import TINY, Config, Model
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

LINEAR = Config(resolution=4, channels=1, latent_size=3, linear=True, batch_size=64)


def started(config, seed=0):
    model = Model(config)
    initialise(model, stream(seed, "weights"))
    return model


def correlated_pictures(n=64):
    """Pictures of 4x4 pixels around a mean, of variances that fall from direction to direction."""
    generator = stream(1, "pictures")
    mixing = torch.randn(16, 16, generator=generator) * torch.linspace(1.0, 0.1, 16)[:, None]
    return (torch.randn(n, 16, generator=generator) @ mixing * 0.2 + 0.3).view(n, 1, 4, 4)


def principal_error(images, k):
    """Mean squared error of ``k`` principal components, by the singular values that they leave out."""
    flat = images.flatten(1).numpy()
    values = np.linalg.svd(flat - flat.mean(0), compute_uv=False)
    return (values[k:] ** 2).sum() / flat.size


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("k", [1, 2])
def test_a_linear_autoencoder_reaches_exactly_the_error_of_as_many_principal_components(k):
    images = correlated_pictures()
    model = started(replace(LINEAR, latent_size=k))
    (phase,) = model.phases()
    optimizer = torch.optim.LBFGS(model.parameters(), max_iter=3000, tolerance_grad=1e-12, tolerance_change=1e-15)
    optimizer.param_groups[0]["line_search_fn"] = "strong_wolfe"

    def error():
        optimizer.zero_grad()
        loss = phase.loss(Pictures(images=images))["squared_error"].mean()
        loss.backward()
        return loss

    optimizer.step(error)
    assert error().item() == pytest.approx(principal_error(images, k), rel=1e-6)


@pytest.mark.usefixtures("float64")
def test_no_linear_autoencoder_falls_below_its_principal_components():
    images = correlated_pictures()
    model = started(LINEAR)
    (phase,) = model.phases()
    flat = images.flatten(1)
    mean, axes = flat.mean(0), torch.linalg.svd(flat - flat.mean(0)).Vh[:3]
    with torch.no_grad():
        model.encoder.map.weight.copy_(axes)
        model.encoder.map.bias.copy_(-axes @ mean)
        model.decoder.map.weight.copy_(axes.T)
        model.decoder.map.bias.copy_(mean)
    loss = phase.loss(Pictures(images=images))["squared_error"].mean()
    assert loss.item() == pytest.approx(principal_error(images, 3), rel=1e-10)
    loss.backward()
    assert all(float(p.grad.abs().max()) < 1e-12 for p in model.parameters()), "principal components are a minimum"


def batch_of(images, seed=0):
    return Pictures(images=images, rng=stream(seed, "noise"))


def test_damage_is_noise_of_the_deviation_that_was_asked_for_and_grey_pixels_of_all_channels():
    images = torch.full((64, 3, 16, 16), 0.5)
    noisy = started(replace(TINY, noise=0.2)).damaged(batch_of(images))
    assert float((noisy - images).std()) == pytest.approx(0.2, rel=0.02)
    masked = started(replace(TINY, masked=0.3)).damaged(batch_of(images))
    grey = masked == 0
    assert torch.equal(grey.any(1), grey.all(1))
    assert float(grey.float().mean()) == pytest.approx(0.3, abs=0.02)
    assert torch.equal(masked[~grey], images[~grey])
    assert torch.equal(started(TINY).damaged(batch_of(images)), images)


def test_a_denoising_autoencoder_is_judged_on_whole_pictures():
    config = replace(TINY, noise=0.5, masked=0.5)
    model, images = started(config), torch.rand(8, 3, 16, 16, generator=stream(2, "x")) * 2 - 1
    (phase,) = model.phases()
    seen = model.damaged(batch_of(images))
    expected = ((model.decode(model.encode(seen)) - images) ** 2).mean((1, 2, 3))
    assert_close(phase.loss(batch_of(images))["squared_error"], expected)
    assert [caption for caption, _ in model.show(batch_of(images))] == ["originals", "damaged", "reconstructions"]


@pytest.mark.usefixtures("float64")
def test_drawn_codes_have_the_mean_and_the_covariance_of_those_that_were_seen():
    model = started(TINY)
    mixing, mean = torch.randn(4, 4, generator=stream(3, "mixing")), torch.tensor([1.0, -2.0, 0.0, 5.0])
    seen = [torch.randn(256, 4, generator=stream(at, "codes")) @ mixing + mean for at in range(40)]
    for codes in seen:
        model.codes.see(codes)
    together = torch.cat(seen)  # Fewer steps than the memory's: every code counts alike.
    assert_close(model.codes.mean, together.mean(0))
    assert_close(model.codes.covariance(), torch.cov(together.T, correction=0), rtol=1e-9, atol=1e-9)
    drawn = model.latents(100_000, stream(0, "z"))
    assert_close(drawn.mean(0), model.codes.mean, rtol=0, atol=0.05)
    assert_close(torch.cov(drawn.T), model.codes.covariance(), rtol=0.03, atol=0.15)


def test_codes_of_long_ago_are_forgotten():
    model = started(TINY)
    for value in [0.0] * 200 + [1.0] * 400:
        model.codes.see(torch.full((8, 4), value))
    # After n steps of the second kind the mean is 1 - 0.99^n.
    assert_close(model.codes.mean, torch.full((4,), 1 - 0.99**400), rtol=1e-4, atol=0)


def test_training_teaches_the_moments_of_the_codes():
    model = started(TINY)
    state = new_state(model)
    set_learning_rate(state, 1e-3)
    execute = Eager(state, seed=0, ranks=Ranks(), precision=torch.float32)
    images = torch.rand(8, 3, 16, 16, generator=stream(1, "x")) * 2 - 1
    first = model.encode(images).detach()
    execute.step(Pictures(images=images), model.schedule().at(0))
    assert_close(model.codes.mean, first.mean(0))
    assert int(model.codes.steps) == 1


def test_a_bottleneck_wider_than_the_picture_is_refused():
    with pytest.raises(UserError, match="latent_size=17 is no bottleneck for pictures of 16 numbers"):
        replace(LINEAR, latent_size=17)
