"""The progressive GAN against published numbers and against the same networks written out in plain torch."""

import dataclasses
import math

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.testing import assert_close

from ganvas.core.errors import UserError
from ganvas.core.hashes.derived_seeds import derive_seed
from ganvas.core.ranks import Ranks
from ganvas.core.schedule import Stage
from ganvas.core.seeds import stream
from ganvas.losses.batches.picture_batch import Pictures
from ganvas.models.gan.progan import TINY, Config, Model
from ganvas.networks.adversarial.progressive_networks import LatentBlock
from ganvas.nn.layers.initialise import initialise
from ganvas.train.execution.executors import Eager
from ganvas.train.forecast import count_flop
from ganvas.train.state import new_state
from ganvas.train.step import set_learning_rate

EXACT = {"rtol": 1e-11, "atol": 1e-11}  # float64, a few hundred roundings.


def started(*, seed=0, **changes):
    model = Model(dataclasses.replace(TINY, **changes))
    initialise(model, stream(seed, "weights"))
    generator = stream(seed, "biases")
    for name, parameter in model.named_parameters():
        if name.endswith("bias"):  # Zero at the start, and a forgotten one would not be seen.
            with torch.no_grad():
                parameter.copy_(torch.randn(parameter.shape, generator=generator))
    return model


def pictures(n, side, *, seed=1):
    return torch.rand(n, 3, side, side, generator=stream(seed, "pictures")) * 2 - 1


def batch_of(images, **settings):
    return Pictures(images=images, rng=stream(2, "noise"), **settings)


def at(resolution, fade=1.0):
    return Stage(batch_size=1, lr=0.0, resolution=resolution, fade=fade)


# --- Sizes ---


@pytest.mark.parametrize(
    ("resolution", "generator", "discriminator"),
    [
        # Exact counts; the 1024 discriminator's is also in a log that the authors' code printed.
        (32, 20_719_628, 20_726_785),
        (64, 22_490_383, 22_498_049),
        (128, 22_933_394, 22_941_313),
        (256, 23_044_309, 23_052_353),
        (1024, 23_079_115, 23_087_249),
    ],
)
def test_the_paper_s_networks_have_the_paper_s_number_of_parameters(resolution, generator, discriminator):
    with torch.device("meta"):
        model = Model(Config(resolution=resolution))
    assert _count(model.generator) == generator
    assert _count(model.discriminator) == discriminator


def test_with_the_last_rgb_layers_alone_both_networks_have_the_23_1_million_of_the_paper_s_table_2():
    with torch.device("meta"):
        model = Model(Config(resolution=1024))
    generator = _count(model.generator) - _count(model.generator.to_rgb[:-1])
    discriminator = _count(model.discriminator) - _count(model.discriminator.from_rgb[:-1])
    assert (generator, discriminator) == (23_071_507, 23_077_137)


def test_a_step_takes_nine_times_the_arithmetic_of_both_networks():
    # D: fakes 1, reals and fakes 3 each, penalty 6; G: 5; of the forward pass of one network, both alike: 18 / 2.
    # A little less, because nobody needs the gradient of the real pictures.
    maps, side, latent = 16, 16, 24
    model = started(latent_size=latent, fmap_base=1 << 12, fmap_max=maps, resolution=side)
    generator = 2 * latent * 16 * maps + 2 * 9 * maps**2 * 16 + 2 * 3 * maps * side**2
    discriminator = 2 * 9 * (maps + 1) * maps * 16 + 2 * 16 * maps * maps + 2 * maps + 2 * 3 * maps * side**2
    for size in (8, 16):  # Per pixel 9 taps of a convolution and 4 of a fused doubling or halving.
        generator += 2 * (9 + 4) * maps**2 * size**2
        discriminator += 2 * (9 + 4) * maps**2 * size**2
    counted = count_flop(model, Pictures(images=torch.zeros(4, 3, side, side)))
    assert 0.93 < counted / (9 * (generator + discriminator)) <= 1.0


# --- Networks ---


