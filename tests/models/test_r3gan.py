"""R3GAN: its loss, its courses, its start; numbers of parameters from the authors' code."""

import dataclasses
import math

import pytest
import torch
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.ranks import Ranks
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.r3gan import TINY, Config, DiscriminativeBasis, FixUpBlock, GenerativeBasis, Model, Resampling
from ganvas.nn.layers.initialise import initialise
from ganvas.nn.layers.smooth_resample import smooth_double, smooth_halve
from ganvas.train.execution.executors import Eager
from ganvas.train.state import averaged_model, new_state
from ganvas.train.step import set_learning_rate


def started(settings=TINY, **changes):
    model = Model(dataclasses.replace(settings, **changes))
    initialise(model, stream(0, "weights"))
    return model


def opened(part):
    """Without zeros: what starts shut is open."""
    initialise(part, stream(0, "weights"))
    for parameter in part.parameters():
        torch.nn.init.normal_(parameter, std=0.3, generator=stream(parameter.numel(), "open"))
    return part.double()


def randn(*shape, seed=1):
    return torch.randn(*shape, generator=stream(seed, "x"), dtype=torch.float64)


def batch_of(**kwargs):
    return Pictures(images=torch.rand(8, 3, 16, 16, generator=stream(1, "images")) * 2 - 1, **kwargs)


def phase(model, name):
    return next(move for move in model.phases() if move.name == name)


@pytest.mark.parametrize(
    ("settings", "generator", "discriminator"),
    [
        ({"num_classes": 10}, 20_781_952, 21_280_512),
        ({}, 20_732_160, 20_683_776),
        ({"resolution": 64}, 22_429_824, 22_381_440),
        ({"resolution": 256}, 23_057_952, 23_009_568),
    ],
    ids=["CIFAR10 with classes", "CIFAR10", "FFHQ-64", "FFHQ-256"],
)
def test_its_networks_have_as_many_parameters_as_the_authors(settings, generator, discriminator):
    with torch.device("meta"):
        model = Model(Config(**settings))
    assert sum(p.numel() for p in model.generator.parameters()) == generator
    assert sum(p.numel() for p in model.discriminator.parameters()) == discriminator


def test_the_widths_of_ffhq_256_are_those_of_the_authors():
    assert Config(resolution=256).maps() == [768, 768, 768, 768, 384, 192, 96]


# --- Layers ---


def test_a_block_is_a_grouped_convolution_between_two_that_mix_channels_and_a_shortcut():
    block = opened(FixUpBlock(6, dataclasses.replace(TINY, group_width=4)))
    x = randn(2, 6, 5, 4)
    y = F.leaky_relu(F.conv2d(x, block.expand.weight, block.expand.bias), 0.2)
    groups = zip(y.chunk(3, 1), block.grouped.weight.chunk(3), block.grouped.bias.chunk(3), strict=True)
    y = F.leaky_relu(torch.cat([F.conv2d(part, w, b, padding=1) for part, w, b in groups], dim=1), 0.2)
    assert_close(block(x), x + F.conv2d(y, block.project.weight))


def test_at_the_start_every_block_is_the_identity_and_its_inside_smaller_with_depth():
    config = Config(resolution=16, fmap_base=2048, fmap_max=1024, blocks=2)
    block = FixUpBlock(64, config)
    initialise(block, stream(0, "weights"))
    x = torch.randn(2, 64, 4, 4, generator=stream(1, "x"))
    assert torch.equal(block(x), x)
    # He's gain of a leaky ReLU of 0.2 over the root of the fan-in, times (3 resolutions x 2 blocks)^(-1/4).
    gain = math.sqrt(2 / 1.04) * 6**-0.25
    assert block.expand.weight.std().item() == pytest.approx(gain / math.sqrt(64), rel=0.03)
    assert block.grouped.weight.std().item() == pytest.approx(gain / math.sqrt(9 * 16), rel=0.03)


@pytest.mark.parametrize("channels", [4, 6])
def test_widths_change_on_the_smaller_side_of_a_resampling(channels):
    x = randn(2, 4, 4, 6)
    up, down = (opened(Resampling(4, channels, up=up)) for up in (True, False))
    mixed, halved = (x, smooth_halve(x))
    if channels != 4:
        mixed, halved = F.conv2d(x, up.convolution.weight), F.conv2d(halved, down.convolution.weight)
    assert_close(up(x), smooth_double(mixed))
    assert_close(down(x), halved)


