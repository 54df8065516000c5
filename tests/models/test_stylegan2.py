"""StyleGAN2's game: lazy penalties, style mixing, running means, truncation."""

import dataclasses

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.losses.optimizers import Adam
from ganvas.models.gan.stylegan2 import TINY, Config, Model, lazy_adam
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.state import averaged_model, new_state
from ganvas.train.step import set_learning_rate


def started(**changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(0, "weights"))
    return model


def batch_of(n=8, side=16, **kwargs):
    return Pictures(images=torch.rand(n, 3, side, side, generator=stream(1, "images")) * 2 - 1, **kwargs)


def phase(model, name):
    return next(move for move in model.phases() if move.name == name)


def loss(model, name, seed=3, **kwargs):
    return phase(model, name).loss(batch_of(rng=stream(seed, "noise"), **kwargs))


def steps(state, count):
    for _ in range(count):
        set_learning_rate(state, 1e-3)
        stage = state.model.schedule().at(state.nimg)
        Eager(state, seed=0, ranks=Ranks(), precision=torch.float32).step(batch_of(), stage)
        state.nimg += 8
        state.step += 1


@pytest.mark.parametrize(
    ("settings", "generator", "discriminator"),
    [
        # The authors' code, by setting and size: stylegan2 at 1024 and 512, paper256, cifar with 10 classes.
        ({"resolution": 1024}, 30_370_060, 29_012_513),
        ({"resolution": 512}, 30_276_583, 28_982_849),
        ({"resolution": 256, "fmap_base": 8192}, 24_767_458, 24_001_089),
        ({"resolution": 32, "mapping_layers": 2, "residual": False, "num_classes": 10}, 20_215_315, 23_089_664),
    ],
)
def test_its_networks_have_as_many_parameters_as_the_authors(settings, generator, discriminator):
    with torch.device("meta"):
        model = Model(Config(**settings))
    assert sum(p.numel() for p in model.generator.parameters()) == generator
    assert sum(p.numel() for p in model.discriminator.parameters()) == discriminator


def test_the_widths_of_configuration_f_are_those_of_the_authors_code():
    # min(32768 / resolution, 512), resolutions 4 to 1024.
    assert Config(resolution=1024).maps() == [512, 512, 512, 512, 512, 256, 128, 64, 32]


# --- Who moves when, and how far ---


def test_a_penalty_is_played_on_the_last_of_k_steps_with_k_times_its_weight():
    model = Model(Config(resolution=4, fmap_max=4))
    for name, k in (("path", 4), ("R1", 16)):
        move = phase(model, name)
        assert [step for step in range(2 * k) if move.turn(step, 0)] == [k - 1, 2 * k - 1]
        assert move.weight == k
    assert all(phase(model, name).turn(0, 0) and phase(model, name).weight == 1 for name in "GD")


def test_a_penalty_shares_the_moments_of_its_player():
    state = new_state(started())
    assert [player.path for player in state.players] == ["generator", "discriminator"]
    assert phase(state.model, "path").player is state.model.generator
    assert phase(state.model, "R1").player is state.model.discriminator


def test_a_lazy_player_s_rate_and_decays_are_corrected_for_its_extra_moves():
    # Appendix B: c = k / (k + 1), rate times c, decays to the power of c.
    adam = lazy_adam(Config(beta1=0.5, beta2=0.99), 16)
    assert (adam.lr_factor, adam.beta1, adam.beta2) == pytest.approx((16 / 17, 0.5 ** (16 / 17), 0.99 ** (16 / 17)))
    model = started(path_interval=4, r1_interval=16)
    assert phase(model, "path").optimizer.lr_factor == 0.8
    assert isinstance(phase(model, "D").optimizer, Adam)


@pytest.mark.parametrize(
    ("change", "left"), [({"path_weight": 0.0}, ["G", "D", "R1"]), ({"r1_gamma": 0.0}, ["G", "path", "D"])]
)
def test_a_penalty_without_weight_is_not_played(change, left):
    assert [move.name for move in started(**change).phases()] == left


def test_the_average_of_the_generator_has_the_half_life_that_is_asked_for():
    config = Config(batch_size=32, average_half_life_kimg=10)
    moves = 10_000 / 32
    for nimg in (0, 10**6):
        assert config.average_decay(nimg) ** moves == pytest.approx(0.5)
    assert phase(Model(dataclasses.replace(config, resolution=4, fmap_max=4)), "G").average(0) == config.average_decay(
        0
    )
    assert Config(average_half_life_kimg=0).average_decay(0) == 0


def test_a_ramp_lets_the_average_forget_the_start():
    # ADA: half-life min(500 kimg, 0.05 times the pictures shown): at 1,000 kimg it is 50.
    config = Config(batch_size=64, average_half_life_kimg=500, average_ramp=0.05)
    assert config.average_decay(0) == 0
    assert config.average_decay(10**6) ** (50_000 / 64) == pytest.approx(0.5)
    assert config.average_decay(10**8) ** (500_000 / 64) == pytest.approx(0.5)


# --- Losses ---


def test_the_players_are_judged_by_the_non_saturating_losses():
    model, judged = started(), []
    model.discriminator.register_forward_hook(lambda _net, _given, scores: judged.append(scores.detach()))
    discriminator = loss(model, "D")["non_saturating"]
    generator = loss(model, "G")["non_saturating"]
    real, fake, fooled = judged
    one, zero = torch.ones(8), torch.zeros(8)
    expected = F.binary_cross_entropy_with_logits(real, one, reduction="none")
    expected = expected + F.binary_cross_entropy_with_logits(fake, zero, reduction="none")
    assert_close(discriminator, expected)
    assert_close(generator, F.binary_cross_entropy_with_logits(fooled, one, reduction="none"))