@pytest.mark.usefixtures("float64")
def test_the_latent_block_is_the_full_transposed_convolution_of_the_first_release():
    block = LatentBlock(TINY.networks, 5)
    initialise(block, stream(0, "weights"))
    z = torch.randn(3, 8, generator=stream(1, "z"))
    with torch.no_grad():
        block.bias.copy_(torch.arange(5.0))
    kernel = block.weight.view(5, 4, 4, 8).permute(3, 0, 1, 2) * math.sqrt(2 / (8 * 16))  # He; a pixel sums 8 x 16
    assert_close(block(z), F.conv_transpose2d(z[:, :, None, None], kernel, block.bias), **EXACT)


@pytest.mark.usefixtures("float64")
def test_the_generator_is_the_paper_s_written_out():
    model = started(resolution=8)
    net, z = model.generator, torch.randn(4, 8, generator=stream(1, "z"))

    def norm(x):
        return x / (x.square().mean(1, keepdim=True) + 1e-8).sqrt()

    x = F.linear(norm(z), net.latent.weight * math.sqrt(2 / (8 * 16))).view(4, -1, 4, 4)
    x = norm(F.leaky_relu(x + net.latent.bias.view(1, -1, 1, 1), 0.2))
    x = norm(F.leaky_relu(_he(net.blocks[0][0], x), 0.2))
    x = x.repeat_interleave(2, 2).repeat_interleave(2, 3)
    for layer in net.blocks[1]:
        x = norm(F.leaky_relu(_he(layer, x), 0.2))
    assert_close(net(z), _he(net.to_rgb[1], x, gain=1.0), **EXACT)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("pool_first", [True, False])
def test_the_discriminator_is_the_paper_s_written_out_with_the_activation_before_or_after_the_pooling(pool_first):
    model = started(resolution=8, pool_before_activation=pool_first, group_size=None)
    net, images = model.discriminator, pictures(4, 8)
    x = F.leaky_relu(_he(net.from_rgb[1], images), 0.2)
    x = F.leaky_relu(_he(net.blocks[0][0], x), 0.2)
    x = _he(net.blocks[0][1], x)
    x = F.leaky_relu(F.avg_pool2d(x, 2), 0.2) if pool_first else F.avg_pool2d(F.leaky_relu(x, 0.2), 2)
    deviation = (x.var(0, correction=0) + 1e-8).sqrt().mean().expand(4, 1, 4, 4)
    x = F.leaky_relu(_he(net.convolution, torch.cat([x, deviation], 1)), 0.2)
    dense = net.dense.weight * math.sqrt(2 / net.dense.weight.shape[1])
    x = F.leaky_relu(F.linear(x.flatten(1), dense, net.dense.bias), 0.2)
    score = F.linear(x, net.score.weight / math.sqrt(net.score.weight.shape[1]), net.score.bias)
    assert_close(net(images)[0], score[:, 0], **EXACT)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("template", ["paper", "mode-recovery"])
def test_a_fade_begins_at_the_doubled_lower_resolution_and_ends_at_the_higher(template):
    model = started(template=template, pool_before_activation=False)
    z, images = torch.randn(4, 8, generator=stream(1, "z")), pictures(4, 8)
    zero, one = torch.tensor(0.0), torch.tensor(1.0)
    lower = model.decode(z, stage=at(4)).repeat_interleave(2, 2).repeat_interleave(2, 3)
    assert_close(model.decode(z, stage=at(8, 0.0)), lower, **EXACT)
    assert_close(model.generator(z, resolution=8, fade=one), model.decode(z, stage=at(8)), **EXACT)
    assert_close(model.discriminator(images, fade=zero)[0], model.discriminator(F.avg_pool2d(images, 2))[0], **EXACT)
    assert_close(model.discriminator(images, fade=one)[0], model.discriminator(images)[0], **EXACT)


@pytest.mark.parametrize(("resolution", "level"), [(4, 0), (8, 1), (16, 2)])
@pytest.mark.parametrize("base", [(4, 4), (3, 5)])
def test_both_networks_use_the_layers_of_the_same_resolution_for_the_same_picture(resolution, level, base):
    model = started(base=base)
    images = model.decode(torch.randn(4, 8, generator=stream(1, "z")), stage=at(resolution))
    assert images.shape[2:] == (base[0] << level, base[1] << level)
    model.discriminator(images)[0].sum().backward()
    used = [layer.weight.grad is not None for layer in model.generator.to_rgb]
    assert (
        used
        == [layer.weight.grad is not None for layer in model.discriminator.from_rgb]
        == [at == level for at in range(3)]
    )