def test_the_bases_are_products_with_learnt_pictures():
    first, last = opened(GenerativeBasis(5, 3, (2, 4))), opened(DiscriminativeBasis(3, 2, (2, 4)))
    z = randn(6, 5)
    made = first(z)
    assert_close(made[4, 2], first.basis[2] * (first.scales.weight[2] @ z[4]))
    seen = torch.einsum("nchw,chw->nc", made, last.basis)
    assert_close(last(made), seen @ last.outputs.weight.T)


def test_with_classes_the_score_is_a_projection_and_without_labels_the_mean_of_all():
    network = opened(Model(dataclasses.replace(TINY, num_classes=3)).discriminator)
    images = randn(4, 3, 16, 16)
    scores = torch.stack([network(images, torch.full((4,), label)) for label in range(3)])
    features = network.basis(network.stages(network.from_rgb(images)))
    assert_close(scores, torch.stack([features @ network.embedding.weight[:, label] for label in range(3)]))
    assert_close(network(images), scores.mean(0))


# --- The game ---


def test_both_players_are_judged_by_pairs_of_a_real_and_a_fake():
    model, seen = started(), []
    for name, parameter in model.discriminator.named_parameters():
        if name.endswith("project.weight"):  # Shut, the network is linear and its gradient everywhere the same.
            torch.nn.init.normal_(parameter, std=0.3, generator=stream(5, "open"))
    model.discriminator.register_forward_hook(lambda _net, given, scores: seen.append((given[0], scores.detach())))
    discriminator = phase(model, "D").loss(batch_of(rng=stream(3, "noise")))
    generator = phase(model, "G").loss(batch_of(rng=stream(4, "noise")))
    (_, real), (fakes, fake), (_, real_again), (_, fooled) = seen
    one = torch.ones(8)
    expected = F.binary_cross_entropy_with_logits(real - fake, one, reduction="none")
    assert_close(discriminator["relativistic"], expected)
    expected = F.binary_cross_entropy_with_logits(fooled - real_again, one, reduction="none")
    assert_close(generator["relativistic"], expected)
    reals = batch_of().images.requires_grad_()
    for name, images in (("r1", reals), ("r2", fakes.detach().requires_grad_())):
        (gradient,) = torch.autograd.grad(model.discriminator(images).sum(), images)
        assert_close(discriminator[name], TINY.gamma / 2 * gradient.square().sum((1, 2, 3)))


def steps(state, count):
    for _ in range(count):
        stage = state.model.schedule().at(state.nimg)
        set_learning_rate(state, stage.lr)
        Eager(state, seed=0, ranks=Ranks(), precision=torch.float32).step(batch_of(), stage)
        state.nimg += 8
        state.step += 1


def test_everything_that_is_scheduled_is_half_way_in_the_middle_of_the_run():
    model = started(decay_kimg=0.032, average_half_life_kimg=0.064)
    state = new_state(model)
    steps(state, 3)  # The third is the one at 16 of 32 samples.
    assert model.penalty_weight().item() == pytest.approx((0.05 + 0.005) / 2 - 0.0225 * math.sin(math.pi / 4), rel=1e-5)
    assert state.players[0].optimizer.param_groups[0]["lr"] == pytest.approx((2e-4 + 5e-5) / 2)
    assert state.players[0].optimizer.beta2.item() == pytest.approx(0.945)
    assert state.players[1].decay.item() == pytest.approx(0.5 ** (8 / 32))
    assert model.shown == 24
    steps(state, 5)
    assert model.penalty_weight().item() == pytest.approx(0.005)
    assert "shown" not in averaged_model(state)


def test_settings_fitted_to_a_run_end_where_it_ends():
    assert TINY.fitted(7.5).decay_kimg == 7.5


def test_groups_that_do_not_divide_the_channels_are_refused_with_both_numbers():
    with pytest.raises(UserError, match=r"group_width=3 does not divide the 16 channels"):
        dataclasses.replace(TINY, group_width=3)