def test_r1_is_half_gamma_times_the_squared_gradient_at_the_reals():
    model, batch = started(r1_gamma=3.0), batch_of()
    images = batch.images.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(model.discriminator(images).sum(), images)
    assert_close(phase(model, "R1").loss(batch)["r1"], 1.5 * gradient.square().sum((1, 2, 3)))


def test_the_path_loss_is_of_half_the_batch_around_the_running_mean_that_has_this_step():
    model, lengths = started(path_weight=3.0, path_decay=0.9), []
    model.path_mean.fill_(0.4)
    batch = batch_of(rng=stream(3, "noise"))
    term = phase(model, "path").loss(batch)["length"]
    lengths = batch.kept["path_lengths"]
    assert lengths.shape == (4,)
    mean = 0.9 * 0.4 + 0.1 * lengths.mean()
    assert_close(term, 3 * (lengths - mean).square().mean())
    assert model.path_mean.item() == pytest.approx(0.4), "a loss is a pure function"
    phase(model, "path").after(batch, {})
    assert_close(model.path_mean, mean)


def test_two_draws_of_a_step_are_mixed_in_nine_of_ten_pictures_at_any_layer():
    model, heard = started(), []
    mixed = model.generator.mixed
    model.generator.mixed = lambda z, other, layers, labels: heard.append(layers) or mixed(z, other, layers, labels)
    for seed in range(2):
        loss(model, "D", seed=seed, n=240)
    layers = torch.cat(heard)
    styles = model.generator.synthesis.num_styles
    counts = torch.bincount(layers, minlength=styles + 1)
    assert counts[0] == 0
    assert counts[1:].min() > 0
    # 480 pictures: four standard errors of a share of 0.9 are 0.055.
    assert abs((layers < styles).float().mean().item() - 0.9) < 0.055
    heard.clear()
    plain = started(mixing=0.0)
    mixed_plain = plain.generator.mixed
    plain.generator.mixed = lambda z, o, layers, labels: heard.append(layers) or mixed_plain(z, o, layers, labels)
    loss(plain, "D")
    assert set(heard[0].tolist()) == {styles}


def test_every_phase_draws_noise_of_its_own_for_every_picture():
    model, added = started(), []
    for layer in model.generator.synthesis.layers:
        layer.register_forward_pre_hook(lambda _layer, given: added.append(given[2]))
    loss(model, "G")
    assert all(noise.shape[0] == 8 and noise.std() > 0.5 for noise in added)
    assert not torch.equal(added[0][0], added[0][1])


def test_a_class_steers_both_players():
    model = started(num_classes=3)
    for name, term in (("G", "non_saturating"), ("D", "non_saturating"), ("R1", "r1")):
        one, other = (loss(model, name, labels=torch.full((8,), label))[term] for label in (0, 1))
        assert not torch.allclose(one, other), name


# --- Running means ---


def test_the_mean_of_w_follows_the_latents_of_the_generator_s_move_and_is_published():
    state = new_state(started(style_mean_decay=0.9))
    model, seen = state.model, []
    model.generator.mapping.register_forward_hook(lambda _net, _given, w: seen.append(w.detach()))
    steps(state, 1)
    first = seen[0][:8]  # The generator's own move comes first; the other eight are only mixed in.
    assert_close(model.generator.style_mean, 0.1 * first.mean(0))
    assert_close(averaged_model(state)["generator.style_mean"], model.generator.style_mean)


def test_the_mean_path_length_is_remembered_and_not_published():
    state = new_state(started())
    steps(state, 2)
    assert state.model.path_mean > 0
    assert "path_mean" not in averaged_model(state)
    assert "model/path_mean" in state.tensors()


# --- Drawing ---


def test_truncation_draws_pictures_together_and_one_leaves_them_as_they_are():
    model = started().eval()
    model.generator.style_mean.normal_(generator=stream(4, "mean"))
    z = model.latents(6, stream(1, "z"))
    with torch.no_grad():
        spread = [model.decode_truncated(z, psi).std(0).mean().item() for psi in (0.0, 0.3, 0.7, 1.0)]
        assert torch.equal(model.decode_truncated(z, 1.0), model.decode(z))
    assert spread == sorted(spread)
    assert spread[0] < 1e-6 < spread[1]


@pytest.mark.parametrize(
    "change",
    [{"r1_interval": 0}, {"path_interval": -1}, {"mixing": 1.5}, {"style_mean_decay": 1.0}, {"path_weight": -1.0}],
    ids=str,
)
def test_impossible_settings_of_the_game_are_refused_by_name(change):
    ((name, value),) = change.items()
    with pytest.raises(UserError, match=f"{name}={value}"):
        dataclasses.replace(TINY, **change)


def test_a_batch_that_is_no_whole_number_of_groups_is_refused_before_anything_is_trained():
    with pytest.raises(UserError, match="batch_size=10 cannot be cut into groups of group_size=4"):
        dataclasses.replace(TINY, batch_size=10)
    assert dataclasses.replace(TINY, batch_size=3).batch_size == 3, "a smaller batch is one group"
    assert dataclasses.replace(TINY, batch_size=10, group_size=None).group_size is None