@pytest.mark.usefixtures("float64")
def test_a_label_joins_the_normalised_latent_as_one_number_per_class():
    model = started(num_classes=3)
    seen = []
    model.generator.latent.register_forward_pre_hook(lambda _, args: seen.append(args[0]))
    z, labels = 5 * torch.randn(2, 8, generator=stream(1, "z")), torch.tensor([2, 0])
    model.decode(z, labels)
    ones = torch.tensor([[0.0, 0, 1], [1, 0, 0]])
    assert_close(seen[0], torch.cat([z / (z.square().mean(1, keepdim=True) + 1e-8).sqrt(), ones], 1), **EXACT)


def test_minibatch_deviation_tells_a_picture_of_its_group_alone():
    images = pictures(8, 16)

    def moved(row, **settings):
        net = started(**settings).discriminator
        changed = images.clone()
        changed[row] *= -0.5
        return bool((net(changed)[0][0] - net(images)[0][0]).abs() > 1e-5)

    # Eight pictures in groups of four: even rows and odd ones.
    assert (moved(1, group_size=4), moved(2, group_size=4)) == (False, True)
    assert (moved(1, group_size=None), moved(2, group_size=None)) == (True, True)
    assert not moved(2, minibatch_statistic="none")


@pytest.mark.usefixtures("float64")
def test_minibatch_discrimination_is_centred_by_a_first_batch_of_reals():
    model = started(minibatch_statistic="discrimination", discrimination_kernels=6)
    images = pictures(8, 16)
    net = model.discriminator
    before = net.discrimination(net.features(images))[:, -6:].mean(0)
    model.calibrate(Pictures(images=images))
    assert before.abs().min() > 1e-3
    assert_close(net.discrimination(net.features(images))[:, -6:].mean(0), torch.zeros(6), **EXACT)
    assert net.score.weight.shape == (1, net.features(images).shape[1] + 6)


@pytest.mark.parametrize("divisor", [2, 4])
def test_the_mode_recovery_networks_have_the_shapes_of_appendix_e(divisor):
    config = Config(
        template="mode-recovery",
        latent_size=64,
        fmap_base=64,
        fmap_max=256,
        discriminator_divisor=divisor,
        generator_norm="batch",
        discriminator_norm="batch",
        minibatch_statistic="none",
        pixel_norm=False,
        equalized=False,
        pool_before_activation=False,
        tanh=True,
        first_resolution=32,
    )
    model = Model(config)
    initialise(model, stream(0, "weights"))
    images = model.decode(100 * torch.randn(4, 64, generator=stream(1, "z")))
    assert images.abs().max() <= 1.0
    model.discriminator(images)[0].sum().backward()

    def used(net):
        return [tuple(p.shape) for name, p in net.named_parameters() if name.endswith("weight") and p.grad is not None]

    # min(64 / 2^k, 256): 64 maps at 4x4, then one 3x3 convolution per doubling, and 3x3 to colours.
    weights = [shape for shape in used(model.generator) if len(shape) > 1]
    assert weights == [(64 * 16, 64), (32, 64, 3, 3), (16, 32, 3, 3), (8, 16, 3, 3), (3, 8, 3, 3)]
    weights = [shape for shape in used(model.discriminator) if len(shape) > 1]
    below = [8 // divisor, 16 // divisor, 32 // divisor]  # From the picture itself: 32x32 to 16, 8 and 4.
    top, middle, bottom = ((after, before, 3, 3) for before, after in zip([3, *below], below, strict=False))
    assert weights == [bottom, middle, top, (1, below[-1] * 16)]


def test_the_mode_recovery_generator_begins_with_64_maps_whatever_the_base():
    with torch.device("meta"):
        model = Model(dataclasses.replace(TINY, template="mode-recovery", fmap_base=32, fmap_max=256))
    assert model.generator.latent.bias.shape == (64,)


@pytest.mark.parametrize(
    "change",
    [
        {"joint": True, "n_critic": 5},
        {"discriminator_norm": "layer"},
        {"average_decay": 1.0},
        {"train_kimg": 0.0, "fade_kimg": 0.0},
        {"first_resolution": 32},
    ],
    ids=str,
)
def test_settings_that_contradict_each_other_are_refused(change):
    with pytest.raises(UserError):
        dataclasses.replace(TINY, **change)


# --- Game ---


class LinearCritic(nn.Module):
    """``D(x) = <w, x>``: its gradient is w everywhere."""

    def __init__(self, weight):
        super().__init__()
        self.weight = nn.Parameter(weight)

    def forward(self, images, *, fade=None):
        return torch.einsum("chw,nchw->n", self.weight, images), images.new_zeros(len(images), 0)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize(("target", "weight"), [(1.0, 10.0), (750.0, 10.0), (2.0, 3.0)])
def test_the_critic_s_terms_on_a_linear_critic_have_their_closed_forms(target, weight):
    model = started(penalty_target=target, penalty_weight=weight, drift_weight=0.001)
    w = torch.randn(3, 16, 16, generator=stream(4, "w"))
    model.discriminator = LinearCritic(w)
    images, seen = pictures(5, 16), []
    model.generator.register_forward_hook(lambda _net, _args, output: seen.append(output))
    terms = model.phases()[0].loss(batch_of(images))
    real = (w * images).sum((1, 2, 3))
    assert_close(terms["wasserstein"], (w * seen[0]).sum((1, 2, 3)) - real, **EXACT)
    penalty = weight * (w.norm() - target) ** 2 / target**2
    assert_close(terms["gradient_penalty"], penalty.expand(5), rtol=1e-11, atol=0)
    assert_close(terms["drift"], 0.001 * real**2, **EXACT)
    assert_close(model.phases()[1].loss(batch_of(images))["wasserstein"], -(w * seen[1]).sum((1, 2, 3)), **EXACT)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("loss", ["non-saturating", "relativistic"])
def test_on_a_linear_critic_the_other_losses_and_their_penalty_have_their_closed_forms(loss):
    model = started(loss=loss, r1_gamma=0.6, r1_interval=4)
    w = torch.randn(3, 16, 16, generator=stream(4, "w"))
    model.discriminator = LinearCritic(w)
    images, seen = pictures(5, 16), []
    model.generator.register_forward_hook(lambda _net, _args, output: seen.append((w * output).sum((1, 2, 3))))
    critic, generator, penalty = model.phases()
    real, name = (w * images).sum((1, 2, 3)), loss.replace("-", "_")
    of_critic, of_generator = critic.loss(batch_of(images)), generator.loss(batch_of(images))
    assert set(of_critic) == set(of_generator) == {name}
    odds = (lambda scores: torch.log1p(scores.exp())) if loss == "non-saturating" else None
    by_critic = odds(-real) + odds(seen[0]) if odds else torch.log1p((seen[0] - real).exp())
    by_generator = odds(-seen[1]) if odds else torch.log1p((real - seen[1]).exp())
    assert_close(of_critic[name], by_critic, **EXACT)
    assert_close(of_generator[name], by_generator, **EXACT)
    assert_close(penalty.loss(batch_of(images))["r1"], (0.3 * w.square().sum()).expand(5), **EXACT)
    assert penalty.weight == 4
    assert [step for step in range(9) if penalty.turn(step, 0)] == [3, 7]


def test_a_step_without_the_paper_s_penalty_takes_seven_tenths_of_its_arithmetic():
    # Of 18 units 6 are the penalty's; R1 takes as many on every eighth step: 12.75 / 18 = 0.708.
    wide = {"fmap_base": 1 << 12, "fmap_max": 16}
    counted = [
        count_flop(started(loss=loss, r1_interval=8, **wide), Pictures(images=torch.zeros(4, 3, 16, 16)))
        for loss in ("non-saturating", "wgan-gp")
    ]
    assert counted[0] / counted[1] == pytest.approx(0.708, abs=0.02)


@pytest.mark.usefixtures("float64")
def test_the_penalty_is_that_of_mixed_pictures_of_the_fading_network():
    model, images, fade = started(), pictures(8, 16), torch.tensor(0.3)
    terms = model.phases()[0].loss(batch_of(images, fade=fade))
    noise = stream(2, "noise")
    z, mix = torch.randn(8, 8, generator=noise), torch.rand(8, generator=noise)
    mixed = images + mix.view(-1, 1, 1, 1) * (model.generator(z, fade=fade).detach() - images)
    mixed.requires_grad_()
    (gradient,) = torch.autograd.grad(model.discriminator(mixed, fade=fade)[0].sum(), mixed)
    expected = 10 * (gradient.square().sum((1, 2, 3)).sqrt() - 1) ** 2
    assert_close(terms["gradient_penalty"], expected, **EXACT)


def test_drift_is_of_the_reals_alone():
    model, images = started(), pictures(8, 16)
    before = model.phases()[0].loss(batch_of(images))
    with torch.no_grad():
        model.generator.to_rgb[-1].bias += 1.0
    after = model.phases()[0].loss(batch_of(images))
    assert torch.equal(before["drift"], after["drift"])
    assert (before["wasserstein"] - after["wasserstein"]).abs().min() > 1e-4
    assert_close(before["drift"], 0.001 * model.discriminator(images)[0] ** 2)


@pytest.mark.usefixtures("float64")
@pytest.mark.parametrize("joint", [False, True])
def test_players_move_one_after_the_other_or_both_at_once_on_the_same_fakes(joint):
    model, images = started(joint=joint), pictures(8, 16)
    growth, by_hand = model.schedule(), started(joint=joint)
    state = new_state(model)
    set_learning_rate(state, 1e-3)
    Eager(state, seed=5, ranks=Ranks(), precision=torch.float32).step(
        Pictures(images=images), list(growth.stages())[-1]
    )

    critic, generator = by_hand.phases()
    streams = [torch.Generator().manual_seed(derive_seed(5, "noise", 0 if joint else at, 0)) for at in (0, 1)]
    moves = []
    for phase, noise in zip((critic, generator), streams, strict=True):
        loss = sum(term.mean() for term in phase.loss(batch_of(images).with_rng(noise)).values())
        parameters = list(phase.player.parameters())
        gradients = torch.autograd.grad(loss, parameters, allow_unused=True)
        moves += [(p, g) for p, g in zip(parameters, gradients, strict=True) if g is not None]
        if not joint:
            _first_adam_step(moves)
            moves.clear()
    _first_adam_step(moves)
    for (name, mine), expected in zip(model.named_parameters(), by_hand.parameters(), strict=True):
        assert_close(mine, expected, rtol=1e-9, atol=1e-9, msg=name)


def _first_adam_step(moves):
    """Kingma & Ba's algorithm 1 at t = 1, where both moments are the gradient's own: ``-lr g / (|g| + eps)``."""
    with torch.no_grad():
        for parameter, gradient in moves:
            parameter -= 1e-3 * gradient / (gradient.abs() + 1e-8)


def test_the_generator_moves_on_every_n_critic_th_step():
    state = new_state(started(n_critic=3))
    set_learning_rate(state, 1e-3)
    execute = Eager(state, seed=5, ranks=Ranks(), precision=torch.float32)
    last = list(state.model.schedule().stages())[-1]
    moved = []
    for step in range(6):
        before = [net.state_dict()[key].clone() for net, key in _watched(state.model)]
        execute.step(Pictures(images=pictures(8, 16, seed=step)), last)
        state.step, state.nimg = state.step + 1, state.nimg + 8
        after = [net.state_dict()[key] for net, key in _watched(state.model)]
        moved.append([not torch.equal(b, a) for b, a in zip(before, after, strict=True)])
    assert moved == [[True, step in (2, 5)] for step in range(6)]


def _watched(model):
    return [(model.discriminator, "score.weight"), (model.generator, "latent.weight")]


def _count(module):
    return sum(parameter.numel() for parameter in module.parameters())


def _he(layer, x, *, gain=2**0.5):
    """A convolution that keeps the size, with a weight of unit variance scaled by He's constant."""
    weight = layer.weight
    scale = gain / math.sqrt(weight.shape[1] * weight.shape[2] * weight.shape[3])
    return F.conv2d(x, weight * scale, layer.bias, padding=weight.shape[-1] // 2)
